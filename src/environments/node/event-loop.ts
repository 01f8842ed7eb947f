import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Log, Meter } from '../../ports/environment.ts';

/** How often the loop is asked to answer, in ms: what it does so every time is no delay. */
const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;
/** A turn of the loop that takes longer is worth a line. */
const LONG_TURN_MS = 100;
const NANOSECONDS_PER_MS = 1_000_000;

/** What watching the loop needs. */
export interface EventLoopParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
}

/**
 * Measures how late the event loop comes to what is due: gauge `event_loop_delay_ms` with the `max` and the `p99` of
 * the last window, and one warning a window in which a turn took more than 100 ms. Returns what ends it.
 */
export function watchEventLoop({ clock, log, meter }: EventLoopParts, windowMs = WINDOW_MS): () => void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const delayMs = (nanoseconds: number): number => Math.max(0, nanoseconds / NANOSECONDS_PER_MS - RESOLUTION_MS);
  let cancel = (): void => undefined;
  const look = (): void => {
    const [maxMs, p99Ms] = [delayMs(delays.max), delayMs(delays.percentile(99))];
    delays.reset();
    meter.gauge('event_loop_delay_ms', { of: 'max' }, Math.round(maxMs));
    meter.gauge('event_loop_delay_ms', { of: 'p99' }, Math.round(p99Ms));
    if (maxMs > LONG_TURN_MS) log.warn('event-loop.blocked', { maxMs: Math.round(maxMs), windowMs });
    cancel = clock.timer(windowMs, look);
  };
  delays.enable();
  cancel = clock.timer(windowMs, look);
  return () => {
    cancel();
    delays.disable();
  };
}
