// SignalDirectory: where an app's signaling endpoints are. Records under topics that are made of the app's
// name and a region, so that whoever knows the app finds them at any node. Read by region, best first.

import { PigeonError, PigeonHub } from './index.js';
import { find } from './records.js';
import { sha1 } from './signed.js';

const KIND = 'signal';
const TTL = 600;
const MOST = 32;
const MOST_URLS = 8;
const NO_PRIORITY = 99;
const PROTOCOLS = { ws: ['ws:', 'wss:'], http: ['http:', 'https:'] };

/** The topic of an app's endpoints, everywhere or in a region. */
export const signalTopic = (appId, region) => sha1(`signal:${appId}${region === undefined ? '' : `:region:${region}`}`);

const isUrl = ({ t, u }) => typeof u === 'string' && URL.canParse(u) && Boolean(PROTOCOLS[t]?.includes(new URL(u).protocol));

const entryOf = (url) => {
  const text = String(url?.u ?? url);
  const entry = { t: text.startsWith('ws') ? 'ws' : 'http', u: text };
  if (!isUrl(entry)) throw new PigeonError('invalid-url', `${text}: an endpoint's URL starts with ws, wss, http or https`);
  return entry;
};

/** What a record says of an endpoint, if it is one. */
const endpointOf = ({ data, peerId, seq, timestamp, ttl, expiresAt, verified }) => {
  const { kind, urls, caps = [], region, priority } = Object(data);
  if (!verified || kind !== KIND || !Array.isArray(urls) || !Array.isArray(caps)) return undefined;
  const usable = urls.slice(0, MOST_URLS).filter((url) => url && isUrl(url)).map(({ t, u }) => ({ t, u }));
  if (usable.length === 0) return undefined;
  return { id: peerId, urls: usable, caps, region, priority, seq, ts: timestamp, ttl, expiresAt };
};

/** The directory, asked at a hub's nodes or at those that are given. Only a hub with a key publishes. */
export class SignalDirectory {
  #hub;
  #nodes;

  constructor(source) {
    if (source instanceof PigeonHub) this.#hub = source;
    else this.#nodes = [source ?? []].flat().map((node) => String(node?.url ?? node?.u ?? node));
  }

  /** Says where an endpoint of an app is, for `ttl` seconds. */
  async publish({ appId, region, urls, caps, priority, ttl = TTL }) {
    if (!this.#hub?.publicKey) throw new PigeonError('no-identity', 'an endpoint is published by a hub that has a key');
    if (!appId) throw new PigeonError('invalid-options', 'appId is missing');
    const entries = [urls ?? []].flat().map(entryOf);
    if (entries.length === 0 || entries.length > MOST_URLS) {
      throw new PigeonError('invalid-options', `an endpoint has one to ${MOST_URLS} URLs`);
    }
    const data = { kind: KIND, urls: entries, caps, region, priority };
    // Found without its region as well.
    const topics = await this.#topics(appId, region);
    const receipts = topics.map((topic) => this.#hub.publish(topic, data, { ttl, salt: KIND }));
    return (await Promise.all(receipts))[0];
  }

  /** Takes it back. */
  async unpublish({ appId, region }) {
    const topics = await this.#topics(appId, region);
    await Promise.all(topics.map((topic) => this.#hub?.unpublish(topic, { salt: KIND })));
  }

  /** The endpoints of an app, best first: those of the region, then by priority, then the freshest. */
  async find({ appId, region, limit = MOST }) {
    const topics = await this.#topics(appId, region);
    const answers = await Promise.all(topics.map((topic) => this.#find(topic)));
    const newest = new Map();
    for (const endpoint of answers.flat().map(endpointOf)) {
      if (endpoint && !(newest.get(endpoint.id)?.seq > endpoint.seq)) newest.set(endpoint.id, endpoint);
    }
    const far = (endpoint) => Number(region !== undefined && endpoint.region !== region);
    const rank = ({ priority }) => (Number.isFinite(priority) ? priority : NO_PRIORITY);
    return [...newest.values()]
      .sort((a, b) => far(a) - far(b) || rank(a) - rank(b) || b.ts - a.ts)
      .slice(0, limit);
  }

  #find(topic) {
    return this.#hub ? this.#hub.find(topic) : find(this.#nodes, topic);
  }

  #topics(appId, region) {
    const regions = region === undefined ? [undefined] : [undefined, region];
    return Promise.all(regions.map((region) => signalTopic(appId, region)));
  }
}
