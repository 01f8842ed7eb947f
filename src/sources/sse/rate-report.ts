import type { Clock } from '../../ports/environment.ts';
import type { SseEvents } from './events.ts';

/** Says in the log how many events came, as often as asked for: each report counts from the last one. */
export class RateReport {
  readonly #everyMs: number;
  readonly #clock: Clock;
  readonly #events: SseEvents;
  #count = 0;
  #since = 0;

  /** `everyMs` 0: never. */
  constructor(everyMs: number, clock: Clock, events: SseEvents) {
    this.#everyMs = everyMs;
    this.#clock = clock;
    this.#events = events;
  }

  start(signal: AbortSignal): void {
    if (this.#everyMs === 0) return;
    this.#since = this.#clock.now();
    const next = (): void => {
      const cancel = this.#clock.timer(this.#everyMs, () => {
        signal.removeEventListener('abort', cancel);
        this.#say();
        next();
      });
      signal.addEventListener('abort', cancel, { once: true });
    };
    next();
  }

  count(events: number): void {
    this.#count += events;
  }

  #say(): void {
    const now = this.#clock.now();
    this.#events.rate(this.#count, this.#since, now);
    this.#count = 0;
    this.#since = now;
  }
}
