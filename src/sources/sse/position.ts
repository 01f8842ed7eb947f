import { createHash } from 'node:crypto';
import type { ResumeToken } from '../../ports/source.ts';
import { sseLimits } from './limits.ts';

const FINGERPRINT_DIGITS = 16;
/** What a header's value cannot hold (`\p{Cc}`, which is looked for at a fifth of the speed). */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Bytes of UTF-8 that a character of a text takes at most. */
const CHARACTER_BYTES_MAX = 3;

/** The address without `since`, which says where to begin and is no part of what a feed is. */
export function feedUrl(url: string): string {
  const feed = new URL(url);
  feed.searchParams.delete('since');
  return feed.href;
}

/** Positions in one feed as tokens, which hold whose ids they are about: those of another address mean nothing. */
export class FeedTokens {
  readonly #start: string;

  constructor(url: string) {
    const fingerprint = createHash('sha256').update(feedUrl(url)).digest('hex').slice(0, FINGERPRINT_DIGITS);
    this.#start = `${fingerprint}:`;
  }

  of(lastEventId: string): ResumeToken {
    return this.#start + lastEventId;
  }

  /** The id to go on after; empty when there is none for this address. */
  idOf(token: ResumeToken | undefined): string {
    return token?.startsWith(this.#start) === true ? token.slice(this.#start.length) : '';
  }
}

/** Whether the id can be sent back to the server: what cannot be is no position. */
export function isSendable(id: string): boolean {
  // A header would not keep a space that stands at one of its ends.
  if (id.startsWith(' ') || id.endsWith(' ') || CONTROL.test(id)) return false;
  return id.length * CHARACTER_BYTES_MAX <= sseLimits.idBytesMax || Buffer.byteLength(id) <= sseLimits.idBytesMax;
}

/** The id as a header's value: its UTF-8 bytes, each as one character. */
export function headerValue(id: string): string {
  return Buffer.from(id, 'utf8').toString('latin1');
}

/** One place in one of the logs behind a feed. */
interface FeedPlace {
  readonly topic: unknown;
  readonly partition: unknown;
  readonly timestamp?: unknown;
}

/** Wikimedia's ids list places in all topics of a feed, in any order, and tell nothing of one event. */
export function isPlaces(id: string): boolean {
  return id.startsWith('[{"topic":');
}

/** The places of such an id; undefined for ids of other kinds. */
export function placesOf(id: string): readonly FeedPlace[] | undefined {
  if (!isPlaces(id)) return undefined;
  try {
    const places = JSON.parse(id) as readonly FeedPlace[];
    const isList = places.every(({ topic, partition }) => typeof topic === 'string' && Number.isInteger(partition));
    return isList ? places : undefined;
  } catch {
    return undefined;
  }
}

/** The newest time among the places, in ms; undefined when none has one. */
export function newestTime(places: readonly FeedPlace[]): number | undefined {
  const times = places.flatMap(({ timestamp }) => (typeof timestamp === 'number' && timestamp > 0 ? [timestamp] : []));
  return times.length === 0 ? undefined : Math.max(...times);
}
