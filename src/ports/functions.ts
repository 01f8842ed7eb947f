/** What a call of a handler may say beside its event. */
export interface InvokeOptions {
  /** Kept over retries of one event; made up when absent. */
  readonly requestId?: string;
  /** Aborts when nobody waits for the answer any more: a handler that runs already is ended. */
  readonly signal?: AbortSignal;
  /** A handler that runs already goes on where `signal` aborts: only what has not begun never does. */
  readonly goesOn?: boolean;
  /** The caller made the event's JSON itself: it is not looked at again. */
  readonly isChecked?: boolean;
}

/** How a handler failed, in the words of Lambda. */
export interface FunctionFailure {
  /** For example `TypeError`, `Runtime.ExitError`, `Sandbox.Timedout`. */
  readonly type: string;
  readonly message: string;
}

/** One finished run of a handler. */
export interface Invocation {
  readonly requestId: string;
  /**
   * What the handler returned, or Lambda's error object: JSON text in UTF-8 from our bootstraps; what other runtimes
   * answer is not looked at. At most 6 MiB.
   */
  readonly payload: Uint8Array;
  /** Absent when the handler returned. */
  readonly failure?: FunctionFailure;
  /** The last 4 KiB of what the run logged, START, END and REPORT lines included. */
  readonly logTail: string;
}

/** The users' own handlers, as other rooms see them. */
export interface Functions {
  has(name: string): boolean;
  /**
   * Runs a handler once with a JSON event in UTF-8 (at most 6 MiB). A handler that fails is an Invocation, too.
   * RequestErrors: ResourceNotFoundException, InvalidRequestContentException, RequestTooLargeException; ThrottleError
   * TooManyRequestsException when all that may run at once is busy and the queue is full.
   */
  invoke(name: string, event: Uint8Array, options?: InvokeOptions): Promise<Invocation>;
}
