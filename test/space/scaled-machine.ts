import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Clock, Environment, Files, OpenFile } from '../../src/ports/environment.ts';
import { createNodeEnvironment } from '../../src/environments/node/index.ts';

const QUIET_TURNS = 3;

/** Real files, with time that passes by hand and a count of what is written. Nothing is synced, and nothing waits. */
export class ScaledMachine {
  readonly environment: Environment;
  /** Bytes written so far. */
  writtenBytes = 0;
  /** Bytes of all files now. */
  diskBytes = 0;
  readonly #sizes = new Map<string, number>();
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();
  #now = 1_700_000_000_000;
  #operations = 0;

  constructor() {
    const node = createNodeEnvironment({ log: 'silent' });
    this.environment = { ...node, clock: this.#clock(), files: this.#files() };
  }

  get now(): number {
    return this.#now;
  }

  get fileCount(): number {
    return this.#sizes.size;
  }

  /** Lets `ms` pass, and what it sets off come to rest. */
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.run();
    }
    for (let quiet = 0, before = -1; quiet < QUIET_TURNS; quiet += 1) {
      if (before !== this.#operations) quiet = 0;
      before = this.#operations;
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  #clock(): Clock {
    const timer = (ms: number, run: () => void): (() => void) => {
      const waiting = { at: this.#now + ms, run };
      this.#timers.add(waiting);
      return () => void this.#timers.delete(waiting);
    };
    return {
      now: () => this.#now,
      monotonic: () => this.#now,
      timer,
      sleep: async (ms) => await new Promise<void>((resolve) => void timer(ms, resolve)),
      soon: (run) => void setImmediate(run),
    };
  }

  #resize(path: string, bytes: number | undefined): void {
    this.#operations += 1;
    this.diskBytes += (bytes ?? 0) - (this.#sizes.get(path) ?? 0);
    if (bytes === undefined) this.#sizes.delete(path);
    else this.#sizes.set(path, bytes);
  }

  #files(): Files {
    return {
      open: async (path, mode) => {
        const handle = openSync(path, { read: 'r', write: 'r+', create: 'wx+' }[mode]);
        if (mode === 'create') this.#resize(path, 0);
        return this.#opened(handle, path);
      },
      readFile: async (path) => readFileSync(path),
      list: async (directory) => readdirSync(directory).sort(),
      size: async (path) => statSync(path, { throwIfNoEntry: false })?.size,
      isDirectory: async (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
      makeDirectory: async (path) => void mkdirSync(path, { recursive: true }),
      remove: async (path) => {
        if (!this.#sizes.has(path)) return;
        unlinkSync(path);
        this.#resize(path, undefined);
      },
      removeTree: async (path) => rmSync(path, { recursive: true, force: true }),
      rename: async (from, to) => {
        renameSync(from, to);
        this.#resize(to, this.#sizes.get(from) ?? 0);
        this.#resize(from, undefined);
      },
      syncDirectory: async () => undefined,
    };
  }

  #opened(handle: number, path: string): OpenFile {
    return {
      path,
      read: async (into, position) => readSync(handle, into, 0, into.length, position),
      write: async (bytes, position) => {
        let at = position;
        for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
          at += writeSync(handle, piece, 0, piece.length, at);
        }
        this.writtenBytes += at - position;
        this.#resize(path, Math.max(this.#sizes.get(path) ?? 0, at));
      },
      sync: async () => undefined,
      truncate: async (length) => {
        ftruncateSync(handle, length);
        this.#resize(path, length);
      },
      size: async () => fstatSync(handle).size,
      close: async () => closeSync(handle),
    };
  }
}
