/** The languages that have a bootstrap of ours. */
export type RuntimeName = 'node' | 'python' | 'realm';

/** One handler as it is to be run. */
export interface FunctionSpec {
  readonly name: string;
  readonly runtime: RuntimeName;
  /** Absolute path of the folder with its code: the working directory of the handler. */
  readonly codeDirectory: string;
  /** `file.export`, or for Python `module.function`; a dot-separated folder path may precede. */
  readonly handler: string;
  /** The interpreter to run (`python: PATH`); absent: `python3`, or the node that runs millrace. */
  readonly interpreter?: string;
  readonly timeoutMs: number;
  /** Resident memory of the whole process group above which it is ended. */
  readonly memoryBytesMax: number;
  /** Processes at once; each runs one event at a time. */
  readonly concurrencyMax: number;
  /** A process that had nothing to do for so long is ended. */
  readonly idleMs: number;
  /** All that the handler sees as its environment beside PATH, HOME, TMPDIR, LANG and Lambda's own variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Told to the handler as `invokedFunctionArn`. */
  readonly arn: string;
}

/** One event for a handler. */
export interface FunctionRun {
  readonly requestId: string;
  /** JSON text in UTF-8. */
  readonly event: Uint8Array;
  readonly signal?: AbortSignal;
  /** Where what the handler prints is shown as it comes, whole lines without their end; bounded by the driver. */
  readonly line?: (text: string) => void;
}

/** What came of one event. */
export interface FunctionOutcome {
  /** JSON text in UTF-8: the handler's value or Lambda's error object (`errorMessage`, `errorType`, `stackTrace`). */
  readonly payload: Uint8Array;
  /** Absent when the handler returned. Types are Lambda's (`Runtime.ExitError`, `Sandbox.Timedout`, …) or the handler's. */
  readonly failure?: { readonly type: string; readonly message: string };
  readonly durationMs: number;
  /** Time of the process's start when this was its first event. */
  readonly initMs?: number;
  readonly memoryBytesPeak: number;
}

/** A handler ready to be run. */
export interface OpenFunction {
  /** Never rejects for what the handler does; rejects with EnvironmentError when no process can be started at all. */
  run(event: FunctionRun): Promise<FunctionOutcome>;
  /** Processes, running and waiting events. */
  stats(): { readonly processes: number; readonly running: number; readonly waiting: number };
  /** Waits for what runs, within `withinMs`, then ends all processes. */
  close(withinMs: number): Promise<void>;
}

/** Runs users' handlers in processes of their own that speak Lambda's runtime API. */
export interface FunctionRuntime {
  /** What is missing to run it, in one line with the command that mends it; undefined when nothing is. */
  problem(spec: FunctionSpec): Promise<string | undefined>;
  open(spec: FunctionSpec): OpenFunction;
  close(): Promise<void>;
}
