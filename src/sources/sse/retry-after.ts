import { sseLimits } from './limits.ts';

/** How long the server asks to wait, in ms, at most an hour: seconds or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, sseLimits.waitMaxMs);
  if (!/^[A-Z][a-z]{2}/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - nowMs), sseLimits.waitMaxMs);
}
