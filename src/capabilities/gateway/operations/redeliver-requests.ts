import { RequestError } from '../../../kernel/errors.ts';
import { TokenBucket } from '../../../kernel/flow/token-bucket.ts';
import type { Clock } from '../../../ports/environment.ts';
import { limits } from '../limits.ts';
import type { RequestEntry } from '../request-log/request-entry.ts';
import type { Asker, Redelivered } from './redeliver-request.ts';

/** A request that is wanted; without an entry there is none of that name. */
export interface WantedRequest {
  /** Names it, and where to go on when it was not sent on; absent: none was found in what one call looks through. */
  readonly place: string | undefined;
  readonly entry: RequestEntry | undefined;
  /** Where to go on behind it; absent: it is the last one. */
  readonly next: string | undefined;
}

/** How requests of the log are to be sent on. */
export interface RedeliveryOrder {
  readonly perSecond: number;
  /** What becomes of one: it is sent on, or in a dry run only looked at. */
  readonly send: (entry: RequestEntry, asker: Asker) => Promise<Redelivered>;
}

/** What became of those that were sent on; `next`: where to go on, absent when all were. */
export interface RedeliveryReport {
  readonly results: readonly Redelivered[];
  readonly next?: string;
}

/**
 * Sends on one request after the other, as many as one call may. Ends early, and says where to go on, when nothing can
 * be stored just now, when it took long, and when nobody waits for it any more.
 */
export async function redeliverRequests(
  clock: Clock,
  wanted: AsyncIterable<WantedRequest>,
  { perSecond, send }: RedeliveryOrder,
  asker: Asker,
): Promise<RedeliveryReport> {
  const pace = new TokenBucket({ perSecond, burst: 1 });
  const lent = lentTo(asker);
  const endsAt = clock.monotonic() + limits.redeliveryCallMs;
  const results: Redelivered[] = [];
  for await (const { place, entry, next } of wanted) {
    if (place === undefined) return { results, ...(next !== undefined && { next }) };
    await turnOf(pace, clock, asker.signal);
    if (asker.signal.aborted) return { results, next: place };
    const result = entry === undefined ? missing(place) : await outcomeOf(entry, send, lent());
    if (result.code === 'ServiceUnavailable') {
      // Whoever goes on at once would ask as fast as it can.
      if (results.length === 0) await clock.sleep(limits.retryAfterSeconds * 1000, asker.signal);
      return { results, next: place };
    }
    results.push(result);
    const isFull = results.length >= limits.redeliveriesPerCall || clock.monotonic() >= endsAt;
    if (isFull) return { results, ...(next !== undefined && { next }) };
  }
  return { results };
}

async function turnOf(pace: TokenBucket, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const waitMs = pace.take(clock.monotonic());
    if (waitMs === 0) return;
    await clock.sleep(waitMs, signal);
  }
}

/** Requests go one after the other: what one held in memory, or gave back, the next one may have. */
function lentTo(asker: Asker): () => Asker {
  let held = 0;
  return () => {
    let own = 0;
    return {
      signal: asker.signal,
      async hold(bytes) {
        own += bytes;
        if (own <= held) return;
        await asker.hold(own - held);
        held = own;
      },
      giveBack(bytes) {
        own -= bytes;
      },
    };
  };
}

async function outcomeOf(entry: RequestEntry, send: RedeliveryOrder['send'], asker: Asker): Promise<Redelivered> {
  try {
    return await send(entry, asker);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { id: entry.head.id, outcome: 'refused', code: error.code };
  }
}

function missing(id: string): Redelivered {
  return { id, outcome: 'refused', code: 'NotFound' };
}
