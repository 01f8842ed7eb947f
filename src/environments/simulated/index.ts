import { gzipSync } from 'node:zlib';
import { EnvironmentError, type EnvironmentCode } from '../../kernel/errors.ts';
import type { Compute, Environment, LogFields, Network } from '../../ports/environment.ts';
import { Agenda } from './agenda.ts';
import { SeededRandom } from './chance.ts';
import { SimulatedDisk } from './disk.ts';
import { simulatedFiles } from './files.ts';

/** The simulation's wall time at its start. */
const STARTED_AT_MS = Date.UTC(2026, 0, 1);

/** Raised by `drive` when the power was cut while it waited. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

/** Raised by `drive` when its work waits and nothing will ever happen. */
export class Deadlock extends Error {
  override readonly name = 'Deadlock';
}

/** One line the simulated node logged. */
export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
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
  readonly random: SeededRandom;
  readonly logged: LoggedLine[] = [];
  /** Values of the meter: `name{labels}` to the last gauge, or the sum of counts and observations. */
  readonly metrics = new Map<string, number>();
  environment: Environment;
  private readonly agenda = new Agenda();
  private readonly startedAtMs: number;
  private disk = new SimulatedDisk();
  private life = 0;
  private crashed = false;
  private operationsLeft = Infinity;
  private operations = 0;
  private readonly faults = { write: [] as EnvironmentCode[], sync: [] as EnvironmentCode[] };
  private listening = new Set<string>();

  constructor(seed: number, options: SimulationOptions = {}) {
    this.random = new SeededRandom(seed);
    this.startedAtMs = options.startedAtMs ?? STARTED_AT_MS;
    this.environment = this.live();
  }

  /** Virtual ms since the start. */
  get now(): number {
    return this.agenda.now;
  }

  /** Changing file operations so far, over all lives. */
  get fileOperations(): number {
    return this.operations;
  }

  /** Cuts the power in the middle of the `count`th changing file operation from now on. */
  crashAfterFileOperations(count: number): void {
    this.operationsLeft = count;
  }

  /** The next `codes.length` writes (or syncs) fail with these codes, one each. */
  failNext(operation: 'write' | 'sync', ...codes: readonly EnvironmentCode[]): void {
    this.faults[operation].push(...codes);
  }

  /** Cuts the power now: nothing of the running machine completes any more. */
  crash(): void {
    this.crashed = true;
    this.life += 1;
    this.agenda.clear();
    this.listening = new Set();
    this.disk = this.disk.afterCrash(this.random);
    this.operationsLeft = Infinity;
  }

  /** The machine comes up again on what its disk kept. */
  restart(): Environment {
    if (!this.crashed) this.crash();
    this.crashed = false;
    this.faults.write.length = 0;
    this.faults.sync.length = 0;
    this.environment = this.live();
    return this.environment;
  }

  /**
   * Lets virtual time pass until `work` ends, and gives its result; rejects with SimulatedCrash when the power is cut,
   * with Deadlock when nothing is left to happen.
   */
  async drive<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const end = (): void => {
      settled = true;
    };
    work.then(end, end);
    for (;;) {
      await drained();
      if (settled) return await work;
      if (this.crashed) throw new SimulatedCrash('the power was cut');
      if (!this.agenda.step()) throw new Deadlock(`nothing is left to happen after ${this.agenda.now} ms`);
    }
  }

  /** Lets `ms` of virtual time pass. */
  async pass(ms: number): Promise<void> {
    await this.drive(this.environment.clock.sleep(ms));
  }

  private live(): Environment {
    const life = this.life;
    const alive = (): boolean => this.life === life;
    const { agenda, random, disk } = this;
    const machine = { agenda, random, disk, alive };
    return {
      clock: this.clock(alive),
      random,
      files: simulatedFiles({
        ...machine,
        began: (operation) => this.began(operation),
        fault: (operation) => this.faults[operation].shift(),
      }),
      network: this.network(),
      compute: simulatedCompute,
      log: this.log(),
      meter: this.meter(),
    };
  }

  private began(_operation: string): void {
    this.operations += 1;
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
      now: () => Math.floor(this.startedAtMs + agenda.now),
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

  private log(): Environment['log'] {
    const take =
      (level: LoggedLine['level']) =>
      (event: string, fields: LogFields = {}): void => {
        this.logged.push({ level, event, fields });
      };
    return { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') };
  }

  private meter(): Environment['meter'] {
    const key = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
      `${name}${JSON.stringify(labels)}`;
    const add = (name: string, by: number): void => void this.metrics.set(name, (this.metrics.get(name) ?? 0) + by);
    return {
      count: (name, labels, by = 1) => add(key(name, labels), by),
      gauge: (name, labels, value) => void this.metrics.set(key(name, labels), value),
      observe: (name, labels, valueMs) => add(key(name, labels), valueMs),
    };
  }
}

/** Resolves after every microtask that waits, and those they queue, has run. */
async function drained(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

const simulatedCompute: Compute = {
  async *gzip(chunks) {
    const all: Uint8Array[] = [];
    for await (const chunk of chunks) all.push(chunk.slice());
    yield gzipSync(Buffer.concat(all), { level: 3 });
  },
};
