// PigeonHub for browsers: promises, events and typed errors around the WebAssembly module.
// Nothing here decides anything; see client-wasm/src/js.rs for what it calls.

import load, { RawHub } from './wasm/pigeonhub_wasm.js';

/** Only this module may make hubs and links. */
const OURS = Symbol('pigeonhub');

let loading;

/** Loads the WebAssembly module, once. `PigeonHub.connect` does it by itself. */
export default function init(input) {
  loading ??= load({ module_or_path: input ?? new URL('./wasm/pigeonhub_wasm_bg.wasm', import.meta.url) }).then(
    () => {},
    (cause) => {
      loading = undefined;
      throw new PigeonError('load-failed', 'the WebAssembly module could not be loaded', { cause });
    },
  );
  return loading;
}

/** Something that was asked for was not done. Programs read `code`. */
export class PigeonError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = 'PigeonError';
    this.code = code;
  }
}

/** An event whose fields are on the event itself, and together in `detail`. */
export class PigeonEvent extends Event {
  constructor(type, detail = {}) {
    super(type);
    this.detail = detail;
    Object.assign(this, detail);
  }
}

/** Errors of the module, as ours. */
const ours = (thrown) =>
  thrown instanceof PigeonError
    ? thrown
    : new PigeonError(thrown?.code ?? 'internal', thrown?.message ?? String(thrown), { cause: thrown });

const lift = (promise) => promise.catch((thrown) => Promise.reject(ours(thrown)));

const attempt = (call) => {
  try {
    return call();
  } catch (thrown) {
    throw ours(thrown);
  }
};

const json = (value, code) => {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (cause) {
    throw new PigeonError(code, 'the value cannot be written as JSON', { cause });
  }
};

const textOf = (value) => (value === undefined ? undefined : String(value));

/** A node is given by its URL, or as `{ url, transport }`. */
const urlOf = (node) => String(node?.url ?? node);
const transportOf = (node) => String(node?.transport ?? '');

/**
 * The URLs of nodes that are found: at a domain, or as the options of `discoverBootstrapPeers` (with
 * `appId` among them) say. Who does not ask for it does not load it.
 */
const discovered = async (discover) => {
  const { discoverBootstrapPeers } = await import('./config.js');
  const { appId, ...options } = typeof discover === 'string' ? { domains: [discover] } : { ...Object(discover) };
  const peers = await discoverBootstrapPeers(appId, options);
  return peers.map((peer) => peer.u);
};

/** Who does not publish or find anything does not load it. */
const records = () => import('./records.js');

/** A client of the mesh. */
export class PigeonHub extends EventTarget {
  #raw;
  #links = new Map();
  #listening = false;
  #seq = 0;
  #end = new AbortController();

  static async connect(options = {}) {
    const { network = '', nodes = [], discover, data = {}, sessions = 2, signal } = options;
    signal?.throwIfAborted();
    const profile = json(data, 'invalid-profile');
    const [found] = await Promise.all([discover ? lift(discovered(discover)) : [], init()]);
    const named = new Set(nodes.map(urlOf));
    const all = [...nodes, ...found.filter((url) => !named.has(url))];
    const entries = all.flatMap((node) => [urlOf(node), transportOf(node)]);
    const { peerId, key, persist, requireVerified, iceServers } = options;
    const raw = await lift(
      RawHub.open({
        network: String(network),
        nodes: entries,
        data: profile,
        peerId: textOf(peerId),
        key: textOf(key),
        persist: Boolean(persist),
        requireVerified: Boolean(requireVerified),
        sessions: Number(sessions),
        iceServers,
      }),
    );
    const abort = () => raw.close();
    signal?.addEventListener('abort', abort);
    try {
      if (signal?.aborted) abort();
      await lift(raw.ready());
      return new PigeonHub(OURS, raw);
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  constructor(token, raw) {
    if (token !== OURS) throw new TypeError('use PigeonHub.connect()');
    super();
    this.#raw = raw;
  }

  /** Events that came before the first listener are kept for it. */
  addEventListener(...listener) {
    super.addEventListener(...listener);
    if (this.#listening) return;
    this.#listening = true;
    this.#raw.listen((type, fields) => {
      if (type === 'link') fields = { link: this.#link(fields), peerId: fields.peerId };
      if (type === 'nodechange') fields = this.#node(fields);
      if (type === 'error') fields = { error: new PigeonError(fields.code, fields.message) };
      this.dispatchEvent(new PigeonEvent(type, fields));
    });
  }

  get peerId() {
    return this.#raw.peer_id;
  }

  get publicKey() {
    return this.#raw.public_key;
  }

  /** Whoever has this text is this peer. */
  exportKey() {
    return this.#raw.export_key();
  }

  get peers() {
    return this.#raw.peers();
  }

  get nodes() {
    return this.#raw.nodes().map((node) => this.#node(node));
  }

  /** Resolves when connected. A link that exists already is returned. */
  async dial(peerId, { stream, timeout } = {}) {
    let expired = false;
    const expire = () => {
      expired = true;
      this.#raw.link(peerId)?.close();
    };
    const timer = timeout === undefined ? undefined : setTimeout(expire, timeout);
    try {
      return this.#link(await lift(this.#raw.dial(peerId, stream)));
    } catch (error) {
      throw expired ? new PigeonError('timeout', `no connection within ${timeout} ms`, { cause: error }) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  link(peerId) {
    const raw = this.#raw.link(peerId);
    return raw && this.#link(raw);
  }

  async publish(topic, data, options) {
    const words = JSON.parse(json(data, 'invalid-request'));
    return (await records()).publish(this.#desk, topic, words, options);
  }

  /** Takes back what was published. It is remembered for a day, so that nothing older comes back. */
  async unpublish(topic, { salt } = {}) {
    await (await records()).publish(this.#desk, topic, null, { salt }, true);
  }

  async find(topic) {
    return (await records()).find(this.#desk.nodes(), topic);
  }

  async *watch(topic, { signal } = {}) {
    const { watch } = await records();
    const signals = signal ? [signal, this.#end.signal] : [this.#end.signal];
    yield* watch(this.#desk, topic, AbortSignal.any(signals));
  }

  /** What records need of a hub. */
  get #desk() {
    const isOpen = ({ state }) => state === 'open';
    return {
      nodes: () => [...this.nodes].sort((a, b) => isOpen(b) - isOpen(a)).map(({ url }) => url),
      isDown: (url) => this.nodes.some((node) => node.url === url && node.state === 'down'),
      publicKey: this.publicKey,
      sign: (text) => lift(this.#raw.sign(text)),
      seq: () => (this.#seq = Math.max(Date.now(), this.#seq + 1)),
    };
  }

  setData(data) {
    attempt(() => this.#raw.set_data(json(data, 'invalid-profile')));
  }

  addNode(node) {
    attempt(() => this.#raw.add_node(urlOf(node), transportOf(node)));
  }

  removeNode(url) {
    this.#raw.remove_node(url);
  }

  close() {
    this.#end.abort();
    this.#raw.close();
  }

  #node(node) {
    return { ...node, transport: this.#raw.transport(node.url) };
  }

  /** One object per link, however often the module hands it out. */
  #link(raw) {
    const { serial } = raw;
    let link = this.#links.get(serial);
    if (!link) {
      link = new PeerLink(OURS, raw);
      this.#links.set(serial, link);
      link.addEventListener('close', () => this.#links.delete(serial));
    }
    return link;
  }
}

/** Messages and media with one peer. */
export class PeerLink extends EventTarget {
  #raw;
  #heard = new Set();
  /** Settles when the last message is out, while one that has to be read first is not. */
  #reading;

  constructor(token, raw) {
    if (token !== OURS) throw new TypeError('use hub.dial() or the event "link"');
    super();
    this.#raw = raw;
    raw.listen_states((state, error) => {
      this.dispatchEvent(new PigeonEvent('statechange', { state }));
      if (error) this.dispatchEvent(new PigeonEvent('error', { error: ours(error) }));
      if (state === 'closed' || state === 'failed') this.dispatchEvent(new PigeonEvent('close', { state }));
    });
  }

  /** Messages and tracks that came before the first listener for them are kept for it. */
  addEventListener(type, ...listener) {
    super.addEventListener(type, ...listener);
    if (this.#heard.has(type)) return;
    this.#heard.add(type);
    if (type === 'message') {
      this.#raw.listen_messages((data) => this.dispatchEvent(new PigeonEvent('message', { data })));
    } else if (type === 'track') {
      this.#raw.listen_tracks((track, stream) =>
        this.dispatchEvent(new PigeonEvent('track', { track, streams: stream ? [stream] : [] })),
      );
    }
  }

  get peerId() {
    return this.#raw.peer_id;
  }

  get verified() {
    return this.#raw.verified;
  }

  get state() {
    return this.#raw.state;
  }

  /** Messages arrive in the order of the calls. Await it, and memory stays bounded. */
  send(data) {
    if (!this.#reading && !(data instanceof Blob)) return this.#put(data);
    // A blob has to be read first, and what comes after it has to wait for that.
    const sent = Promise.all([data instanceof Blob ? data.arrayBuffer() : data, this.#reading]).then(
      ([content]) => this.#put(content),
    );
    const reading = sent.catch(() => {}).then(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return sent;
  }

  #put(data) {
    if (typeof data === 'string') return lift(this.#raw.send_text(data));
    if (ArrayBuffer.isView(data)) data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    else if (data instanceof ArrayBuffer) data = new Uint8Array(data);
    else return Promise.reject(new PigeonError('invalid-message', 'a message is text, bytes or a blob'));
    return lift(this.#raw.send_bytes(data));
  }

  addStream(stream) {
    attempt(() => this.#raw.add_stream(stream));
  }

  removeStream(stream) {
    this.#raw.remove_stream(stream);
  }

  stats() {
    return lift(this.#raw.stats());
  }

  close() {
    this.#raw.close();
  }
}
