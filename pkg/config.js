// Where nodes are: what an app names, the built-in list, and what domains say of their nodes.
// Plain JavaScript, so it works before the WebAssembly module is loaded, and in Node.js. The rules are
// those of the crate `bootstrap`; a test holds the two against each other.

import { CACHE, MOST, MOST_BYTES, keepChecked, recall, remember } from './cache.js';
import { REGIONS, at, fault, hostOf, isLocal, isText, judge, outOfTime } from './descriptor.js';
import { canonical, holds } from './signed.js';
import builtIn from './wasm/built_in.js';

const NO_PRIORITY = 99;
const MOST_READ = 256;
/** Checks in a row without an answer that put a node behind all others. */
const MISSES = 3;

const byPriority = (a, b) => (a.priority ?? NO_PRIORITY) - (b.priority ?? NO_PRIORITY);

/** Each URL once: its first. */
const once = (peers) => {
  const seen = new Set();
  return peers.filter(({ u }) => !seen.has(u) && seen.add(u));
};

/** Reads `BOOTSTRAP_PEERS`: URLs, separated by commas. Blanks and junk are no peers. */
export function parseBootstrapPeersFromEnv(text = globalThis.process?.env?.BOOTSTRAP_PEERS ?? '') {
  const peers = String(text).split(',').map(at).filter((peer) => !fault(peer));
  return peers.map((peer) => ({ ...peer, region: 'custom', priority: 1 }));
}

/** Nodes, best first: those of the app and those of the built-in list. */
export function getBootstrapPeers({ environment = 'production', region, customPeers = [], includeLocal = false } = {}) {
  if (!['production', 'development', 'local'].includes(environment)) {
    throw new TypeError(`environment must be production, development or local, not ${environment}`);
  }
  if (region != null && !REGIONS.includes(region)) throw new TypeError(`region must be one of ${REGIONS.join(', ')}`);
  const own = customPeers.map((peer) => (isText(peer) ? at(peer) : peer));
  for (const peer of own) {
    const wrong = fault(peer);
    if (wrong) throw new TypeError(`${peer?.u ?? peer}: ${wrong}`);
  }
  const isProduction = environment === 'production';
  let listed = isProduction ? [...builtIn.production, ...builtIn.regional, ...builtIn.community] : [];
  const near = listed.filter((peer) => peer.region === region || peer.region === 'global');
  if (region != null && near.length > 0) listed = near;
  const local = includeLocal || !isProduction ? builtIn.local : [];
  return once([...own, ...listed, ...local]).sort(byPriority);
}

/** Nothing, if there is no such document. */
const read = async (url, options, timeout) => {
  const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(timeout), credentials: 'omit' });
  if (!answer.ok) return undefined;
  const text = await answer.text();
  return text.length <= MOST_BYTES ? parsed(text) : null;
};

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/**
 * What a document says: descriptors with a signature each, or a seed bundle, with one for all. Whose that is
 * only `keys` tell. Or the code of why it is refused.
 */
const inDocument = async (document, { appId, keys, now }) => {
  const { sig, ...words } = Object(document);
  const { v, app, peers, seeds, ts, expires, pk } = words;
  if (!Array.isArray(seeds)) {
    if (!Array.isArray(peers)) return { code: 'invalid' };
    return app === appId ? { peers } : { code: 'other-app' };
  }
  if (v !== 1 || ![ts, expires].every(Number.isSafeInteger) || ![app, pk, sig].every(isText)) return { code: 'invalid' };
  if (app !== appId) return { code: 'other-app' };
  const signed = await holds(canonical(words), pk, sig);
  const code = signed === false ? 'forged' : outOfTime(ts, expires, now);
  if (code) return { code };
  const isTrusted = keys.includes(pk);
  return isTrusted || keys.length === 0 ? { peers: seeds, vouched: signed && isTrusted } : { code: 'unknown-key' };
};

/** The documents of a domain: ours, and that of existing nodes. */
const DOCUMENTS = ['/.well-known/pigeonhub-bootstrap', '/.well-known/peerpigeon.json'];

/** A TXT record in words, or in JSON. */
const fromRecord = (record) => {
  try {
    const text = record.replace(/^"|"$/g, '').replace(/" ?"/g, '').replace(/\\"/g, '"');
    if (text.startsWith('{')) return JSON.parse(text);
    const fields = Object.fromEntries(text.split(';').filter((word) => word.trim()).map((word) => {
      const [, name, value] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/s.exec(word);
      return [name, ['priority', 'timestamp', 'expires'].includes(name) ? Number(value) : value];
    }));
    const { v, ...peer } = fields;
    return v === 'pigeonhub1' ? { t: peer.u?.split('://')[0], ...peer } : undefined;
  } catch {
    return undefined;
  }
};

const DNS_JSON = { accept: 'application/dns-json' };

/** Answers of DNS over HTTPS, in the JSON form of Cloudflare and Google: a TXT record has a node, or a document. */
const inAnswers = ({ Answer = [] }, rules) => {
  const records = Answer.filter(({ type }) => type === 16).map(({ data }) => fromRecord(String(data)));
  return Promise.all(records.map((one) => (one?.peers || one?.seeds ? inDocument(one, rules) : { peers: [one] })));
};

/** What a source says, and how far each is trusted or why it is refused: nothing if it is silent. */
const judged = async ({ url, headers, lists }, rules) => {
  const said = await read(url, { headers }, rules.timeout).catch(() => undefined);
  if (said === undefined) return [];
  try {
    const all = (await lists(said, rules)).flatMap(({ peers = [undefined], ...of }) => peers.map((peer) => ({ peer, ...of })));
    return await Promise.all(all.slice(0, MOST_READ).map(async ({ peer, code, vouched }) => {
      const verdict = code ? { code } : await judge(peer, { ...rules, vouched });
      return { peer, source: url, seen: rules.now, ...verdict };
    }));
  } catch {
    return [{ code: 'invalid', source: url }];
  }
};

/** What is asked about a domain: its documents, and DNS if there is a server for that. */
const sourcesOf = (base, dns) => [
  ...DOCUMENTS.map((path) => ({ url: base + path, lists: async (said, rules) => [await inDocument(said, rules)] })),
  ...(dns ? [{ url: `${dns}?name=_pigeonhub-bootstrap.${hostOf(base)}&type=TXT`, headers: DNS_JSON, lists: inAnswers }] : []),
];

/** Without those that are refused, and of what one key signed of one URL only the newest. */
const sifted = (found, onrefused) => {
  const newest = new Map();
  const title = ({ peer }) => `${peer.publicKey} ${peer.u}`;
  // Only what is signed: else whoever dates a copy ahead would silence the node.
  for (const one of found) if (one.time !== undefined) newest.set(title(one), Math.max(newest.get(title(one)) ?? 0, one.time));
  const isOld = (one) => one.time < newest.get(title(one));
  // What was kept and has a successor is no replay.
  const codeOf = (one) => one.code ?? (isOld(one) && one.source !== CACHE ? 'replayed' : undefined);
  for (const one of found) if (codeOf(one)) onrefused?.({ code: codeOf(one), source: one.source, peer: one.peer });
  return found.filter((one) => !one.code && !isOld(one));
};

/** Who does not answer is behind all others; then by trust, priority, region, and how they did. */
const better = (region) => {
  const lost = ({ misses = 0 }) => Number(misses >= MISSES);
  const far = ({ peer }) => Number(region != null && peer.region !== region);
  const slow = ({ roundTrip = Number.MAX_SAFE_INTEGER }) => roundTrip;
  return (a, b) =>
    lost(a) - lost(b) || a.rank - b.rank || byPriority(a.peer, b.peer) || far(a) - far(b) || slow(a) - slow(b);
};

const storageOf = () => {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
};

/**
 * The app's nodes and those of `BOOTSTRAP_PEERS`, what domains name, what was found in the last day, and the
 * built-in list, best first. It never rejects because a source does not answer.
 */
export async function discoverBootstrapPeers(appId = 'pigeonhub-mesh', options = {}) {
  const { domains = [globalThis.location?.origin], dns, keys = [], timeout = 3000, storage = storageOf(), onrefused, ...more } = options;
  const custom = getBootstrapPeers({ ...more, environment: 'local' }).filter((peer) => !builtIn.local.some(({ u }) => u === peer.u));
  const bases = domains.filter((domain) => isText(domain) && domain !== 'null').map((domain) => {
    const base = domain.includes('://') ? domain : `${isLocal(domain) ? 'http' : 'https'}://${domain}`;
    return base.replace(/\/+$/, '');
  });
  const rules = { appId, keys, now: Date.now(), timeout };
  const asked = bases.flatMap((base) => sourcesOf(base, dns).map((source) => judged(source, { ...rules, local: isLocal(base) })));
  const name = `pigeonhub-bootstrap-${appId}`;
  // Local addresses only if somebody is asked who may name such ones.
  const cacheRules = { ...rules, local: bases.some(isLocal) };
  const old = await recall(storage, name, cacheRules);
  const known = new Map(old.filter(({ code }) => !code).map(({ peer, checked, roundTrip, misses }) => [peer.u, { checked, roundTrip, misses }]));
  const found = sifted([...(await Promise.all(asked)).flat(), ...old], onrefused).map((one) => ({ ...one, ...known.get(one.peer.u) }));
  const best = once(found.map((one) => ({ ...one, u: one.peer.u })).sort(better(more.region))).slice(0, MOST);
  remember(storage, name, best);
  keepChecked(storage, name, cacheRules);
  const listed = getBootstrapPeers({ ...more, customPeers: [] });
  return once([...custom, ...parseBootstrapPeersFromEnv(), ...best.map(({ peer }) => peer), ...listed]);
}
