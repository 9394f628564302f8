// A page that imports the npm package when it is told to.

const PACKAGE = '/node_modules/pigeonhub-wasm/main.js';

let instances = 0;
for (const name of ['instantiate', 'instantiateStreaming']) {
  const make = WebAssembly[name];
  WebAssembly[name] = (...args) => {
    instances += 1;
    return make.apply(WebAssembly, args);
  };
}

/** Everything global, and of the prototypes that a polyfill or a patch would change. */
function globals() {
  const holders = { globalThis, Object, Array, Promise, EventTarget, RTCPeerConnection, WebSocket, WebAssembly, navigator, document };
  const all = new Map();
  for (const [holder, object] of Object.entries(holders)) {
    for (const [part, target] of [[holder, object], [`${holder}.prototype`, object.prototype ?? {}]]) {
      for (const key of Reflect.ownKeys(target)) {
        const { value, get, set } = Object.getOwnPropertyDescriptor(target, key);
        all.set(`${part}.${String(key)}`, [value, get, set]);
      }
    }
  }
  return all;
}

/** The names of what is there, gone or another since then. */
function changes(before) {
  const after = globals();
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => !before.get(name)?.every((part, index) => Object.is(part, after.get(name)?.[index])));
}

/** What is global that was not before, once imported, loaded and connected, and how often it was loaded by then. */
export async function use(node) {
  const before = globals();
  const { default: init, PigeonHub } = await import(PACKAGE);
  const imported = { changed: changes(before), instances };
  await init();
  const hub = await PigeonHub.connect({ iceServers: [], nodes: [node] });
  hub.close();
  return [imported, { changed: changes(before), instances }];
}

/** Loads in vain, then often and at once, beside hubs that come by themselves. */
export async function load(node) {
  const { default: init, PigeonHub } = await import(PACKAGE);
  const failure = await init('/no/such/module.wasm').catch(({ code }) => code);
  const failed = instances;
  const connect = () => PigeonHub.connect({ iceServers: [], network: 'room', nodes: [node] });
  const [one, other] = await Promise.all([connect(), connect(), init(), init(), init('/another.wasm')]);
  const met = new Promise((resolve) => one.addEventListener('peer', ({ peerId }) => peerId === other.peerId && resolve(true)));
  const results = [await init(), await init(new URL('/another.wasm', location.href))];
  return { failure, loaded: instances - failed, results, met: await met };
}

/** Connects and has loaded nothing before; whether there is a hub. */
export async function connect(node) {
  const { PigeonHub } = await import(PACKAGE);
  const hub = await PigeonHub.connect({ iceServers: [], nodes: [node] });
  return { instances, isPeer: /^[0-9a-f]{40}$/.test(hub.peerId) };
}
