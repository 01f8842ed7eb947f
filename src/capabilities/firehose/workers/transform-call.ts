import { EnvironmentError, RequestError, ThrottleError, messageOf } from '../../../kernel/errors.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import { serverOf } from '../../../kernel/net/config-url.ts';
import { firehoseLimits } from '../limits.ts';
import { transformAnswer, type TransformCode, type Transformed } from '../transform-answer.ts';
import type { Transform } from '../transform-options.ts';
import { missingFunction } from './event-bytes.ts';
import type { WorkerDoors } from './worker.ts';

/** What a call is made with. */
export interface CallDoors extends Pick<WorkerDoors, 'environment' | 'functions' | 'http'> {
  /** Ends a call that is under way. */
  readonly cut: AbortSignal;
}

/** One try to have an event transformed. */
export type Tried =
  | { readonly kind: 'done'; readonly records: readonly Transformed[] }
  | { readonly kind: 'failed'; readonly code: TransformCode; readonly message: string }
  /** Nothing was called: it costs no try. */
  | { readonly kind: 'waits'; readonly message: string };

type Answered = Exclude<Tried, { kind: 'done' }> | { readonly kind: 'answer'; readonly payload: Uint8Array };

const OK = 200;

/** Has one event transformed, once. */
export async function tryTransform(
  event: Uint8Array,
  recordIds: readonly string[],
  transform: Transform,
  doors: CallDoors,
): Promise<Tried> {
  const tried = await attempt(event, transform, doors);
  if (tried.kind !== 'answer') return tried;
  const { clock } = doors.environment;
  const turn = async (): Promise<void> => await nextTurn(clock);
  const read = await transformAnswer(tried.payload, recordIds, turn);
  return 'code' in read ? { kind: 'failed', ...read } : { kind: 'done', records: read };
}

async function attempt(event: Uint8Array, { to }: Transform, doors: CallDoors): Promise<Answered> {
  return 'url' in to ? await post(event, to.url, doors) : await invoke(event, to.name, doors);
}

/** A function ends by its own `timeoutSeconds`: what it waits for a free process is no part of that. */
async function invoke(event: Uint8Array, name: string, { functions, cut }: CallDoors): Promise<Answered> {
  if (!functions.has(name)) return { kind: 'waits', message: missingFunction(name) };
  try {
    const { failure, payload } = await functions.invoke(name, event, { signal: cut, isChecked: true });
    if (failure === undefined) return { kind: 'answer', payload };
    const code = failure.type === 'Sandbox.Timedout' ? 'Lambda.FunctionTimedOut' : 'Lambda.FunctionError';
    return { kind: 'failed', code, message: `function ${name}: ${failure.type}: ${failure.message}` };
  } catch (error) {
    if (cut.aborted || error instanceof ThrottleError || error instanceof RequestError) {
      const message = messageOf(error);
      return { kind: 'waits', message: `function ${name}: ${message}` };
    }
    throw error;
  }
}

async function post(event: Uint8Array, url: string, { http, cut }: CallDoors): Promise<Answered> {
  try {
    const answer = await http.send({
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: event,
      timeoutMs: firehoseLimits.transformTimeoutMs,
      signal: cut,
    });
    const payload = await answer.readBody(firehoseLimits.eventBytesMax);
    if (answer.status === OK) return { kind: 'answer', payload };
    return { kind: 'failed', code: 'Lambda.FunctionError', message: `${serverOf(url)} answered ${answer.status}` };
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const code = error.code === 'ETIMEDOUT' ? 'Lambda.FunctionTimedOut' : 'Lambda.FunctionError';
    return { kind: 'failed', code, message: error.message };
  }
}
