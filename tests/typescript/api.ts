// The whole API of pigeonhub-wasm as an app in TypeScript uses it. Never run, only checked:
// tsc --project tests/typescript

import init, { PigeonError, PigeonHub, PeerLink } from 'pigeonhub-wasm';
import type {
  ConnectOptions,
  HubNode,
  Json,
  LinkState,
  NodeEntry,
  NodeState,
  Peer,
  PigeonErrorCode,
  PublishedRecord,
  Receipt,
  RecordEvent,
  Transport,
} from 'pigeonhub-wasm';

import { discoverBootstrapPeers, getBootstrapPeers, parseBootstrapPeersFromEnv } from 'pigeonhub-wasm/config';
import type { BootstrapPeer, Refusal } from 'pigeonhub-wasm/config';

import { SignalDirectory, signalTopic } from 'pigeonhub-wasm/directory';
import type { SignalEndpoint } from 'pigeonhub-wasm/directory';

// The main entry has the parts too.
import * as all from 'pigeonhub-wasm';

/** Compiles only if `value` is of this very type. */
function expect<Expected>(_value: Expected): void {}

async function loading(module: WebAssembly.Module): Promise<void> {
  expect<Promise<void>>(init());
  await init('https://cdn.example/pigeonhub_wasm_bg.wasm');
  await init(new URL('https://cdn.example/pigeonhub_wasm_bg.wasm'));
  await init(fetch('https://cdn.example/pigeonhub_wasm_bg.wasm'));
  await init(module);
}

async function finding(): Promise<PigeonHub> {
  const customPeers = [...parseBootstrapPeersFromEnv('wss://a.example'), 'wss://b.example'];
  expect<BootstrapPeer[]>(getBootstrapPeers({ environment: 'production', region: 'eu-west', customPeers, includeLocal: true }));
  // @ts-expect-error There is no such region.
  getBootstrapPeers({ region: 'mars' });
  const found = await discoverBootstrapPeers('my-app', { domains: ['example.org'], dns: 'https://dns.example', timeout: 500, customPeers });
  expect<number | undefined>(found[0]?.priority);
  const refused: Refusal[] = [];
  expect<BootstrapPeer[]>(await discoverBootstrapPeers('my-app', { onrefused: (refusal) => refused.push(refusal), storage: null }));
  expect<number>(refused.filter(({ code, source }) => code === 'forged' && source !== 'cache').length);
  // @ts-expect-error Nothing is refused for this.
  refused.filter(({ code }) => code === 'ugly');
  expect<typeof getBootstrapPeers>(all.getBootstrapPeers);
  expect<typeof parseBootstrapPeersFromEnv>(all.parseBootstrapPeersFromEnv);
  expect<typeof discoverBootstrapPeers>(all.discoverBootstrapPeers);
  await PigeonHub.connect({ discover: true });
  await PigeonHub.connect({ nodes: ['wss://a.example'], discover: 'example.org' });
  await PigeonHub.connect({ discover: { appId: 'my-app', domains: ['example.org'], timeout: 500, onrefused: ({ code }) => expect<string>(code) } });
  // @ts-expect-error Domains are a list.
  await PigeonHub.connect({ discover: { domains: 'example.org' } });
  return PigeonHub.connect({ nodes: found.map((peer) => peer.u) });
}

async function hub(): Promise<PigeonHub> {
  const options: ConnectOptions = {
    network: 'lobby',
    nodes: ['wss://a.example', 'https://b.example', { url: 'https://c.example', transport: 'http' }],
    data: { name: 'Alice', capabilities: ['video'], age: undefined },
    peerId: '0123456789abcdef0123456789abcdef01234567',
    persist: true,
    sessions: 2,
    iceServers: [{ urls: 'turn:turn.example', username: 'u', credential: 'c' }],
    signal: AbortSignal.timeout(5000),
  };
  await PigeonHub.connect({ nodes: ['wss://a.example'] });
  const hub = await PigeonHub.connect(options);
  const key = hub.exportKey();
  await PigeonHub.connect({ nodes: ['wss://a.example'], requireVerified: true, ...(key === undefined ? {} : { key }) });

  expect<string>(hub.peerId);
  expect<string | undefined>(hub.publicKey);
  expect<Peer[]>(hub.peers);
  expect<HubNode[]>(hub.nodes);
  hub.setData({ name: 'Alice', busy: true });
  hub.addNode('wss://c.example');
  hub.addNode({ url: 'https://d.example' });
  expect<Transport | undefined>(hub.nodes[0]?.transport);
  const entry: NodeEntry = { url: 'https://e.example', transport: 'websocket' };
  hub.addNode(entry);
  hub.removeNode('wss://a.example');

  // @ts-expect-error: hubs come from connect()
  new PigeonHub();
  // @ts-expect-error: there is no such transport
  hub.addNode({ url: 'https://f.example', transport: 'pigeon' });
  // @ts-expect-error: a profile is a JSON object
  hub.setData('Alice');
  // @ts-expect-error: it cannot be changed
  hub.peerId = '';
  return hub;
}

function events(hub: PigeonHub): void {
  hub.addEventListener('peer', (event) => {
    expect<string>(event.peerId);
    expect<string>(event.nodeId);
    expect<boolean>(event.verified);
    expect<boolean>(event.away);
    expect<Json | undefined>(event.data['name']);
    expect<Peer>(event.detail);
  });
  hub.addEventListener('peergone', ({ peerId }) => expect<string>(peerId), { once: true });
  hub.addEventListener('link', (event) => expect<PeerLink>(event.link));
  hub.addEventListener('nodechange', ({ url, nodeId, state }) => {
    expect<string>(url);
    expect<string | undefined>(nodeId);
    expect<NodeState>(state);
  });
  hub.addEventListener('path', ({ peerId, via }) => {
    expect<string>(peerId);
    expect<string | undefined>(via);
  });
  hub.addEventListener('error', {
    handleEvent: ({ error }) => expect<PigeonErrorCode>(error.code),
  });
  const onPeer = function (this: PigeonHub): void {
    expect<PigeonHub>(this);
  };
  hub.addEventListener('peer', onPeer);
  hub.removeEventListener('peer', onPeer);

  // @ts-expect-error: a peer has no such field
  hub.addEventListener('peer', (event) => event.profile);
}

async function link(hub: PigeonHub, peerId: string, stream: MediaStream): Promise<void> {
  const link = await hub.dial(peerId, { stream, timeout: 10_000 });
  expect<PeerLink>(await hub.dial(peerId));
  expect<PeerLink | undefined>(hub.link(peerId));
  expect<string>(link.peerId);
  expect<boolean>(link.verified);
  expect<LinkState>(link.state);

  await link.send('hi');
  await link.send(new ArrayBuffer(8));
  await link.send(new Float32Array(8));
  await link.send(new Blob(['hi']));
  link.addStream(stream);
  link.removeStream(stream);
  expect<RTCStatsReport>(await link.stats());

  link.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') expect<string>(data);
    else expect<ArrayBuffer>(data);
  });
  link.addEventListener('track', ({ track, streams }) => {
    expect<MediaStreamTrack>(track);
    expect<MediaStream | undefined>(streams[0]);
  });
  link.addEventListener('statechange', ({ state }) => expect<LinkState>(state));
  link.addEventListener('close', ({ state }) => expect<'closed' | 'failed'>(state));
  link.addEventListener('error', ({ error }) => expect<string>(error.message));
  link.close();

  // @ts-expect-error: links come from dial() and the event "link"
  new PeerLink();
  // @ts-expect-error: a message is text, bytes or a blob
  await link.send({ text: 'hi' });
}

async function records(hub: PigeonHub): Promise<void> {
  expect<Receipt>(await hub.publish('topic', { any: 'json' }, { ttl: 300 }));
  await hub.publish('topic', [1, 'two', null]);
  expect<PublishedRecord[]>(await hub.find('topic'));
  const [found] = await hub.find<{ any: string }>('topic');
  expect<string | undefined>(found?.data.any);
  expect<boolean | undefined>(found?.verified);
  expect<string | undefined>(found?.peerId);
  await hub.publish('topic', 1, { salt: 'one', w: 'majority' });
  await hub.unpublish('topic', { salt: 'one' });
  for await (const event of hub.watch<{ any: string }>('topic', { signal: AbortSignal.timeout(500) })) {
    expect<RecordEvent<{ any: string }>>(event);
    expect<string>(event.record.data.any);
  }

  // @ts-expect-error: a record is JSON
  await hub.publish('topic', () => 'no JSON');
}

async function directory(hub: PigeonHub): Promise<void> {
  expect<typeof SignalDirectory>(all.SignalDirectory);
  const directory = new SignalDirectory(hub);
  expect<string>(await signalTopic('my-app', 'eu-west'));
  await directory.publish({ appId: 'my-app', region: 'eu-west', urls: 'wss://a.example', priority: 1 });
  expect<SignalEndpoint[]>(await new SignalDirectory(['wss://a.example']).find({ appId: 'my-app' }));
  await directory.unpublish({ appId: 'my-app' });

  // @ts-expect-error: an endpoint is somewhere
  await directory.publish({ appId: 'my-app' });
}

async function errors(hub: PigeonHub): Promise<void> {
  try {
    await hub.dial('nobody');
  } catch (error) {
    if (!(error instanceof PigeonError)) throw error;
    switch (error.code) {
      case 'peer-unavailable':
      case 'no-answer':
      case 'no-path':
        return;
      default:
        expect<PigeonErrorCode>(error.code);
    }
  } finally {
    hub.close();
  }
}

export { directory, errors, events, hub, link, loading, records };
