import type { Clock } from '../../ports/environment.ts';
import { runtimeLimits } from './limits.ts';
import type { Watched } from './memory-watch.ts';
import { cpuMs } from './resident-memory.ts';

/** An idle process that is looked at. */
export interface IdleWatched extends Watched {
  /** Between two looks it used more CPU than one may that was asked for nothing. */
  spun(): void;
}

/**
 * Looks now and then at what idle processes do, so that the next event does not pay for it. A look takes some twenty
 * microseconds for each; while none is idle there is no timer. Where there is no `/proc` nothing is found.
 */
export class IdleWatch {
  readonly #clock: Clock;
  /** With the CPU time at the last look, in ms; undefined: not looked at yet. */
  readonly #idle = new Map<IdleWatched, number | undefined>();
  #isArmed = false;
  #lookedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(watched: IdleWatched): void {
    this.#idle.set(watched, undefined);
    if (!this.#isArmed) this.#arm();
  }

  /** The timer stays until its look: a process that runs event after event would set one for each. */
  remove(watched: IdleWatched): void {
    this.#idle.delete(watched);
  }

  #arm(): void {
    this.#lookedAt = this.#clock.monotonic();
    this.#isArmed = true;
    this.#clock.timer(runtimeLimits.idleLookMs, () => this.#look());
  }

  #look(): void {
    this.#isArmed = false;
    const busyMs = (this.#clock.monotonic() - this.#lookedAt) * runtimeLimits.idleBusyShare;
    // One that was looked at may end, and leave the map.
    for (const [one, before] of this.#idle) {
      const now = cpuMs(one.pid);
      this.#idle.set(one, now);
      if (before !== undefined && now !== undefined && now - before > busyMs) one.spun();
      else one.found(one.residentBytes() ?? 0);
    }
    if (this.#idle.size > 0) this.#arm();
  }
}
