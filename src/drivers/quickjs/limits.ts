import type { ScriptLimits } from '../../ports/script.ts';

/** What a script may take when nothing else is said. */
export const DEFAULT_LIMITS: ScriptLimits = {
  timeMs: 200,
  memoryBytesMax: 32 * 1024 * 1024,
  resultBytesMax: 1024 * 1024,
};

/** Bounds of one runtime. */
export interface PoolLimits {
  /** Threads that run scripts at once. */
  readonly workersMax: number;
  /** A thread that had nothing to do for so long is ended. */
  readonly idleMs: number;
  /** Arguments that wait, in bytes; beyond them calls are refused. */
  readonly waitingBytesMax: number;
}

/** Bounds when nothing else is said. */
export const POOL_LIMITS: PoolLimits = { workersMax: 2, idleMs: 60_000, waitingBytesMax: 64 * 1024 * 1024 };

/** A longer text is no converter. */
export const TEXT_CHARACTERS_MAX = 256 * 1024;
/** Parameters a script may have. */
export const PARAMETERS_MAX = 3;
/** Of a page of WebAssembly's memory. */
export const MEMORY_PAGE_BYTES = 65_536;
/** What the engine starts with. */
export const MEMORY_PAGES_MIN = 256;
/** Calls in one message to a thread. */
export const BATCH_CALLS_MAX = 100;
/** Bytes of arguments after which no more calls are added to a message. */
export const BATCH_BYTES_MAX = 1024 * 1024;
