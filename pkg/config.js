// Where nodes are: what an app names, the built-in list, and what domains say of their nodes.
// Plain JavaScript, so it works before the WebAssembly module is loaded, and in Node.js. The rules are
// those of the crate `bootstrap`; a test holds the two against each other.

import { canonical, holds } from './signed.js';
import builtIn from './wasm/built_in.js';

const SCHEMES = ['ws', 'wss', 'http', 'https'];
const REGIONS = ['us-east', 'us-west', 'eu-west', 'asia-pacific', 'global', 'local', 'custom'];
const AUTHORITY = /^[A-Za-z0-9._:[\]-]{1,256}$/;
const LOCAL_NAME = /^[^.]*$|\.(localhost|local|internal|test|home\.arpa)\.?$/i;
const LOCAL_ADDRESS = /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)|^0\.0\.0\.0$/;
const LOCAL_V6 = /^\[(::1?\]|f[cd]|fe[89ab])/i;
const NO_PRIORITY = 99;
const MOST = 50;
const MOST_READ = 256;
const MOST_BYTES = 256 * 1024;
const KEEP = 24 * 60 * 60 * 1000;
const SKEW = 10 * 60 * 1000;
const LIFETIME = 30 * 24 * 60 * 60;
const DOMAIN = 'pigeonhub-bootstrap-descriptor-v1\n';

const isText = (value) => typeof value === 'string';
const isCount = (value) => value === undefined || (Number.isSafeInteger(value) && value >= 0);
const isShort = (value) => value === undefined || (isText(value) && value.length <= 500);

/** The host of a URL, without its port. */
const hostOf = (url) => /^\[[^\]]*\]|^[^:]*/.exec(url.split('://')[1] ?? url)[0];

const isLocal = (url) => {
  const host = hostOf(url);
  if (/^[\d.]+$/.test(host)) return LOCAL_ADDRESS.test(host);
  return host.startsWith('[') ? LOCAL_V6.test(host) : LOCAL_NAME.test(host);
};

/** What is wrong with a descriptor; nothing if it is fine. */
const fault = (peer) => {
  if (!isText(peer?.t) || !isText(peer.u)) return 'it is no object with texts `t` and `u`';
  const [scheme, authority] = peer.u.split('://');
  if (!SCHEMES.includes(peer.t) || scheme !== peer.t) return '`t` must be ws, wss, http or https, and the scheme of `u`';
  if (!AUTHORITY.test(authority?.replace(/\/+$/, ''))) return '`u` must be of the form wss://host or wss://host:port';
  if (peer.region !== undefined && !REGIONS.includes(peer.region)) return `\`region\` must be one of ${REGIONS.join(', ')}`;
  if (![peer.priority, peer.timestamp, peer.expires].every(isCount)) return 'priority, timestamp and expires must be whole numbers';
  if (!isShort(peer.description) || !isShort(peer.maintainer)) return 'description and maintainer must be short texts';
  if (Object.values(peer).includes(null) || canonical(peer).length > 4096) return 'a field is null, or it is too long';
  if (peer.signature !== undefined && !(isText(peer.signature) && isText(peer.publicKey) && peer.timestamp !== undefined)) {
    return 'a signature needs `publicKey` and `timestamp`';
  }
  return undefined;
};

/** The descriptor of a URL. */
const at = (url) => {
  const u = String(url).trim().replace(/\/+$/, '');
  return { t: u.split('://')[0], u };
};

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

/** Whether what was signed then, for so many seconds, holds now. */
const isInTime = (timestamp, expires, now) => timestamp <= now + SKEW && now <= timestamp + expires * 1000;

/** How far a descriptor is trusted (0 is best), or undefined if it is refused. `vouched`: a trusted key signed a list with it. */
const trust = async (peer, { keys, local, now, vouched }) => {
  if (fault(peer) || (isLocal(peer.u) ? !local : peer.t === 'ws' || peer.t === 'http')) return undefined;
  if (vouched) return 0;
  if (peer.signature === undefined) return 2;
  if (!isInTime(peer.timestamp, peer.expires ?? LIFETIME, now)) return undefined;
  const { signature, ...words } = peer;
  const signed = await holds(DOMAIN + canonical(words), peer.publicKey, signature);
  if (signed === undefined) return 2;
  if (!signed) return undefined;
  return keys.includes(peer.publicKey) ? 0 : 1;
};

const read = async (url, options, timeout) => {
  const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(timeout), credentials: 'omit' });
  const text = answer.ok ? await answer.text() : '';
  return text.length <= MOST_BYTES ? JSON.parse(text) : {};
};

/** What a document says: descriptors with a signature each, or a seed bundle, with one for all. Whose that is only `keys` tell. */
const inDocument = async (document, { appId, keys, now }) => {
  const { sig, ...words } = document;
  const { v, app, peers, seeds, ts, expires, pk } = words;
  if (app !== appId || !Array.isArray(seeds)) return { peers: app === appId && Array.isArray(peers) ? peers : [] };
  const isBundle = v === 1 && [ts, expires].every(Number.isSafeInteger) && isInTime(ts, expires, now);
  const isSigned = isBundle && (await holds(canonical(words), pk, sig));
  return isSigned === false ? { peers: [] } : { peers: seeds, vouched: isSigned && keys.includes(pk) };
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

/** TXT records by DNS over HTTPS, in the JSON form of Cloudflare and Google: a node each, or a document. */
const fromDns = async (base, rules) => {
  const query = `name=_pigeonhub-bootstrap.${hostOf(base)}&type=TXT`;
  const { Answer = [] } = await read(`${rules.dns}?${query}`, { headers: { accept: 'application/dns-json' } }, rules.timeout);
  const records = Answer.filter(({ type }) => type === 16).map(({ data }) => fromRecord(String(data)));
  return Promise.all(records.map((one) => (one?.peers || one?.seeds ? inDocument(one, rules) : { peers: [one] })));
};

/** What a source says, and how far each is trusted: nothing if it is silent, or talks nonsense. */
const judged = async (source, rules) => {
  try {
    const peers = (await source).flatMap(({ peers, vouched }) => peers.map((peer) => ({ peer, vouched })));
    const judge = async ({ peer, vouched }) => ({ peer, seen: rules.now, rank: await trust(peer, { ...rules, vouched }) });
    return await Promise.all(peers.slice(0, MOST_READ).map(judge));
  } catch {
    return [];
  }
};

/** What was found before: each with the time when. */
const remembered = (storage, name, now) => {
  try {
    const kept = JSON.parse(storage.getItem(name));
    return kept.slice(0, MOST).filter(({ seen }) => seen <= now && now - seen < KEEP);
  } catch {
    return [];
  }
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
  const { domains = [globalThis.location?.origin], dns, keys = [], timeout = 3000, storage = storageOf(), ...more } = options;
  const now = Date.now();
  const bases = domains.filter((domain) => isText(domain) && domain !== 'null').map((domain) => {
    const base = domain.includes('://') ? domain : `${isLocal(domain) ? 'http' : 'https'}://${domain}`;
    return base.replace(/\/+$/, '');
  });
  const asked = bases.flatMap((base) => {
    const rules = { appId, dns, keys, now, timeout, local: isLocal(base) };
    const lots = DOCUMENTS.map(async (path) => [await inDocument(await read(base + path, {}, timeout), rules)]);
    return [...lots, ...(dns ? [fromDns(base, rules)] : [])].map((source) => judged(source, rules));
  });
  const name = `pigeonhub-bootstrap-${appId}`;
  const old = await Promise.all(remembered(storage, name, now).map(async ({ peer, seen }) => {
    return { peer, seen, rank: await trust(peer, { keys, local: true, now }) };
  }));
  const found = [...(await Promise.all(asked)).flat(), ...old].filter(({ rank }) => rank !== undefined);
  // Of what one key says of one URL the newest counts.
  const newest = new Map();
  const title = ({ peer }) => `${peer.publicKey} ${peer.u}`;
  for (const one of found) newest.set(title(one), Math.max(newest.get(title(one)) ?? 0, one.peer.timestamp ?? 0));
  const far = ({ peer }) => Number(more.region != null && peer.region !== more.region);
  const ranked = found
    .filter((one) => (one.peer.timestamp ?? 0) >= newest.get(title(one)))
    .sort((a, b) => a.rank - b.rank || byPriority(a.peer, b.peer) || far(a) - far(b));
  const kept = once(ranked.map(({ peer, seen }) => ({ u: peer.u, peer, seen }))).slice(0, MOST);
  try {
    storage?.setItem(name, JSON.stringify(kept.map(({ peer, seen }) => ({ peer, seen }))));
  } catch {
    // Full or forbidden: it is asked for again next time.
  }
  const custom = getBootstrapPeers({ ...more, environment: 'local' }).filter((peer) => !builtIn.local.some(({ u }) => u === peer.u));
  return once([...custom, ...parseBootstrapPeersFromEnv(), ...kept.map(({ peer }) => peer), ...getBootstrapPeers({ ...more, customPeers: [] })]);
}
