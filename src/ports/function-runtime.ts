/** The languages that have a bootstrap of ours. */
export type RuntimeName = 'node' | 'python' | 'realm';

/** One handler as it is to be run. */
export interface FunctionSpec {
  readonly name: string;
  readonly runtime: RuntimeName;
  /** Absolute path of the folder with its code: the working directory of the handler. */
  readonly codeDirectory: string;
  /** `file.export`, or for Python `module.function`; a folder path with slashes may precede. */
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
  readonly region: string;
  /** Whether changed code is noticed: what runs ends on the old code, what comes then starts on the new one. */
  readonly isWatched: boolean;
}

/** One event for a handler. */
export interface FunctionRun {
  readonly requestId: string;
  /** JSON text in UTF-8. */
  readonly event: Uint8Array;
  /** Aborts when nobody waits for it any more: it leaves the queue, and a process that is at work on it is ended. */
  readonly signal?: AbortSignal;
  /** A process that is at work on it goes on all the same. */
  readonly goesOn?: boolean;
  /** Where what the handler prints is shown as it comes, whole lines without their end; bounded by the driver. */
  readonly line?: (text: string) => void;
}

/** What came of one event. */
export interface FunctionOutcome {
  /**
   * What the handler's runtime answered, as it is: JSON text in UTF-8 from our bootstraps, whatever it was from
   * others; or Lambda's error object (`errorMessage`, `errorType`, and `trace` or `stackTrace`). At most 6 MiB.
   */
  readonly payload: Uint8Array;
  /** Absent when it returned. Types are Lambda's (`Runtime.ExitError`, `Sandbox.Timedout`, …) or the handler's. */
  readonly failure?: { readonly type: string; readonly message: string };
  readonly durationMs: number;
  /** Time of the process's start when this was its first event. */
  readonly initMs?: number;
  readonly memoryBytesPeak: number;
}

/** How many processes and events of one function there are. */
export interface FunctionStats {
  readonly processes: number;
  readonly running: number;
  readonly waiting: number;
}

/** A handler ready to be run. */
export interface OpenFunction {
  /**
   * Never rejects for what the handler does. Rejects with EnvironmentError when no process can be started at all, and
   * with ThrottleError TooManyRequestsException when all processes are busy and too many events wait, or it is closed.
   */
  run(event: FunctionRun): Promise<FunctionOutcome>;
  stats(): FunctionStats;
  /** Waits for what runs and what waits, within `withinMs`, then ends all processes. */
  close(withinMs: number): Promise<void>;
}

/** Runs users' handlers in processes of their own that speak Lambda's runtime API. */
export interface FunctionRuntime {
  /** What is missing to run it, in one line with the command that mends it; undefined when nothing is. */
  problem(spec: FunctionSpec): Promise<string | undefined>;
  /** The syntax error of the handler's file, in a line with its place. Runs nothing of it, and starts a program. */
  mistake(spec: FunctionSpec): Promise<string | undefined>;
  open(spec: FunctionSpec): OpenFunction;
  close(): Promise<void>;
}

/** What a handler's AWS clients need to reach the node. */
export interface Surroundings {
  /** URLs of the listeners, without a slash at the end. */
  readonly api: string;
  readonly gateway: string;
  /** Region, service endpoints and a key pair of the function's own, as environment variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What the node lends to handlers. */
export interface FunctionSurroundings {
  /** `allow` adds patterns of actions to those of the data plane. Resolves once the listeners answer. */
  of(name: string, allow: readonly string[]): Promise<Surroundings>;
  /** The function is no more: its key pair opens nothing. */
  forget(name: string): Promise<void>;
}
