// A page with the npm package `peerpigeon`, unchanged, as the browser tests drive it.

await new Promise((resolve, reject) => {
  const script = Object.assign(document.createElement('script'), {
    src: '/node_modules/peerpigeon/dist/peerpigeon-browser.js',
    onload: resolve,
    onerror: reject,
  });
  document.head.append(script);
});

let mesh;
const messages = [];
const said = [];

/** What goes to the node. */
const { send: say } = WebSocket.prototype;
WebSocket.prototype.send = function (text) {
  said.push(JSON.parse(text).type);
  say.call(this, text);
};

/** Goes on a node, with a peer id of the caller's choice. */
export async function join(node, networkName, peerId) {
  mesh = new window.PeerPigeonMesh({ networkName, peerId });
  mesh.addEventListener('messageReceived', ({ from, content }) => messages.push({ from, content }));
  mesh.addEventListener('remoteStream', ({ stream }) => {
    const video = document.querySelector('video') ?? document.createElement('video');
    document.body.append(Object.assign(video, { autoplay: true, muted: true, srcObject: stream }));
  });
  await mesh.init();
  await mesh.connect(node);
  return mesh.peerId;
}

export const isConnected = (peerId) =>
  mesh.getPeers().some((peer) => peer.peerId === peerId && peer.status === 'connected') || null;

export const send = async (text) => (await mesh.sendMessage(text)) ?? null;

/** A message that came, if it came. */
export const heard = (from, content) =>
  messages.find((message) => message.from === from && message.content === content) ?? null;

/** Sends camera and microphone to everybody, once their keys are known: without them it sends nothing. */
export async function sendMedia(peerId) {
  if (!mesh.cryptoManager.peerKeys.has(peerId)) return null;
  await mesh.startMedia({ video: true, audio: true });
  return true;
}

/** Shows what others send. */
export const allowMedia = () => mesh.enableStreamingForAllPeers();

/** Once some pictures were shown. */
export const sees = () => document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames > 10 || null;

/** From now on the data channel takes no signaling, as if it were full. */
export function refuseSignaling() {
  const { send } = RTCDataChannel.prototype;
  RTCDataChannel.prototype.send = function (data) {
    if (typeof data === 'string' && data.startsWith('{"type":"signaling"')) throw new DOMException('full', 'OperationError');
    send.call(this, data);
  };
}

/** How often something of this kind was said to the node. */
export const timesSaid = (type) => said.filter((other) => other === type).length;

export const leave = () => mesh.disconnect();
