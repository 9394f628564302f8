// Types of pigeonhub-wasm. Every error that a promise rejects with, or a call throws, is a
// PigeonError (or the reason of your own AbortSignal).

import type { DiscoverOptions } from './config.js';

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What peers are told about each other: a JSON object of at most 16 KiB. */
export type Profile = { readonly [key: string]: Json | undefined };

/**
 * Loads the WebAssembly module, once, however often it is called. `PigeonHub.connect` does it by
 * itself. `input` is where the module is, for setups that do not find it beside this package.
 */
export default function init(
  input?: string | URL | Request | Response | Promise<Response> | BufferSource | WebAssembly.Module,
): Promise<void>;

export type PigeonErrorCode =
  /** The module could not be loaded. */
  | 'load-failed'
  /** What was asked for is not valid. */
  | 'invalid-options'
  | 'invalid-network'
  | 'invalid-url'
  | 'invalid-peer-id'
  | 'invalid-profile'
  | 'invalid-ice-servers'
  | 'invalid-key'
  | 'invalid-message'
  | 'invalid-stream'
  | 'invalid-request'
  | 'target-self'
  /** This browser (or frame) has no WebRTC. */
  | 'no-webrtc'
  /** This peer has no key: its id was given, the page came over plain HTTP, or the browser has no Ed25519. */
  | 'no-identity'
  /** No node could be reached. */
  | 'no-node'
  /** No node knows the peer. */
  | 'peer-unavailable'
  /** The peer did not answer in time. */
  | 'no-answer'
  /** No network path to the peer was found; a TURN server in `iceServers` may help. */
  | 'no-path'
  /** A browser refused the other's session description. */
  | 'negotiation-failed'
  /** The `timeout` of `dial` passed. */
  | 'timeout'
  /** The hub or link is closed. */
  | 'closed'
  /** More than 64 MiB in one message. */
  | 'message-too-large'
  /** 128 MiB wait for one link: await `send`. */
  | 'buffer-full'
  | 'send-failed'
  | 'no-stats'
  /** Records: not signed by their publisher; over, or from the future; replaced by a newer one already. */
  | 'signature-invalid'
  | 'record-expired'
  | 'record-stale'
  /** Records: as many as there may be; kept, but by fewer nodes than `w` asks for. */
  | 'quota-exceeded'
  | 'not-replicated'
  /** Codes that nodes answer; later versions may have more. */
  | (string & {});

/** Something that was asked for was not done. */
export declare class PigeonError extends Error {
  constructor(code: PigeonErrorCode, message?: string, options?: ErrorOptions);
  readonly name: 'PigeonError';
  /** For programs; `message` is for people. */
  readonly code: PigeonErrorCode;
}

/** An event whose fields are on the event itself, and together in `detail`. */
export declare class PigeonEvent<Detail extends object = object> extends Event {
  constructor(type: string, detail?: Detail);
  readonly detail: Detail;
}

type EventOf<Detail extends object> = PigeonEvent<Detail> & Readonly<Detail>;

/** A peer of the network. */
export interface Peer<Data extends Profile = Profile> {
  readonly peerId: string;
  /** What it says of itself. */
  readonly data: Data;
  /** Whether it proved its id: what it says of itself is signed with the key that its id is made of. */
  readonly verified: boolean;
  /** Whether its page is frozen (in the background of a phone, say): it may not answer for a while. */
  readonly away: boolean;
  /** The node at which it is. */
  readonly nodeId: string;
}

/**
 * How a client and a node talk: a WebSocket; or requests and a stream of server-sent events, for
 * nodes that have no WebSockets, as serverless ones do.
 */
export type Transport = 'websocket' | 'http';

/**
 * A node: its URL (`wss`, `ws`, `https` or `http`), or more. Without `transport`, `wss` and `ws` mean
 * a WebSocket, and nodes with `https` or `http` are asked what they offer, a WebSocket being preferred.
 */
export type NodeEntry = string | { readonly url: string; readonly transport?: Transport };

export type NodeState = 'idle' | 'dialing' | 'open' | 'down';

/** A node to choose from. */
export interface HubNode {
  readonly url: string;
  /** Known once the node said it. */
  readonly nodeId: string | undefined;
  readonly state: NodeState;
  /** Known once it is chosen. */
  readonly transport: Transport | undefined;
}

/** What was published under a topic. */
export interface PublishedRecord<Data = Json> {
  readonly id: string;
  readonly topic: string;
  readonly data: Data;
  /** Who signed it: an Ed25519 key in base64. */
  readonly publisher: string;
  /** The node that signed it on behalf of somebody who did not. */
  readonly nodeId?: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly expiresAt: number;
  readonly seq: number;
  readonly salt?: string;
  readonly signature: string;
  /** Whether its publisher signed it. If not, a node did for somebody, or this browser cannot tell. */
  readonly verified: boolean;
  /** The id of the peer that published it, if it is verified. */
  readonly peerId?: string;
}

export interface PublishOptions {
  /** For how many seconds it is found: 300 by default, a day at most. */
  ttl?: number;
  /** Tells the records of one publisher under one topic apart. What has the same replaces what was. */
  salt?: string;
  /** How many nodes must keep it; fewer are a `not-replicated`. */
  w?: number | 'majority';
}

/** What a watcher is told: a record that is new or has changed, or one that is not there any more. */
export interface RecordEvent<Data = Json> {
  readonly type: 'record' | 'gone';
  readonly record: PublishedRecord<Data>;
}

/** What a node says about a publication. */
export interface Receipt {
  readonly success: boolean;
  readonly topic: string;
  readonly recordId: string;
  readonly nodeId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Nodes that keep it, that one included. */
  readonly stored: number;
  readonly replicatedTo: number;
  readonly totalNodes: number;
}

export interface ConnectOptions {
  /** The network (room) to be in: peers of other networks are not seen. `global` by default. */
  network?: string;
  /** Best first. Needed unless some are to be found. */
  nodes?: readonly NodeEntry[];
  /**
   * Find more nodes: those that a domain names, or as the options of `discoverBootstrapPeers` say; `true` asks
   * where the page came from.
   */
  discover?: boolean | string | (DiscoverOptions & { readonly appId?: string });
  /** What others are told about this peer. */
  data?: Profile;
  /**
   * This peer's id, 40 hexadecimal digits. By default it is the SHA-1 of a key, so that others see it `verified`; a
   * peer whose id is given proves nothing.
   */
  peerId?: string;
  /** This peer's key, as `exportKey` gave it; a fresh one by default. */
  key?: string;
  /**
   * Come back with the same key after a reload. It is kept in `localStorage`, where all scripts of the page's
   * origin can read it. Tabs that are open at once have one each.
   */
  persist?: boolean;
  /** Have nothing to do with peers that do not prove their id. */
  requireVerified?: boolean;
  /** How many nodes to be on at once; 2 by default. */
  sessions?: number;
  /** Two public STUN servers by default. */
  iceServers?: RTCIceServer[];
  /** Gives the connecting up; `connect` then rejects with its reason. */
  signal?: AbortSignal;
}

export interface DialOptions {
  /** Media to send from the start. */
  stream?: MediaStream;
  /** Milliseconds after which the dialling is given up, if it was not before. */
  timeout?: number;
}

export interface HubEventMap {
  /** A peer came, or changed what it says of itself. */
  peer: EventOf<Peer>;
  /** A peer is gone from all nodes that this client is on. A link to it may live on. */
  peergone: EventOf<{ peerId: string }>;
  /** A peer dialled this one. */
  link: EventOf<{ link: PeerLink; peerId: string }>;
  /** A node's state changed. */
  nodechange: EventOf<HubNode>;
  /** The path that a signal to or from a peer took: by this node, or by the data channel if none. */
  path: EventOf<{ peerId: string; via: string | undefined }>;
  /** A node refused something that no link is concerned with. */
  error: EventOf<{ error: PigeonError }>;
}

/** A client of the mesh. Only `close()` ends it. */
export declare class PigeonHub extends EventTarget {
  private constructor();

  /** Goes on the nodes; resolves when the first one is there, rejects after 10 s without any. */
  static connect(options: ConnectOptions): Promise<PigeonHub>;

  readonly peerId: string;
  /** This peer's Ed25519 key, 32 bytes in base64; the id is its SHA-1. None if there is no key. */
  readonly publicKey: string | undefined;
  /** The peers of the network that this client was told of. */
  readonly peers: Peer[];
  /** The nodes to choose from. */
  readonly nodes: HubNode[];

  /** Links up with a peer; resolves when connected. A link that exists already is returned. */
  dial(peerId: string, options?: DialOptions): Promise<PeerLink>;
  /** The link to a peer, if there is one. */
  link(peerId: string): PeerLink | undefined;
  /** This peer's key as text, for the option `key`: whoever has it is this peer. */
  exportKey(): string | undefined;
  /** Publishes JSON under a topic at the nodes, signed with this peer's key if it has one. */
  publish(topic: string, data: Json, options?: PublishOptions): Promise<Receipt>;
  /** Takes back what this peer published. */
  unpublish(topic: string, options?: { salt?: string }): Promise<void>;
  /** What was published under a topic; what has no signature that holds is left out. */
  find<Data = Json>(topic: string): Promise<PublishedRecord<Data>[]>;
  /**
   * What is published under a topic: what is there, then every change. It goes on at another node when one dies, and
   * ends with `signal`, or with the hub.
   */
  watch<Data = Json>(topic: string, options?: { signal?: AbortSignal }): AsyncGenerator<RecordEvent<Data>, void, undefined>;
  /** Tells others something new about this peer. */
  setData(data: Profile): void;
  addNode(node: NodeEntry): void;
  removeNode(url: string): void;
  /** Says goodbye and closes everything. */
  close(): void;

  addEventListener<Type extends keyof HubEventMap>(
    type: Type,
    listener: ((this: PigeonHub, event: HubEventMap[Type]) => unknown) | { handleEvent(event: HubEventMap[Type]): unknown } | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof HubEventMap>(
    type: Type,
    listener: ((this: PigeonHub, event: HubEventMap[Type]) => unknown) | { handleEvent(event: HubEventMap[Type]): unknown } | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

export type LinkState = 'connecting' | 'connected' | 'interrupted' | 'closed' | 'failed';

export interface LinkEventMap {
  /** A message: as a string if it was sent as one. */
  message: EventOf<{ data: string | ArrayBuffer }>;
  /** The other side sends a track. */
  track: EventOf<{ track: MediaStreamTrack; streams: readonly MediaStream[] }>;
  statechange: EventOf<{ state: LinkState }>;
  /** It is over, as somebody wanted (`closed`) or not (`failed`). */
  close: EventOf<{ state: 'closed' | 'failed' }>;
  /** Why it failed. */
  error: EventOf<{ error: PigeonError }>;
}

/** Messages and media with one peer. It stays when nodes go. */
export declare class PeerLink extends EventTarget {
  private constructor();

  readonly peerId: string;
  /** Whether the other side proved its id, and that this connection is with it. */
  readonly verified: boolean;
  readonly state: LinkState;

  /**
   * Sends a message of up to 64 MiB; resolves when the browser has taken all of it. Messages
   * arrive in the order of the calls.
   */
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): Promise<void>;
  /** Sends the tracks of a stream, from now on. */
  addStream(stream: MediaStream): void;
  /** Stops sending them; the tracks themselves go on. */
  removeStream(stream: MediaStream): void;
  stats(): Promise<RTCStatsReport>;
  close(): void;

  addEventListener<Type extends keyof LinkEventMap>(
    type: Type,
    listener: ((this: PeerLink, event: LinkEventMap[Type]) => unknown) | { handleEvent(event: LinkEventMap[Type]): unknown } | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof LinkEventMap>(
    type: Type,
    listener: ((this: PeerLink, event: LinkEventMap[Type]) => unknown) | { handleEvent(event: LinkEventMap[Type]): unknown } | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}
