// A page with the npm package, as the browser tests drive it: each export is one thing to ask of it.

import init, { PigeonError, PigeonHub } from '/node_modules/pigeonhub-wasm/index.js';
import { SignalDirectory } from '/node_modules/pigeonhub-wasm/directory.js';
import { canonical, holds, peerIdOf } from '/node_modules/pigeonhub-wasm/signed.js';
import { RawHub } from '/node_modules/pigeonhub-wasm/wasm/pigeonhub_wasm.js';

let hub;
const messages = [];
const links = new Map();
const own = new Map();
const told = [];
const toldAway = new Map();
const changes = [];
const linkStates = new Map();
const holding = { asked: null, release: undefined };

const print = async (data) =>
  typeof data === 'string' ? data : `${data.byteLength} bytes, SHA-256 ${await sha256(data)}`;

const sha256 = async (bytes) =>
  Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (b) => b.toString(16).padStart(2, '0')).join('');

function take(link) {
  links.set(link.peerId, link);
  const states = linkStates.get(link.peerId) ?? linkStates.set(link.peerId, []).get(link.peerId);
  link.addEventListener('statechange', ({ state }) => states.push(state));
  link.addEventListener('message', async ({ data }) => messages.push({ from: link.peerId, data: await print(data) }));
  link.addEventListener('track', ({ streams }) => {
    const video =
      document.getElementById(link.peerId) ??
      document.body.appendChild(Object.assign(document.createElement('video'), { id: link.peerId, autoplay: true, muted: true }));
    if (video.srcObject !== streams[0]) video.srcObject = streams[0];
  });
}

/** Joins; its peer id. There is no internet here, so no STUN server is asked. */
export async function join(options) {
  await init();
  hub = await PigeonHub.connect({ iceServers: [], ...options });
  hub.addEventListener('link', ({ link }) => take(link));
  hub.addEventListener('peer', ({ peerId, away }) => {
    told.push(peerId);
    toldAway.set(peerId, away);
  });
  hub.addEventListener('nodechange', ({ state }) => changes.push(state));
  return hub.peerId;
}

/** What a peer says of itself, once it is there. */
export const data = (peerId) => hub.peers.find((peer) => peer.peerId === peerId)?.data;

/** Whether a peer is verified, once it is there. */
export const verified = (peerId) => hub.peers.find((peer) => peer.peerId === peerId)?.verified;

export const linkVerified = (peerId) => links.get(peerId).verified;

export const exportKey = () => hub.exportKey();

export const publicKey = () => hub.publicKey;

/** The names of the vectors that do not come out as they should. */
export async function wrongVectors({ seed, publicKey, peerId, proofs }, node) {
  const raw = await RawHub.open({ network: 'elsewhere', nodes: [node, ''], data: '{}', key: seed, persist: false, requireVerified: false, sessions: 1, iceServers: [] });
  const wrong = [];
  for (const { name, claim, statement, proof } of proofs) {
    const text = `pigeonhub-peer-v1\n${canonical(claim)}`;
    const isHeld = await holds(text, proof.key, proof.signature);
    const isForged = await holds(`${text} `, proof.key, proof.signature);
    const isRight = text === statement && isHeld === true && isForged === false && (await peerIdOf(publicKey)) === peerId;
    if (!isRight || (await raw.sign(statement)) !== proof.signature) wrong.push(name);
  }
  raw.close();
  return wrong;
}

export const publish = (topic, data, options) => hub.publish(topic, data, options);

export const unpublish = (topic, salt) => hub.unpublish(topic, { salt });

export const find = (topic) => hub.find(topic);

const watching = [];

/** Watches a topic until the hub is closed. */
export function watch(topic) {
  (async () => {
    for await (const event of hub.watch(topic)) watching.push(event);
  })();
}

/** What a watcher was told of this text, once it was. */
export const watched = (type, text) =>
  watching.find((event) => event.type === type && event.record.data.text === text)?.record;

export const timesWatched = () =>
  watching.map(({ type, record }) => `${type} ${record.data.text}`).reduce((times, word) => ({ ...times, [word]: (times[word] ?? 0) + 1 }), {});

/** The texts of a topic, as found through a node that alters this one. */
export async function findAltered(topic, text) {
  const { fetch } = window;
  window.fetch = async (...args) => {
    const answer = await (await fetch(...args)).text();
    return new Response(answer.replace(text, `${text}!`));
  };
  try {
    return (await hub.find(topic)).map(({ data }) => data.text);
  } finally {
    window.fetch = fetch;
  }
}

export const publishSignal = (endpoint) => new SignalDirectory(hub).publish(endpoint);

/** The URLs of an app's endpoints, as somebody without a hub finds them at this page's nodes. */
export const findSignals = async (wanted) =>
  (await new SignalDirectory(hub.nodes).find(wanted)).flatMap(({ urls }) => urls.map(({ u }) => u));

/** Camera and microphone for a peer: the same each time. */
async function stream(peerId) {
  if (!own.has(peerId)) own.set(peerId, await navigator.mediaDevices.getUserMedia({ audio: true, video: true }));
  return own.get(peerId);
}

/** Dials; done when connected. */
export const dial = async (peerId, withMedia) =>
  take(await hub.dial(peerId, { stream: withMedia ? await stream(peerId) : undefined }));

/** Dials and does not wait. */
export function begin(peerId) {
  hub.dial(peerId).then(take, () => {});
}

/** Sends camera and microphone from now on. */
export const sendMedia = async (peerId) => links.get(peerId).addStream(await stream(peerId));

/** Sends them no more. */
export const stopMedia = async (peerId) => links.get(peerId).removeStream(await stream(peerId));

/** Once so many tracks of a peer are there, and pictures where there are tracks. */
export function shows(peerId, tracks) {
  const video = document.getElementById(peerId);
  const there = video.srcObject.getTracks().length;
  return (there === tracks && (tracks === 0 || video.getVideoPlaybackQuality().totalVideoFrames > 0)) || null;
}

export const send = (peerId, text) => links.get(peerId).send(text);

/** Sends this many bytes; what the other side is to print of them. */
export async function sendBytes(peerId, length) {
  const bytes = new Uint8Array(length);
  for (let start = 0; start < length; start += 65536) crypto.getRandomValues(bytes.subarray(start, start + 65536));
  const printed = await print(bytes.buffer);
  await links.get(peerId).send(bytes);
  return printed;
}

/** A message that came, if it came. */
export const heard = (peerId, data) => messages.find((message) => message.from === peerId && message.data === data);

export const state = (peerId) => links.get(peerId)?.state;

/** Every state that the links with a peer were in since they were there, in order. */
export const statesOf = (peerId) => linkStates.get(peerId);

/** Once the link with a peer is in this state. */
export const isIn = (peerId, state) => links.get(peerId)?.state === state || null;

/** What this side calls itself in ICE: another name after each restart. */
export const iceName = async (peerId) =>
  [...(await links.get(peerId).stats()).values()].find(({ type }) => type === 'transport').iceLocalUsernameFragment;

/** How many video frames of a peer were decoded, and how many bytes of its audio came. */
export async function media(peerId) {
  let frames = 0, audio = 0;
  for (const report of (await links.get(peerId)?.stats())?.values() ?? []) {
    if (report.type !== 'inbound-rtp') continue;
    if (report.kind === 'video') frames += report.framesDecoded ?? 0;
    if (report.kind === 'audio') audio += report.bytesReceived ?? 0;
  }
  return { frames, audio };
}

export const nodes = () => hub.nodes;

export const removeNode = (url) => hub.removeNode(url);

/** How many nodes this page is on, once it is on so many. */
export const isOn = (count) => (hub.nodes.filter((node) => node.state === 'open').length === count ? count : null);

/** Once a peer is away or is not, as the last event of it says and the list of peers. */
export const isAway = (peerId, away) =>
  (toldAway.get(peerId) === away && hub.peers.find((peer) => peer.peerId === peerId)?.away === away) || null;

/** What browsers tell pages of their comings and goings. */
const lifecycle = {
  online: () => window.dispatchEvent(new Event('online')),
  pageshow: () => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
  pagehide: () => window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })),
  freeze: () => document.dispatchEvent(new Event('freeze')),
  resume: () => document.dispatchEvent(new Event('resume')),
  visible: () => becomes('visible'),
  hidden: () => becomes('hidden'),
};

function becomes(visibilityState) {
  Object.defineProperty(document, 'visibilityState', { value: visibilityState, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
  delete document.visibilityState;
}

/** Dispatches one of these; what the client said at once, and the state of its node before and after. */
export function dispatch(what) {
  const { send } = WebSocket.prototype;
  const said = [];
  WebSocket.prototype.send = function (text) {
    said.push(JSON.parse(text).type);
    send.call(this, text);
  };
  const [before] = hub.nodes;
  lifecycle[what]();
  const [after] = hub.nodes;
  WebSocket.prototype.send = send;
  return { said, before: before.state, after: after.state };
}

/** From now on no answer is made until `answer` is called. */
export function holdAnswers() {
  const make = RTCPeerConnection.prototype.createAnswer;
  const held = new Promise((release) => (holding.release = release));
  RTCPeerConnection.prototype.createAnswer = async function (...args) {
    holding.asked = true;
    await held;
    return make.apply(this, args);
  };
}

/** Once an offer came and waits for its answer. */
export const isAsked = () => holding.asked;

export const answer = () => holding.release();

/** Once the first node is reached like this. */
export const reached = (transport) =>
  hub.nodes.some((node) => node.state === 'open' && node.transport === transport) || null;

/** How often this page was told of each peer. */
export const timesTold = () => told.reduce((times, id) => ({ ...times, [id]: (times[id] ?? 0) + 1 }), {});

/** Every state that a node was in, in order. */
export const nodeStates = () => changes;

/** The error that an attempt ends with. */
export async function failure(attempt, ...args) {
  const attempts = {
    connect: (options) => PigeonHub.connect({ iceServers: [], ...options }),
    dial: (peerId) => hub.dial(peerId),
    send: (peerId, data) => links.get(peerId).send(data),
  };
  try {
    await attempts[attempt](...args);
  } catch (error) {
    const { code, message } = error;
    return { code, message, typed: error instanceof PigeonError && error instanceof Error };
  }
}

export const close = () => hub.close();

/** A chat message of a PeerPigeon peer that came, if it came. */
export const heardGossip = (peerId, content) =>
  messages.find(({ from, data }) => from === peerId && data.startsWith('{') && JSON.parse(data).content === content);
