// Types of pigeonhub-wasm/config: where nodes are.

export type Region = 'us-east' | 'us-west' | 'eu-west' | 'asia-pacific' | 'global' | 'local' | 'custom';

/** Where a node is, and what is said of it. */
export interface BootstrapPeer {
  /** The scheme of `u`. */
  t: 'ws' | 'wss' | 'http' | 'https';
  /** The URL: host and perhaps port. */
  u: string;
  region?: Region;
  /** Lower is asked first; 0 is the lowest, none comes last. */
  priority?: number;
  description?: string;
  maintainer?: string;
  uptime?: number | string;
  /** The node's Ed25519 key, 32 bytes in base64. */
  publicKey?: string;
  /** Of everything else, in base64. */
  signature?: string;
  /** When it was signed, in milliseconds. */
  timestamp?: number;
  /** For how many seconds after that it holds. */
  expires?: number;
  /** The built-in list says who runs the machine. */
  provider?: string;
}

export interface BootstrapOptions {
  /** Which part of the built-in list: `production` by default. */
  environment?: 'production' | 'development' | 'local';
  /** If any node of the list is there or global, then only those. */
  region?: Region | null;
  /** One's own, as URLs or descriptors; no region leaves them out. */
  customPeers?: readonly (string | BootstrapPeer)[];
  /** The nodes of this machine, too. */
  includeLocal?: boolean;
}

/** Something that was found and is not used. */
export interface Refusal {
  /** Why; the words that nodes count by, in `pigeonhub_bootstrap_refused_total`. */
  readonly code: 'invalid' | 'forged' | 'expired' | 'future' | 'replayed' | 'other-app' | 'unknown-key';
  /** Who said it: the URL that was asked, or `cache`. */
  readonly source: string;
  /** The descriptor, whatever it is; none if it is the document that is refused. */
  readonly peer?: unknown;
}

export interface DiscoverOptions extends BootstrapOptions {
  /** Domains, or URLs of servers; by default where the page came from. */
  domains?: readonly string[];
  /** A server for DNS over HTTPS with answers in JSON; without it DNS is not asked. */
  dns?: string;
  /** Keys that are trusted more. If there are any, seed bundles of others are refused. */
  keys?: readonly string[];
  /** Milliseconds that each source has to answer; 3000 by default. */
  timeout?: number;
  /** Where what was found is kept for a day; `localStorage` by default. */
  storage?: Pick<Storage, 'getItem' | 'setItem'> | null;
  /** Called for each that is refused, before the promise resolves. */
  onrefused?: (refusal: Refusal) => void;
}

/** Nodes, best first: those of the app and those of the built-in list. Throws a `TypeError` for what is no node. */
export function getBootstrapPeers(options?: BootstrapOptions): BootstrapPeer[];

/** Reads a list of URLs, separated by commas; by default the environment's `BOOTSTRAP_PEERS`. Blanks and junk are no peers. */
export function parseBootstrapPeersFromEnv(text?: string): BootstrapPeer[];

/**
 * The app's nodes and those of the environment's `BOOTSTRAP_PEERS`, what domains name, what was found in the
 * last day, and the built-in list, best first. Does not reject because a source does not answer.
 */
export function discoverBootstrapPeers(appId?: string, options?: DiscoverOptions): Promise<BootstrapPeer[]>;
