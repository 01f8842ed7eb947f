import { TokenBucket } from '../../../kernel/flow/token-bucket.ts';
import { RequestError } from '../../../kernel/errors.ts';
import type { Clock } from '../../../ports/environment.ts';
import type { Served } from '../handler.ts';
import { limits } from '../limits.ts';
import type { RequestEntry } from '../request-log/request-entry.ts';
import type { RequestStep } from '../request-log/request-reader.ts';
import { redeliverRequest, type Asker, type Redelivered } from './redeliver-request.ts';

/** How requests of the log are to be sent on. */
export interface RedeliveryOrder {
  readonly isAgain: boolean;
  readonly isDryRun: boolean;
}

/** What became of those that were sent on; `next`: where to go on, absent when all were. */
export interface RedeliveryReport {
  readonly matched: number;
  readonly results: readonly Redelivered[];
  readonly next?: string;
}

/**
 * Sends on one request after the other, as many as one call may. Ends early, and says where to go on, when nothing can
 * be stored just now, when it took long, and when nobody waits for it any more.
 */
export async function redeliverRequests(
  served: Served,
  steps: AsyncIterable<RequestStep>,
  { isAgain, isDryRun }: RedeliveryOrder,
  asker: Asker,
): Promise<RedeliveryReport> {
  const { clock } = served.environment;
  const pace = new TokenBucket({ perSecond: limits.redeliveriesPerSecond, burst: 1 });
  const lent = lentTo(asker);
  const endsAt = clock.monotonic() + limits.redeliveryCallMs;
  const results: Redelivered[] = [];
  let matched = 0;
  for await (const { entry, next } of steps) {
    const report = { matched, results };
    if (entry === undefined) return { ...report, ...(next !== undefined && { next: String(next) }) };
    if (!isDryRun) {
      await turnOf(pace, clock, asker.signal);
      const result = asker.signal.aborted ? undefined : await outcomeOf(served, entry, isAgain, lent());
      if (result === undefined || result.code === 'ServiceUnavailable')
        return { ...report, next: String(entry.number) };
      results.push(result);
    }
    matched += 1;
    const isFull = matched >= limits.redeliveriesPerCall || clock.monotonic() >= endsAt;
    if (isFull) return { matched, results, ...(next !== undefined && { next: String(next) }) };
  }
  return { matched, results };
}

async function turnOf(pace: TokenBucket, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const waitMs = pace.take(clock.monotonic());
    if (waitMs === 0) return;
    await clock.sleep(waitMs, signal);
  }
}

/** Requests go one after the other: what one held in memory the next one may have. */
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
    };
  };
}

async function outcomeOf(served: Served, entry: RequestEntry, isAgain: boolean, asker: Asker): Promise<Redelivered> {
  try {
    return await redeliverRequest(served, entry, isAgain, asker);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { id: entry.head.id, outcome: 'refused', code: error.code };
  }
}
