// A page with an app whose handlers throw, and call back into the client that calls them.

import { PigeonError, PigeonHub } from '/node_modules/pigeonhub-wasm/index.js';

let hub;
const heard = [];
const links = new Map();
const streams = new Map();

/** An app has mistakes. Browsers report them at `window`, once each. */
let mistakes = 0;
window.addEventListener('error', (event) => {
  mistakes += 1;
  event.preventDefault();
});

function fail() {
  throw new Error('a mistake of the app');
}

/** What a handler does when it is told this. */
const deeds = {
  throw: fail,
  reply: (link) => link.send('replied'),
  dial: async (link) => (await hub.dial(link.peerId)).send('dialled'),
  media: (link) => {
    link.addStream(streams.get(link.peerId));
    link.removeStream(streams.get(link.peerId));
    link.addStream(streams.get(link.peerId));
    link.send('has media');
  },
  data: () => hub.setData({ name: 'changed' }),
  listen: (link) => {
    link.addEventListener('message', fail);
    hub.addEventListener('peer', fail);
    dispatchEvent(new Event('online'));
  },
  hangup: (link) => {
    link.close();
    link.close();
    fail();
  },
  close: () => {
    hub.close();
    hub.close();
    fail();
  },
};

function take(link) {
  links.set(link.peerId, link);
  for (const type of ['statechange', 'track', 'close']) link.addEventListener(type, fail);
  link.addEventListener('message', ({ data }) => {
    heard.push(data);
    deeds[data]?.(link);
  });
}

/** Joins, and listens to everything with handlers that throw. */
export async function join(node, network) {
  hub = await PigeonHub.connect({ iceServers: [], network, nodes: [node] });
  hub.addEventListener('link', ({ link }) => {
    take(link);
    fail();
  });
  for (const type of ['peer', 'peergone', 'nodechange', 'path']) hub.addEventListener(type, fail);
  return hub.peerId;
}

export const knows = (peerId) => hub.peers.some((peer) => peer.peerId === peerId) || null;

export const dataOf = (peerId, name) => hub.peers.some((peer) => peer.peerId === peerId && peer.data.name === name) || null;

export async function prepare(peerId) {
  streams.set(peerId, await navigator.mediaDevices.getUserMedia({ audio: true }));
}

export async function dial(peerId) {
  take(await hub.dial(peerId));
}

export const send = (peerId, text) => links.get(peerId).send(text);

/** How often this was heard, once it was. */
export const hears = (text) => heard.filter((data) => data === text).length || null;

export const state = (peerId, wanted) => links.get(peerId)?.state === wanted || null;

export const made = () => mistakes;

/** The codes of what is done with nonsense in place of a stream, and whether it leaves half a link behind. */
export async function misuse(peerId, unlinked) {
  const detached = { getTracks: () => [{ kind: 'audio' }] };
  const codes = new Set();
  for (const nonsense of [{}, 'stream', 7, [], detached]) {
    for (const attempt of [
      () => hub.dial(unlinked, { stream: nonsense }),
      () => links.get(peerId).addStream(nonsense),
    ]) {
      try {
        await attempt();
        codes.add('none');
      } catch (error) {
        codes.add(error instanceof PigeonError ? error.code : String(error));
      }
    }
    links.get(peerId).removeStream(nonsense);
  }
  return { codes: [...codes], hasLink: Boolean(hub.link(unlinked)) };
}
