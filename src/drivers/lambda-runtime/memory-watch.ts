import type { Clock } from '../../ports/environment.ts';
import { runtimeLimits } from './limits.ts';
import { groupsResidentBytes } from './resident-memory.ts';

/** A running process whose memory is looked at. */
export interface Watched {
  /** Also its process group. */
  readonly pid: number;
  /** What its process holds now; undefined where it cannot be told. */
  residentBytes(): number | undefined;
  /** What its process, or its whole group, holds now. */
  found(bytes: number): void;
}

/**
 * Looks at the memory of processes while they run an event: of the process itself often, of its whole group now and
 * then. While none runs there is no timer.
 */
export class MemoryWatch {
  readonly #clock: Clock;
  readonly #groups: typeof groupsResidentBytes;
  readonly #watched = new Set<Watched>();
  #looks = 0;
  #isLooking = false;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, groups = groupsResidentBytes) {
    this.#clock = clock;
    this.#groups = groups;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    // A look that takes its time arms the next one itself.
    if (this.#cancel === undefined && !this.#isLooking) this.#arm();
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#cancel = this.#clock.timer(runtimeLimits.memoryLookMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#cancel = undefined;
    this.#isLooking = true;
    this.#looks += 1;
    // A process that was looked at may end, and leave the set.
    for (const one of this.#watched) {
      const bytes = one.residentBytes();
      if (bytes !== undefined) one.found(bytes);
    }
    if (this.#looks % runtimeLimits.memoryLooksDeep === 0) {
      const groups = await this.#groups(this.#clock);
      for (const one of this.#watched) {
        const bytes = groups.get(one.pid);
        if (bytes !== undefined) one.found(bytes);
      }
    }
    this.#isLooking = false;
    if (this.#watched.size > 0) this.#arm();
  }
}
