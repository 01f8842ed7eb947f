import type { Clock } from '../../ports/environment.ts';
import { runtimeLimits } from './limits.ts';
import type { Watched } from './memory-watch.ts';
import { cpuMs } from './resident-memory.ts';

/** An idle process that is looked at. */
export interface IdleWatched extends Watched {
  /** Between two looks it used more CPU than one may that was asked for nothing. */
  spun(): void;
}

/** How one is looked at. */
interface Looks {
  /** CPU time at the last look, in ms; undefined: not looked at yet. */
  readonly cpuMs: number | undefined;
  readonly at: number;
  readonly dueAt: number;
}

/**
 * Looks now and then at what idle processes do, so that the next event does not pay for it: the longer one is idle, the
 * more rarely. A look takes some twenty microseconds; while none is idle there is no timer. Where there is no `/proc`
 * nothing is found.
 */
export class IdleWatch {
  readonly #clock: Clock;
  readonly #idle = new Map<IdleWatched, Looks>();
  #dueAt = Infinity;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(watched: IdleWatched): void {
    const at = this.#clock.monotonic();
    const dueAt = at + runtimeLimits.idleLookMs;
    this.#idle.set(watched, { cpuMs: undefined, at, dueAt });
    if (dueAt < this.#dueAt) this.#arm(at, dueAt);
  }

  /** The timer stays until its look: a process that runs event after event would set one for each. */
  remove(watched: IdleWatched): void {
    this.#idle.delete(watched);
  }

  #arm(now: number, dueAt: number): void {
    this.#cancel();
    this.#dueAt = dueAt;
    this.#cancel = this.#clock.timer(dueAt - now, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.monotonic();
    // One that was looked at may end, and leave the map.
    for (const [one, looks] of this.#idle) if (looks.dueAt <= now) this.#lookAt(one, looks, now);
    this.#dueAt = Infinity;
    let next = Infinity;
    for (const { dueAt } of this.#idle.values()) next = Math.min(next, dueAt);
    if (next < Infinity) this.#arm(now, next);
  }

  #lookAt(one: IdleWatched, { cpuMs: before, at, dueAt }: Looks, now: number): void {
    const used = cpuMs(one.pid);
    const waitMs = Math.min((dueAt - at) * 2, runtimeLimits.idleLookMaxMs);
    this.#idle.set(one, { cpuMs: used, at: now, dueAt: now + waitMs });
    const busyMs = (now - at) * runtimeLimits.idleBusyShare;
    if (before !== undefined && used !== undefined && used - before > busyMs) one.spun();
    else one.found(one.residentBytes() ?? 0);
  }
}
