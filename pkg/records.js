// Records: what peers publish at the nodes, signed by them and checked by who reads it. Loaded when a hub
// is first asked for them. Rust apps have the same in client-wasm/src/records.rs and watching.rs.
//
// A desk is who asks: `{ nodes(), isDown(url), publicKey, sign(text), seq() }`.

import { PigeonError } from './index.js';
import { canonical, holds, peerIdOf } from './signed.js';

const DOMAIN = 'pigeonhub-record-v1\n';
/** What is signed; the rest of what a node shows is the node's word. */
const FIELDS = ['v', 'topic', 'publisher', 'salt', 'seq', 'timestamp', 'ttl', 'data', 'nodeId', 'deleted'];
const USUAL_TTL = 300;
/** How long a node may take, and how often is looked whether it is still up. */
const PATIENCE = 5000;
/** The pause after a node failed, longer each time, and the longest. */
const PAUSE = 250;
const LONGEST = 4000;
/** Records of a topic that are read at most: four full pages. */
const MOST = 1024;
/** By how much people's clocks may be wrong; nodes, which have better ones, sort out the rest. */
const SKEW = 24 * 60 * 60 * 1000;

const statement = (record) => DOMAIN + canonical(record);

/** Where a node's HTTP API has this path. */
const at = (node, path) => {
  const { protocol, host } = new URL(node);
  return `${/^(wss|https):$/.test(protocol) ? 'https' : 'http'}://${host}${path}`;
};

/** Asks one node after the other until one says yes, or says what every node would. */
async function ask(nodes, path, body) {
  let failure = new PigeonError('no-node', 'there is no node to ask');
  for (const node of nodes) {
    const post = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    let response, answer;
    try {
      response = await fetch(at(node, path), { ...post, credentials: 'omit', signal: AbortSignal.timeout(PATIENCE) });
      answer = await response.json();
    } catch (cause) {
      failure = new PigeonError('no-node', 'the node did not answer', { cause });
      continue;
    }
    if (response.ok) return answer;
    const code = answer?.code ?? (response.status < 500 ? 'invalid-request' : 'unavailable');
    failure = new PigeonError(code, answer?.error ?? `the node answered ${response.status}`);
    // What is wrong here is wrong everywhere; what was kept is not to be kept twice.
    if (code === 'not-replicated' || (response.status < 500 && code !== 'rate-limited')) break;
  }
  throw failure;
}

/** A record as a node shows it, with `verified`, if it is of this topic and can be believed. */
async function checked(shown, topic) {
  const { id, signature, timestamp, ttl } = Object(shown);
  const record = Object.fromEntries(FIELDS.filter((name) => shown?.[name] !== undefined).map((name) => [name, shown[name]]));
  const isWhole = typeof id === 'string' && [record.seq, timestamp, ttl].every(Number.isSafeInteger);
  const expiresAt = timestamp + ttl * 1000;
  if (!isWhole || record.topic !== topic || record.deleted || expiresAt + SKEW < Date.now()) return undefined;
  try {
    const signed = await holds(statement(record), record.publisher, signature);
    if (signed === false) return undefined;
    // Without the means to check signatures nothing is verified, and what nodes say is all there is.
    const verified = signed === true && record.nodeId === undefined;
    const peerId = verified ? await peerIdOf(record.publisher) : undefined;
    return { id, ...record, signature, expiresAt, verified, ...(verified && { peerId }) };
  } catch {
    // Nested too deep to be written.
    return undefined;
  }
}

/** Publishes; the node's receipt. */
export async function publish(desk, topic, data, { ttl = USUAL_TTL, salt, w } = {}, deleted) {
  if (!desk.publicKey && (deleted || salt)) {
    throw new PigeonError('no-identity', 'this needs a key: what a node signs can be neither replaced nor taken back');
  }
  if (!desk.publicKey) return ask(desk.nodes(), '/api/publish', { topic, data, ttl, w });
  const record = {
    v: 1,
    topic,
    publisher: desk.publicKey,
    ...(salt && { salt }),
    seq: desk.seq(),
    timestamp: Date.now(),
    ttl: Math.ceil(ttl),
    data,
    ...(deleted && { deleted }),
  };
  const signature = await desk.sign(statement(record));
  return ask(desk.nodes(), '/api/publish', { ...record, signature, w });
}

/** The records of a topic, page by page. */
export async function find(nodes, topic) {
  const path = `/api/find/${encodeURIComponent(topic)}`;
  const found = [];
  let cursor, seen = 0;
  do {
    const { records = [], next } = await ask(nodes, cursor ? `${path}?cursor=${encodeURIComponent(cursor)}` : path);
    found.push(...(await Promise.all(records.map((shown) => checked(shown, topic)))));
    seen += records.length;
    cursor = next;
  } while (cursor && seen < MOST);
  return found.filter(Boolean);
}

const pause = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });

/** What one node's stream says, until it fails. */
async function* words(desk, node, topic, signal) {
  const source = new EventSource(at(node, `/api/watch/${encodeURIComponent(topic)}`));
  const queue = [];
  let wake = () => {};
  let isOpen = false;
  let isOver = false;
  const say = (type, data) => {
    // Who reads so slowly begins again with what there is then.
    if (queue.length > MOST) isOver = true;
    else queue.push({ type, data });
    wake();
  };
  const end = () => {
    isOver = true;
    wake();
  };
  source.addEventListener('open', () => {
    isOpen = true;
    say('open');
  });
  source.addEventListener('error', end);
  for (const type of ['record', 'gone']) source.addEventListener(type, ({ data }) => say(type, data));
  signal.addEventListener('abort', end);
  try {
    while (!isOver) {
      if (queue.length > 0) {
        yield queue.shift();
        continue;
      }
      const isIdle = await new Promise((resolve) => {
        const timer = setTimeout(resolve, PATIENCE, true);
        wake = () => (clearTimeout(timer), resolve(false));
      });
      // A stream does not tell that its node fell silent; the hub knows.
      if (isIdle && (!isOpen || desk.isDown(node))) return;
    }
  } finally {
    source.close();
    signal.removeEventListener('abort', end);
  }
}

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * What is published under a topic: what is there, then every change, `{ type: 'record' | 'gone', record }`.
 * It goes on at another node when one dies, and tells nothing twice.
 */
export async function* watch(desk, topic, signal) {
  const known = new Map();
  for (let failures = 0; !signal.aborted; failures += 1) {
    if (failures > 0) await pause(Math.min(failures * PAUSE, LONGEST), signal);
    const nodes = desk.nodes();
    if (nodes.length === 0) continue;
    const node = nodes[failures % nodes.length];
    const unseen = new Set(known.keys());
    for await (const { type, data } of words(desk, node, topic, signal)) {
      const gone = [];
      if (type === 'open') {
        failures = 0;
        // What this node does not have any more is gone: it was another one that told of it.
        const found = unseen.size > 0 && (await find([node], topic).catch(() => undefined));
        if (found) {
          for (const { id } of found) unseen.delete(id);
          gone.push(...unseen);
        }
      } else if (type === 'gone') {
        gone.push(parsed(data)?.id);
      } else {
        const record = await checked(parsed(data), topic);
        const last = known.get(record?.id);
        if (record && (last ? last.seq < record.seq : known.size < MOST)) {
          known.set(record.id, record);
          yield { type, record };
        }
        unseen.delete(record?.id);
      }
      for (const id of gone) {
        const record = known.get(id);
        if (known.delete(id)) yield { type: 'gone', record };
      }
    }
  }
}
