const SECONDS = /^\d{1,12}$/;

/** The seconds since the Unix epoch that a sender wrote; undefined unless it is digits alone. */
export function timestampSeconds(text: string): number | undefined {
  return SECONDS.test(text) ? Number(text) : undefined;
}

/** Whether a timestamp is at most `toleranceSeconds` away from now, in the past or in the future. */
export function isFresh(timestamp: string, nowMs: number, toleranceSeconds: number): boolean {
  const seconds = timestampSeconds(timestamp);
  return seconds !== undefined && Math.abs(nowMs / 1000 - seconds) <= toleranceSeconds;
}
