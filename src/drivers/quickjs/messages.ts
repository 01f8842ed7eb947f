import type { ScriptFailure, ScriptLimits, ScriptOutcome } from '../../ports/script.ts';
import type { WasmModule } from './web-assembly.ts';

/** What a thread needs to run a script. */
export interface EngineSpec {
  /** Tells scripts apart within one runtime. */
  readonly id: number;
  readonly text: string;
  readonly parameters: readonly string[];
  readonly limits: ScriptLimits;
}

/** A JSON text, or where in the batch's bytes an argument lies. */
export type PackedArgument = string | { readonly at: number; readonly length: number };

/** Calls for a thread; without any, the script is only read. */
export interface Batch {
  readonly spec: EngineSpec;
  /** Of all arguments, in a buffer of their own. */
  readonly bytes: Uint8Array;
  readonly calls: readonly (readonly PackedArgument[])[];
}

/** What a thread has done of its batch. */
export interface BatchDone {
  /** Of the first calls; the others were not begun. A plain text is a result without anything printed. */
  readonly outcomes: readonly (string | ScriptOutcome)[];
  /** The script is no JavaScript. */
  readonly problem?: ScriptFailure | undefined;
  /** The thread is not to be used again. */
  readonly isSpent: boolean;
}

/** What a thread starts with. */
export interface WorkerStart {
  /** The compiled engine. */
  readonly wasm: WasmModule;
  /** Int32s by PROGRESS. */
  readonly progress: SharedArrayBuffer;
}

/** What a thread tells while it cannot answer. */
export const PROGRESS = {
  /** How many calls it has begun since its start. */
  begun: 0,
  /** One of STEP. */
  step: 1,
} as const;

/** What a thread is about, on behalf of a batch. */
export const STEP = {
  /** It has not begun, or makes an engine: nothing of the script's takes part. */
  preparing: 0,
  /** Reads the script for the next call, or just to read it. */
  reading: 1,
  calling: 2,
} as const;
