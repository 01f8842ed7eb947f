/** Bounds of one call of a script. */
export interface ScriptLimits {
  /** Time of one call; a script that cannot be interrupted is ended with its engine at twice as much. */
  readonly timeMs: number;
  /** All memory of the script's engine: from 16 MiB, in steps of 64 KiB. */
  readonly memoryBytesMax: number;
  /** Of the result as JSON text. */
  readonly resultBytesMax: number;
}

/** One script: the body of a function, with a `return` at its top. */
export interface ScriptSpec {
  /** Shown in errors: the user's file. */
  readonly name: string;
  /** At most 256 KiB. */
  readonly text: string;
  readonly parameters: readonly string[];
  readonly limits?: Partial<ScriptLimits>;
}

/** Bytes reach the script as an array of numbers from 0 to 255; a text is JSON, and reaches it as its value. */
export type ScriptArgument = Uint8Array | string;

/** Why a call has no result. */
export type ScriptFailureKind =
  /** The text is no JavaScript. */
  | 'syntax'
  /** It threw. */
  | 'error'
  | 'time'
  | 'memory'
  /** It returned what is no JSON value, or too much. */
  | 'result';

export interface ScriptFailure {
  readonly kind: ScriptFailureKind;
  /** One line, at most 1,000 characters. */
  readonly message: string;
  /** In the user's file, from 1; absent when it cannot be told. */
  readonly line?: number;
  readonly column?: number;
}

/** What came of one call. */
export interface ScriptOutcome {
  /** The result as JSON text; absent when there is a failure. */
  readonly json?: string;
  readonly failure?: ScriptFailure;
  /** What the script printed: at most 100 lines and 16 KiB. */
  readonly printed: readonly string[];
}

/** A script ready to be called. */
export interface Script {
  /** The syntax error of the text; undefined when there is none. Runs nothing of it. */
  problem(): Promise<ScriptFailure | undefined>;
  /**
   * Calls it once for each list of arguments; outcomes stand in the order of the calls, and no call has to do with the
   * failure of another. Never rejects for what a script does. ThrottleError `ScriptsBusy` when too much waits already;
   * EnvironmentError when no engine can be started, or it was closed.
   */
  call(calls: readonly (readonly ScriptArgument[])[]): Promise<readonly ScriptOutcome[]>;
}

/** Runs pasted scripts, contained in time and memory, with no way to anything outside. */
export interface ScriptRuntime {
  open(spec: ScriptSpec): Script;
  /** Ends all engines; what waits is rejected. */
  close(): Promise<void>;
}
