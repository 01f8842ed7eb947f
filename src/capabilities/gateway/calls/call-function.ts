import type { Environment } from '../../../ports/environment.ts';
import type { Functions, Invocation } from '../../../ports/functions.ts';
import type { RequestHead } from './call.ts';

/** Which function, and by what it is run. */
export interface Callee {
  readonly functions: Functions;
  readonly environment: Environment;
  readonly name: string;
}

/**
 * Runs a function for a request. `timeout` when it takes longer than `timeoutMs`, waiting for a free process included,
 * or when the sender went away: then the run is ended. Rejects as Functions.invoke does.
 */
export async function callFunction(
  { functions, environment, name }: Callee,
  event: object | Uint8Array,
  timeoutMs: number,
  request: Pick<RequestHead, 'signal'>,
): Promise<Invocation | 'timeout'> {
  const ended = new AbortController();
  const isOver = new Promise<'timeout'>((resolve) => ended.signal.addEventListener('abort', () => resolve('timeout')));
  const end = (): void => ended.abort();
  const cancel = environment.clock.timer(timeoutMs, end);
  request.signal.addEventListener('abort', end);
  if (request.signal.aborted) end();
  const bytes = event instanceof Uint8Array ? event : new TextEncoder().encode(JSON.stringify(event));
  const isChecked = !(event instanceof Uint8Array);
  try {
    const running = functions.invoke(name, bytes, { signal: ended.signal, isChecked });
    // What becomes of a run that nobody waits for any more is in the log of functions.
    running.catch(() => undefined);
    return await Promise.race([isOver, running]);
  } finally {
    cancel();
    request.signal.removeEventListener('abort', end);
  }
}
