/** How waiting times grow between attempts, in ms. */
export interface BackoffOptions {
  /** Wait before the second attempt, before chance changes it. */
  readonly baseMs: number;
  /** No wait is longer, whatever chance adds. */
  readonly maxMs: number;
  /** Share of a wait that chance adds or takes off, such as 0.15; absent: chance takes off up to a half. */
  readonly spread?: number;
}

/**
 * The wait after the `attempt`th failure (counted from 1): doubling up to `maxMs`, and changed by `fraction` (chance,
 * at least 0 and below 1), so that many that failed together do not come back together.
 */
export function backoffMs(attempt: number, { baseMs, maxMs, spread }: BackoffOptions, fraction: number): number {
  const doublings = Math.max(0, Math.min(attempt - 1, DOUBLINGS_MAX));
  const full = Math.min(maxMs, baseMs * 2 ** doublings);
  if (spread === undefined) return Math.round(full * (1 - fraction / 2));
  // Cut off at the bound, half of those that failed together would come back together.
  const [least, most] = [full * (1 - spread), Math.min(maxMs, full * (1 + spread))];
  return Math.round(least + fraction * (most - least));
}

const DOUBLINGS_MAX = 40;
