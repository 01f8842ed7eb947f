import { EnvironmentError, type EnvironmentCode } from '../../kernel/errors.ts';
import type { Environment, Network } from '../../ports/environment.ts';
import { Agenda } from './agenda.ts';
import { SeededRandom } from './chance.ts';
import { simulatedCompute } from './compute.ts';
import { SimulatedDisk } from './disk.ts';
import { DiskFaults, type FileOperation } from './faults.ts';
import { simulatedFiles } from './files.ts';
import { keptLog, keptMeter, type LoggedLine } from './observation.ts';
import { Tally } from './tally.ts';

/** The simulation's wall time at its start. */
const STARTED_AT_MS = Date.UTC(2026, 0, 1);

/** Raised by `drive` when the power was cut while it waited. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

/** Raised by `drive` when its work waits and nothing will ever happen, or not in time. */
export class Deadlock extends Error {
  override readonly name = 'Deadlock';
}

/** How `restart` finds the wall clock, relative to virtual time. */
export interface SimulationOptions {
  readonly startedAtMs?: number;
}

/**
 * One machine under one seed: virtual time, seeded chance, a disk that can lose power. One seed gives one run.
 * Everything the node does happens inside `drive`.
 */
export class Simulation {
  /** Chance for whoever drives the simulation; the node and the machine have their own. */
  readonly random: SeededRandom;
  readonly logged: LoggedLine[] = [];
  /** Values of the meter: `name{labels}` to the last gauge, or the sum of counts and observations. */
  readonly metrics = new Map<string, number>();
  /** What the machine did to the node, each time that it really did. */
  readonly tally = new Tally();
  /** Called in the middle of every changing file operation, once the change is there. */
  changed: () => void = () => undefined;
  environment: Environment;
  private readonly agenda = new Agenda();
  private readonly seed: number;
  private readonly faults = new DiskFaults(this.tally);
  private wallMs: number;
  private disk = new SimulatedDisk();
  private life = 0;
  private isDown = false;
  private operationsLeft = Infinity;
  private operations = 0;
  private listening = new Set<string>();

  constructor(seed: number, options: SimulationOptions = {}) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.wallMs = options.startedAtMs ?? STARTED_AT_MS;
    this.environment = this.live();
  }

  /** Virtual ms since the start. */
  get now(): number {
    return this.agenda.now;
  }

  /** What the wall clock shows, in ms since the Unix epoch. */
  get wallNow(): number {
    return Math.floor(this.wallMs + this.agenda.now);
  }

  /** Changing file operations so far, over all lives. */
  get fileOperations(): number {
    return this.operations;
  }

  /** Operations of the disk that failed since the machine came up, of those that find something wrong with it. */
  get faultsMet(): number {
    return this.faults.met;
  }

  /** Operations that `slowDisk` made slow since the machine came up. */
  get slowed(): number {
    return this.faults.slowed;
  }

  /** Space taken on the disk, in bytes: pages of 4 KiB that were written, of files that have a name or are open. */
  get diskBytes(): number {
    return this.disk.used;
  }

  /** Cuts the power in the middle of the `count`th changing file operation from now on. */
  crashAfterFileOperations(count: number): void {
    this.operationsLeft = count;
  }

  /** The next `codes.length` operations of this kind fail with these codes, one each. */
  failNext(operation: FileOperation, ...codes: readonly EnvironmentCode[]): void {
    this.faults.fail(operation, codes);
  }

  /** The next `count` file operations take up to `msMax` each. */
  slowDisk(count: number, msMax: number): void {
    this.faults.slow(count, msMax);
  }

  /** `freeBytes` more fit on the disk than stand there now; Infinity takes the limit away. It outlives crashes. */
  limitDisk(freeBytes: number): void {
    this.disk.limit(this.disk.used + freeBytes);
  }

  /** Sets the wall clock forward or back; the clock that never steps back goes on. */
  stepClock(ms: number): void {
    this.wallMs += ms;
    if (ms !== 0) this.tally.note(ms > 0 ? 'the clock is set forward' : 'the clock is set back');
  }

  /** Turns one bit of what stands durably at `position` of a file. False when that cannot be done now. */
  flipBit(path: string, position: number, bit: number): boolean {
    const isTurned = this.disk.file(path).flip(position, bit);
    if (isTurned) this.tally.note('a bit is turned');
    return isTurned;
  }

  /** Bytes of the file, or of undefined when there is none: without the delays and faults of `environment.files`. */
  sizeOf(path: string): number | undefined {
    const place = this.disk.find(path);
    return place === undefined || place === 'directory' ? undefined : place.size;
  }

  /** Names inside a folder: without the delays and faults of `environment.files`. */
  namesIn(directory: string): readonly string[] {
    return this.disk.list(directory);
  }

  /** All files below a folder and what programs read in them, by path: without those delays and faults. */
  filesBelow(directory: string): ReadonlyMap<string, Uint8Array> {
    return this.disk.filesBelow(directory);
  }

  /** Cuts the power now: nothing of the running machine completes any more. */
  crash(): void {
    this.end();
    this.disk = this.disk.afterCrash(new SeededRandom(this.seed).fork(this.life), this.tally);
  }

  /** Ends the process now; the system goes on, and what was not synced is still to be read. */
  kill(): void {
    this.end();
    this.disk.closeAll();
  }

  /** The machine comes up again on what its disk kept. Faults that were not due yet are forgotten. */
  restart(): Environment {
    if (!this.isDown) this.crash();
    this.isDown = false;
    this.faults.clear();
    this.environment = this.live();
    return this.environment;
  }

  /**
   * Lets virtual time pass until `work` ends, and gives its result; rejects with SimulatedCrash when the power is cut,
   * with Deadlock when nothing is left to happen, or more than `withinMs` of virtual time have passed.
   */
  async drive<T>(work: Promise<T>, withinMs = Infinity): Promise<T> {
    const overAt = this.agenda.now + withinMs;
    let settled = false;
    const end = (): void => {
      settled = true;
    };
    work.then(end, end);
    for (;;) {
      await drained();
      if (settled) return await work;
      if (this.isDown) throw new SimulatedCrash('the power was cut');
      if (this.agenda.now > overAt) throw new Deadlock(`not at its end after ${withinMs} ms`);
      if (!this.agenda.step()) throw new Deadlock(`nothing is left to happen after ${this.agenda.now} ms`);
    }
  }

  /** Lets `ms` of virtual time pass. */
  async pass(ms: number): Promise<void> {
    await this.drive(this.environment.clock.sleep(ms));
  }

  private end(): void {
    this.isDown = true;
    this.life += 1;
    this.agenda.clear();
    this.listening = new Set();
    this.operationsLeft = Infinity;
  }

  private live(): Environment {
    const { agenda, disk, faults, life, tally } = this;
    const alive = (): boolean => this.life === life;
    // Each life draws from streams of its own: what one does changes nothing for what the next one draws.
    const chance = new SeededRandom(this.seed).fork(-1 - 2 * life);
    const random = chance.fork(1);
    return {
      clock: this.clock(alive),
      random: chance.fork(2),
      files: simulatedFiles({ agenda, disk, faults, random, tally, alive, began: () => this.began() }),
      network: this.network(),
      compute: simulatedCompute,
      log: keptLog(this.logged),
      meter: keptMeter(this.metrics),
    };
  }

  private began(): void {
    this.operations += 1;
    this.changed();
    this.operationsLeft -= 1;
    if (this.operationsLeft === 0) this.crash();
  }

  private clock(alive: () => boolean): Environment['clock'] {
    const { agenda } = this;
    const timer = (ms: number, run: () => void): (() => void) =>
      agenda.add(ms, () => {
        if (alive()) run();
      });
    return {
      now: () => this.wallNow,
      monotonic: () => agenda.now,
      timer,
      sleep: async (ms, signal) =>
        await new Promise<void>((resolve) => {
          if (signal?.aborted === true) return resolve();
          const end = (): void => {
            cancel();
            signal?.removeEventListener('abort', end);
            resolve();
          };
          const cancel = timer(ms, end);
          signal?.addEventListener('abort', end, { once: true });
        }),
      soon: (run) => void timer(0, run),
    };
  }

  private network(): Network {
    const { listening } = this;
    return {
      answers: async (path) => listening.has(path),
      async listenLocal(path) {
        if (listening.has(path)) throw new EnvironmentError('EADDRINUSE', `in use: ${path}`);
        listening.add(path);
        return { close: async () => void listening.delete(path) };
      },
    };
  }
}

/** Resolves after every microtask that waits, and those they queue, has run. */
async function drained(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
