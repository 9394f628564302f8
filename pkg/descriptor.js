// What says where a node is: its form, and how far it is trusted. The rules are those of the crate
// `bootstrap`; a test holds the two against each other.

import { canonical, holds } from './signed.js';

const SCHEMES = ['ws', 'wss', 'http', 'https'];
export const REGIONS = ['us-east', 'us-west', 'eu-west', 'asia-pacific', 'global', 'local', 'custom'];
const AUTHORITY = /^[A-Za-z0-9._:[\]-]{1,256}$/;
const LOCAL_NAME = /^[^.]*$|\.(localhost|local|internal|test|home\.arpa)\.?$/i;
const LOCAL_ADDRESS = /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)|^0\.0\.0\.0$/;
const LOCAL_V6 = /^\[(::1?\]|f[cd]|fe[89ab])/i;
const SKEW = 10 * 60 * 1000;
const LIFETIME = 30 * 24 * 60 * 60;
const DOMAIN = 'pigeonhub-bootstrap-descriptor-v1\n';

export const isText = (value) => typeof value === 'string';
export const isCount = (value) => value === undefined || (Number.isSafeInteger(value) && value >= 0);
const isShort = (value) => value === undefined || (isText(value) && value.length <= 500);

/** The host of a URL, without its port. */
export const hostOf = (url) => /^\[[^\]]*\]|^[^:]*/.exec(url.split('://')[1] ?? url)[0];

export const isLocal = (url) => {
  const host = hostOf(url);
  if (/^[\d.]+$/.test(host)) return LOCAL_ADDRESS.test(host);
  return host.startsWith('[') ? LOCAL_V6.test(host) : LOCAL_NAME.test(host);
};

/** What is wrong with a descriptor; nothing if it is fine. */
export const fault = (peer) => {
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
export const at = (url) => {
  const u = String(url).trim().replace(/\/+$/, '');
  return { t: u.split('://')[0], u };
};

/** Why what was signed then, for so many seconds, does not hold now; nothing if it does. */
export const outOfTime = (timestamp, expires, now) => {
  if (timestamp > now + SKEW) return 'future';
  return now > timestamp + expires * 1000 ? 'expired' : undefined;
};

/**
 * How far a descriptor is trusted: `rank` (0 is best) and, if its signature holds, the `time` of it. Or the
 * `code` of why it is refused. `vouched`: a trusted key signed a list with it.
 */
export const judge = async (peer, { keys, local, now, vouched }) => {
  if (fault(peer) || (isLocal(peer.u) ? !local : peer.t === 'ws' || peer.t === 'http')) return { code: 'invalid' };
  const unproven = { rank: vouched ? 0 : 2 };
  if (peer.signature === undefined) return unproven;
  const { signature, ...words } = peer;
  const signed = await holds(DOMAIN + canonical(words), peer.publicKey, signature);
  const code = signed === false ? 'forged' : outOfTime(peer.timestamp, peer.expires ?? LIFETIME, now);
  if (code) return { code };
  return signed ? { rank: vouched || keys.includes(peer.publicKey) ? 0 : 1, time: peer.timestamp } : unproven;
};
