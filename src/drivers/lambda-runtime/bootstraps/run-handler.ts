import type { Handler } from './load-handler.ts';

/** How a handler ended. */
export type HandlerEnd = { readonly value: unknown } | { readonly error: unknown };

/** What a handler is told beside its event, as far as it is data. */
export type ContextFacts = Readonly<Record<string, unknown>>;

/** What a run needs of the process. */
export interface Loop {
  /** Calls `run` when nothing is left that the process waits for; undefined takes that back. */
  whenEmpty(run: (() => void) | undefined): void;
}

/**
 * Calls a handler in any of the ways there are: it returns a promise, calls back, uses the context's `done`, or (what
 * Lambda ignores) returns a value at once. One that does none of these has returned null once nothing is left to wait
 * for.
 */
export async function runHandler(
  handler: Handler,
  event: unknown,
  facts: ContextFacts,
  deadlineMs: number,
  loop: Loop,
): Promise<HandlerEnd> {
  try {
    return await new Promise<HandlerEnd>((resolve) => call(handler, event, facts, deadlineMs, loop, resolve));
  } finally {
    loop.whenEmpty(undefined);
  }
}

function call(
  handler: Handler,
  event: unknown,
  facts: ContextFacts,
  deadlineMs: number,
  loop: Loop,
  end: (end: HandlerEnd) => void,
): void {
  const done = (error: unknown, value?: unknown): void =>
    error === undefined || error === null ? end({ value }) : end({ error });
  const context = {
    ...facts,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    done,
    succeed: (value: unknown) => done(undefined, value),
    fail: (error: unknown) => done(error ?? 'handled'),
  };
  const callback = (error: unknown, value?: unknown): void => {
    const isFailed = error !== undefined && error !== null;
    if (isFailed || !context.callbackWaitsForEmptyEventLoop) done(error, value);
    else loop.whenEmpty(() => done(undefined, value));
  };
  loop.whenEmpty(() => done(undefined, null));
  try {
    const returned = handler(event, context, callback);
    if (isThenable(returned)) {
      returned.then(
        (value) => end({ value }),
        (error: unknown) => end({ error }),
      );
    } else if (returned !== undefined && handler.length < 3) done(undefined, returned);
  } catch (error) {
    end({ error });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
