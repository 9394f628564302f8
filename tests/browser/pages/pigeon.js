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

/** Goes on a node, with a peer id of the caller's choice. */
export async function join(node, networkName, peerId) {
  mesh = new window.PeerPigeonMesh({ networkName, peerId });
  mesh.addEventListener('messageReceived', ({ from, content }) => messages.push({ from, content }));
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

export const leave = () => mesh.disconnect();
