// Types of pigeonhub-wasm/directory. Every error that a promise rejects with is a PigeonError.

import type { NodeEntry, PigeonHub, Receipt } from './index.js';

/** One way to an endpoint. */
export interface SignalUrl {
  readonly t: 'ws' | 'http';
  readonly u: string;
}

/** A place where an app's peers are introduced to each other. */
export interface SignalEndpoint {
  /** The id of the peer that published it, proven by its signature. */
  readonly id: string;
  readonly urls: readonly SignalUrl[];
  /** What it can do, in the app's own words. */
  readonly caps: readonly string[];
  readonly region: string | undefined;
  /** The lower the better. */
  readonly priority: number | undefined;
  readonly seq: number;
  /** When it was published: milliseconds since the epoch. */
  readonly ts: number;
  /** Seconds. */
  readonly ttl: number;
  readonly expiresAt: number;
}

export interface PublishSignal {
  appId: string;
  region?: string;
  /** One to eight URLs of ws, wss, http or https. */
  urls: string | readonly (string | SignalUrl)[];
  caps?: readonly string[];
  priority?: number;
  /** For how many seconds it is found; 600 by default. */
  ttl?: number;
}

/** The topic of an app's endpoints, everywhere or in a region: 40 hexadecimal digits. */
export declare function signalTopic(appId: string, region?: string): Promise<string>;

/** Where an app's signaling endpoints are. Asked at a hub's nodes, or at those that are given. */
export declare class SignalDirectory {
  constructor(source: PigeonHub | NodeEntry | readonly NodeEntry[]);
  /** Says where an endpoint is. Only a hub that has a key does. */
  publish(endpoint: PublishSignal): Promise<Receipt>;
  /** Takes it back. */
  unpublish(endpoint: { appId: string; region?: string }): Promise<void>;
  /** The endpoints of an app, best first: those of the region, then by priority, then the freshest. */
  find(wanted: { appId: string; region?: string; limit?: number }): Promise<SignalEndpoint[]>;
}
