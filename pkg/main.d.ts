// Types of pigeonhub-wasm: those of its parts.

export * from './config.js';
export * from './directory.js';
export * from './index.js';
export { default } from './index.js';
