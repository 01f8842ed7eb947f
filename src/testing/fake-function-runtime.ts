import { ThrottleError } from '../kernel/errors.ts';
import type { Clock } from '../ports/environment.ts';
import type {
  FunctionOutcome,
  FunctionRun,
  FunctionRuntime,
  FunctionSpec,
  FunctionSurroundings,
  OpenFunction,
} from '../ports/function-runtime.ts';

/** What a scripted handler does with an event. */
export interface FakeHandling {
  /** How long it takes, in ms; default 1. */
  readonly takesMs?: number;
  readonly prints?: readonly string[];
  /** What it returns, or how it fails. */
  readonly value?: unknown;
  readonly failure?: { readonly type: string; readonly message: string };
}

/** A handler by the `handler` of its function. */
export type FakeHandler = (event: unknown, run: FunctionRun, spec: FunctionSpec) => FakeHandling;

const WAITING_MAX = 1000;
const ABANDONED = { type: 'Sandbox.Abandoned', message: 'nobody waits for the answer any more' };

/** A FunctionRuntime without processes: time is the clock's alone, what a handler does is told by a table. */
export function fakeFunctionRuntime(
  clock: Clock,
  handlers: Readonly<Record<string, FakeHandler>> = {},
): FunctionRuntime {
  return {
    problem: async ({ handler }) => (handlers[handler] === undefined ? `there is no ${handler}` : undefined),
    mistake: async () => undefined,
    open: (spec) => new FakeFunction(spec, handlers[spec.handler] ?? unknown, clock),
    close: async () => undefined,
  };
}

/** A node that lends nothing. */
export const fakeSurroundings: FunctionSurroundings = {
  of: async () => ({ api: '', gateway: '', variables: {} }),
  forget: async () => undefined,
};

function unknown(): FakeHandling {
  return { failure: { type: 'Runtime.ImportModuleError', message: 'no such handler' } };
}

class FakeFunction implements OpenFunction {
  readonly #spec: FunctionSpec;
  readonly #handler: FakeHandler;
  readonly #clock: Clock;
  /** One for each run: the platform warns of one that many wait for. */
  readonly #ends = new Set<AbortController>();
  #isClosed = false;
  #isClosing = false;
  #processes = 0;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(spec: FunctionSpec, handler: FakeHandler, clock: Clock) {
    this.#spec = spec;
    this.#handler = handler;
    this.#clock = clock;
  }

  async run(run: FunctionRun): Promise<FunctionOutcome> {
    if (this.#isClosing || this.#waiting.length >= WAITING_MAX) {
      throw new ThrottleError('TooManyRequestsException', 'Rate Exceeded.');
    }
    if (run.signal?.aborted === true) return failed(ABANDONED, 0);
    if (this.#running < this.#spec.concurrencyMax) this.#running += 1;
    else if (!(await this.#hasTurn(run.signal))) return failed(ABANDONED, 0);
    const isFirst = this.#running > this.#processes;
    if (isFirst) this.#processes = this.#running;
    try {
      return { ...(await this.#handle(run)), ...(isFirst && { initMs: 1 }) };
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** Resolves with whether somebody waits still. */
  async #hasTurn(signal: AbortSignal | undefined): Promise<boolean> {
    return await new Promise<boolean>((resolve) => {
      const taken = (): void => resolve(true);
      this.#waiting.push(taken);
      const leave = (): void => {
        const at = this.#waiting.indexOf(taken);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve(false);
      };
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  stats(): ReturnType<OpenFunction['stats']> {
    return { processes: this.#processes, running: this.#running, waiting: this.#waiting.length };
  }

  async close(withinMs: number): Promise<void> {
    this.#isClosing = true;
    const end = this.#clock.monotonic() + withinMs;
    while (this.#running > 0 && this.#clock.monotonic() < end) await this.#clock.sleep(1);
    this.#isClosed = true;
    for (const end of this.#ends) end.abort();
    this.#processes = 0;
  }

  async #handle(run: FunctionRun): Promise<FunctionOutcome> {
    const { timeoutMs } = this.#spec;
    const event = JSON.parse(Buffer.from(run.event).toString()) as unknown;
    const { takesMs = 1, prints = [], value = null, failure } = this.#handler(event, run, this.#spec);
    const durationMs = Math.min(takesMs, timeoutMs);
    for (const line of prints) run.line?.(line);
    const end = new AbortController();
    this.#ends.add(end);
    if (run.goesOn !== true) run.signal?.addEventListener('abort', () => end.abort(), { once: true });
    await this.#clock.sleep(durationMs, end.signal);
    this.#ends.delete(end);
    const id = run.requestId;
    if (this.#isClosed) {
      return failed(
        { type: 'Runtime.ExitError', message: `RequestId: ${id} Error: Runtime exited with error: signal: killed` },
        durationMs,
      );
    }
    if (run.signal?.aborted === true && run.goesOn !== true) return failed(ABANDONED, durationMs);
    if (takesMs > timeoutMs) {
      const at = new Date(this.#clock.now()).toISOString();
      const message = `${at} ${id} Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
      return failed({ type: 'Sandbox.Timedout', message }, durationMs);
    }
    if (failure !== undefined) return failed(failure, durationMs);
    return { payload: Buffer.from(JSON.stringify(value)), durationMs, memoryBytesPeak: 1 };
  }
}

function failed(failure: { readonly type: string; readonly message: string }, durationMs: number): FunctionOutcome {
  const payload = Buffer.from(JSON.stringify({ errorType: failure.type, errorMessage: failure.message }));
  return { payload, failure, durationMs, memoryBytesPeak: 1 };
}
