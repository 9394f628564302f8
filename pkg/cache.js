// What was found in the last day, so that a page finds its nodes when nothing else answers. Whoever wrote to
// the storage: what is in there is checked like anything that is found.

import { isCount, judge } from './descriptor.js';

/** Who says so of what was found before. */
export const CACHE = 'cache';
export const MOST = 50;
export const MOST_BYTES = 256 * 1024;
const KEEP = 24 * 60 * 60 * 1000;
/** How often it is looked whether a node answers. */
const CHECK = 5 * 60 * 1000;
/** How often it is looked whose turn it is. */
const LOOK = 60 * 1000;

const textIn = (storage, name) => {
  try {
    return storage.getItem(name) ?? '[]';
  } catch {
    return '[]';
  }
};

const write = (storage, name, value) => {
  try {
    storage?.setItem(name, JSON.stringify(value));
  } catch {
    // Full or forbidden: it is asked for again next time.
  }
};

const read = (text) => {
  try {
    const kept = text.length <= MOST_BYTES ? JSON.parse(text) : undefined;
    return Array.isArray(kept) ? kept : undefined;
  } catch {
    return undefined;
  }
};

/** What is wrong with the times and counts of an entry. */
const faultOf = ({ seen, checked = seen, roundTrip, misses }, now) => {
  if (seen === undefined || ![seen, checked, roundTrip, misses].every(isCount)) return 'invalid';
  if (seen > now || checked > now) return 'future';
  return now - seen < KEEP ? undefined : 'expired';
};

/** What was found before, and how it did; or why it is not used. */
export const recall = (storage, name, rules) => {
  const kept = read(textIn(storage, name));
  if (!kept) return [{ code: 'invalid', source: CACHE }];
  return Promise.all(kept.slice(0, MOST).map(async (entry) => {
    const { peer, seen, checked, roundTrip, misses } = Object(entry);
    const code = faultOf(Object(entry), rules.now);
    // Nested too deep it cannot be written, and so not be checked.
    const verdict = code ? { code } : await judge(peer, rules).catch(() => ({ code: 'invalid' }));
    return { peer, seen, checked, roundTrip, misses, source: CACHE, ...verdict };
  }));
};

/** Keeps them, with how they did. */
export const remember = (storage, name, entries) => {
  const kept = ({ peer, seen, checked, roundTrip, misses }) => ({ peer, seen, checked, roundTrip, misses });
  write(storage, name, entries.map(kept));
};

/** How long a node's answer takes; undefined if there is none, or it is about to stop. */
const probe = async (url, timeout) => {
  const start = Date.now();
  try {
    const signal = AbortSignal.timeout(timeout);
    const answer = await fetch(`${url.replace(/^ws/, 'http')}/health`, { signal, cache: 'no-store', credentials: 'omit' });
    await answer.body?.cancel();
    return answer.ok ? Date.now() - start : undefined;
  } catch {
    return undefined;
  }
};

/**
 * Asks the nodes that were not asked for five minutes how they do. What they say is for the next time: nobody
 * waits for one that is silent.
 */
const recheck = async (storage, name, entries, { now, timeout }) => {
  const due = entries.filter(({ seen, checked = seen }) => now - checked >= CHECK);
  if (due.length === 0) return;
  const answers = new Map();
  await Promise.all(due.map(async ({ peer }) => answers.set(peer.u, await probe(peer.u, timeout))));
  const checked = Date.now();
  const updated = (entry) => {
    const url = entry?.peer?.u;
    if (!answers.has(url)) return entry;
    const roundTrip = answers.get(url);
    const news = roundTrip === undefined ? { misses: (entry.misses ?? 0) + 1 } : { seen: checked, roundTrip, misses: 0 };
    return { ...entry, checked, ...news };
  };
  // Anew, as it may have been written meanwhile.
  write(storage, name, (read(textIn(storage, name)) ?? []).map(updated));
};

const looks = new WeakMap();

/**
 * Does so now and every five minutes, as long as the page is there. Pages that share a storage share its
 * checks: who was asked by one is not due for the others.
 */
export const keepChecked = (storage, name, rules) => {
  if (Object(storage) !== storage) return;
  const look = async () => {
    const now = Date.now();
    const kept = await recall(storage, name, { ...rules, now });
    await recheck(storage, name, kept.filter(({ code }) => !code), { ...rules, now });
  };
  const timers = looks.get(storage) ?? new Map();
  looks.set(storage, timers);
  clearInterval(timers.get(name));
  void look();
  const timer = setInterval(look, LOOK);
  timers.set(name, timer);
  // Node.js does not stay for it.
  timer.unref?.();
};
