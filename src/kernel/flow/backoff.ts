/** How waiting times grow between attempts, in ms. */
export interface BackoffOptions {
  /** Longest wait before the second attempt. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * The wait after the `attempt`th failure (counted from 1): doubling up to `maxMs`, of which `fraction` (chance, at
 * least 0 and below 1) takes off up to a half, so that many that failed together do not come back together.
 */
export function backoffMs(attempt: number, { baseMs, maxMs }: BackoffOptions, fraction: number): number {
  const doublings = Math.max(0, Math.min(attempt - 1, DOUBLINGS_MAX));
  const full = Math.min(maxMs, baseMs * 2 ** doublings);
  return Math.round(full * (1 - fraction / 2));
}

const DOUBLINGS_MAX = 40;
