// All of the package under one name. Bundlers leave out what an app does not import; a page without one
// imports `index.js`, `config.js` or `directory.js`, and loads only that.

export * from './config.js';
export * from './directory.js';
export * from './index.js';
export { default } from './index.js';
