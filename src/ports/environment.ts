import type { KeyObject } from 'node:crypto';
import type { SnappyFraming } from '../kernel/bytes/snappy-frames.ts';

/** Everything time, chance, disk, network and observation: injected once at start, never imported elsewhere. */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly network: Network;
  readonly compute: Compute;
  readonly log: Log;
  readonly meter: Meter;
}

/** Time. All values are milliseconds. */
export interface Clock {
  /** Wall time since the Unix epoch; may step back or forward. */
  now(): number;
  /** Time that never steps back; only differences mean anything. */
  monotonic(): number;
  /** Calls `run` once after `ms`; the returned function cancels it. A timer alone keeps no process alive. */
  timer(ms: number, run: () => void): () => void;
  /** Resolves after `ms`, or at once when `signal` aborts: it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` after the events already waiting were handled (one turn of the loop). */
  soon(run: () => void): void;
}

/** Chance. */
export interface Random {
  /** `count` random bytes. */
  bytes(count: number): Uint8Array;
  /** A random (version 4) UUID in its usual text form. */
  uuid(): string;
  /** A number of at least 0 and below 1. */
  fraction(): number;
}

/** How a file is opened: `read` must exist; `write` must exist and may be changed; `create` must not exist yet. */
export type OpenMode = 'read' | 'write' | 'create';

/** The only door to the disk. Failures are EnvironmentErrors. Paths are absolute, with `/`. */
export interface Files {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** The whole content; ENOENT when absent. */
  readFile(path: string): Promise<Uint8Array>;
  /** Names inside a directory, sorted by code unit; a missing directory is empty. */
  list(directory: string): Promise<string[]>;
  /** Bytes of a file, or undefined when there is none. */
  size(path: string): Promise<number | undefined>;
  /** Whether the path is a directory. */
  isDirectory(path: string): Promise<boolean>;
  /** Makes the directory and its parents, mode 0700; existing ones are fine. */
  makeDirectory(path: string): Promise<void>;
  /** Removes a file; a missing one is fine. */
  remove(path: string): Promise<void>;
  /** Removes a directory with all it holds; a missing one is fine. */
  removeTree(path: string): Promise<void>;
  /** Replaces `to` in one step; durable only after syncDirectory of the folder. */
  rename(from: string, to: string): Promise<void>;
  /** Makes creations, renames and removals inside the directory durable. */
  syncDirectory(path: string): Promise<void>;
}

/** One open file. Positions and lengths are bytes. */
export interface OpenFile {
  readonly path: string;
  /** Reads up to `into.length` bytes at `position`; returns how many (0 at the end of the file). */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all bytes, piece after piece, at `position`; may be torn by a crash before the next sync. */
  write(bytes: Uint8Array | readonly Uint8Array[], position: number): Promise<void>;
  /** Resolves once data and size written so far survive a power cut (fdatasync). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Local sockets, used to find out whether another process owns the data directory. */
export interface Network {
  /** Whether something accepts connections on the local socket at `path`. */
  answers(path: string): Promise<boolean>;
  /** Listens on a local socket at `path` and accepts silently until closed; EADDRINUSE when taken. */
  listenLocal(path: string): Promise<{ close(): Promise<void> }>;
}

/** Content encodings of HTTP (RFC 9110) that can be undone. */
export type ContentEncoding = 'gzip' | 'deflate' | 'br';

/** What came out, or why nothing did: more than the bound, or bytes that are not of the encoding, or cut. */
export type Inflated = Uint8Array | 'too large' | 'malformed';

/** Counts what is held in memory. */
export interface Room {
  /** Waits until so many bytes more may be held; what it rejects with ends the work. */
  hold(bytes: number): Promise<void>;
  /** So many of them are not held, or not any more. */
  giveBack(bytes: number): void;
}

/**
 * Encoding, done off the main thread. The same input bytes give the same output bytes, however they are cut. What fails
 * in `chunks` ends the output; failures of its own are EnvironmentErrors. A chunk is looked at only until the next
 * one is asked for.
 */
export interface Compute {
  /** Bytes that one output holds at most while it is made. */
  readonly gzipHoldsBytes: number;
  readonly snappyHoldsBytes: number;
  /** One gzip member over all chunks, without a time in it. What is handed out is gone when more is asked for. */
  gzip(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /**
   * All chunks in blocks of 32 KiB, byte for byte as snappy-java 1.1.10 writes them, strung together by `framing`. What
   * is handed out is gone when more is asked for.
   */
  snappy(chunks: AsyncIterable<Uint8Array>, framing: SnappyFraming): AsyncIterable<Uint8Array>;
  /**
   * Undoes an encoding; never makes more than `maxBytes`, and a piece. What is small is inflated at once. `room` is
   * asked piece by piece, so that it holds what came out and not what might have; after a failure it may hold more.
   */
  inflate(bytes: Uint8Array, encoding: ContentEncoding, maxBytes: number, room?: Room): Promise<Inflated>;
  /** Whether bytes were signed with the other half of an Ed25519 key. What is small is looked at at once. */
  isSigned(bytes: Uint8Array, key: KeyObject, signature: Uint8Array): Promise<boolean>;
}

/** Structured log. `event` is a fixed name such as `delivery.done`; fields never hold secrets. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Values of one log line. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Metrics in Prometheus' sense; names carry their unit last (`_total`, `_bytes`, `_ms`). */
export interface Meter {
  count(name: string, labels?: MeterLabels, by?: number): void;
  gauge(name: string, labels: MeterLabels, value: number): void;
  observe(name: string, labels: MeterLabels, valueMs: number): void;
  /** Drops all series that have these labels, of whatever name: what they measured is gone. */
  forget(labels: MeterLabels): void;
}

/** Labels of one time series. */
export type MeterLabels = Readonly<Record<string, string>>;
