import { DeliveryError, EnvironmentError, RequestError, ThrottleError } from '../../../kernel/errors.ts';
import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { firehoseLimits } from '../limits.ts';
import { transformAnswer, type TransformCode, type Transformed } from '../transform-answer.ts';
import type { Transform } from '../transform-options.ts';
import type { DeliveryNotes } from './delivery-notes.ts';
import type { WorkerDoors } from './worker.ts';

/** What a call is made with. */
export interface CallDoors extends Pick<WorkerDoors, 'functions' | 'http' | 'environment'> {
  readonly notes: DeliveryNotes;
  /** As it is now. */
  readonly transform: () => Transform | undefined;
  /** Ends a call that is under way, and any wait. */
  readonly cut: AbortSignal;
}

/** What became of the records of one event, with the calls it took. */
export interface CallOutcome {
  readonly records: readonly Transformed[];
  readonly calls: number;
}

const WAIT = { baseMs: firehoseLimits.functionWaitBaseMs, maxMs: firehoseLimits.functionWaitMaxMs };
const RETRY = { baseMs: firehoseLimits.backoffBaseMs, maxMs: firehoseLimits.backoffMaxMs };
const OK = 200;

type Tried =
  | { readonly kind: 'answer'; readonly payload: Uint8Array }
  | { readonly kind: 'failed'; readonly code: TransformCode; readonly message: string }
  /** Nothing was called: it costs no try. */
  | { readonly kind: 'waits'; readonly message: string };

/**
 * Has one event transformed, as often as the delivery says; then its records have failed. Undefined: it was cut off, or
 * there is nothing to transform by any more.
 */
export async function transformCall(
  event: Uint8Array,
  recordIds: readonly string[],
  doors: CallDoors,
): Promise<CallOutcome | undefined> {
  const { notes, environment, cut } = doors;
  let waits = 0;
  for (let calls = 0; ;) {
    const transform = doors.transform();
    if (transform === undefined || cut.aborted) return undefined;
    const tried = await attempt(event, transform, doors);
    if (cut.aborted) return undefined;
    if (tried.kind === 'waits') {
      waits += 1;
      notes.waits(tried.message);
      await environment.clock.sleep(backoffMs(waits, WAIT, environment.random.fraction()), cut);
      continue;
    }
    calls += 1;
    const read = tried.kind === 'answer' ? transformAnswer(tried.payload, recordIds) : tried;
    if (!('code' in read)) {
      notes.succeeded();
      return { records: read, calls };
    }
    const { code, message } = read;
    notes.failed(new DeliveryError(code, message, true));
    if (calls > transform.retries) {
      const failed = { result: 'ProcessingFailed', code, message } as const;
      return { records: recordIds.map(() => failed), calls };
    }
    await environment.clock.sleep(backoffMs(calls, RETRY, environment.random.fraction()), cut);
  }
}

async function attempt(event: Uint8Array, { to }: Transform, doors: CallDoors): Promise<Tried> {
  return 'url' in to ? await post(event, to.url, doors) : await invoke(event, to.name, doors);
}

async function invoke(event: Uint8Array, name: string, { functions, environment, cut }: CallDoors): Promise<Tried> {
  if (!functions.has(name)) return { kind: 'waits', message: `there is no function ${name}` };
  const late = new AbortController();
  const cancel = environment.clock.timer(firehoseLimits.transformTimeoutMs, () => late.abort());
  try {
    const signal = AbortSignal.any([cut, late.signal]);
    const { failure, payload } = await functions.invoke(name, event, { signal, isChecked: true });
    if (failure === undefined) return { kind: 'answer', payload };
    const code = failure.type === 'Sandbox.Timedout' ? 'Lambda.FunctionTimedOut' : 'Lambda.FunctionError';
    return { kind: 'failed', code, message: `function ${name}: ${failure.type}: ${failure.message}` };
  } catch (error) {
    if (late.signal.aborted) {
      return {
        kind: 'failed',
        code: 'Lambda.FunctionTimedOut',
        message: `function ${name}: no answer in five minutes`,
      };
    }
    if (cut.aborted || error instanceof ThrottleError || error instanceof RequestError) {
      const message = error instanceof Error ? error.message : String(error);
      return { kind: 'waits', message: `function ${name}: ${message}` };
    }
    throw error;
  } finally {
    cancel();
  }
}

async function post(event: Uint8Array, url: string, { http, cut }: CallDoors): Promise<Tried> {
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
    return { kind: 'failed', code: 'Lambda.FunctionError', message: `${new URL(url).host} answered ${answer.status}` };
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const code = error.code === 'ETIMEDOUT' ? 'Lambda.FunctionTimedOut' : 'Lambda.FunctionError';
    return { kind: 'failed', code, message: error.message };
  }
}
