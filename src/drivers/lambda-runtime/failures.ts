import type { FunctionOutcome } from '../../ports/function-runtime.ts';

/** How a run failed, with the error object that its caller gets. */
export type RunFailure = Required<Pick<FunctionOutcome, 'failure' | 'payload'>>;

/** A failure that the runtime, and not the handler, tells: in Lambda's shape. */
export function runtimeFailure(type: string, message: string): RunFailure {
  const payload = Buffer.from(JSON.stringify({ errorType: type, errorMessage: message }));
  return { failure: { type, message }, payload };
}

/** The handler took longer than it may; Lambda's sentence. */
export function timedOut(requestId: string, timeoutMs: number, nowMs: number): RunFailure {
  const seconds = (timeoutMs / 1000).toFixed(2);
  const sentence = `${new Date(nowMs).toISOString()} ${requestId} Task timed out after ${seconds} seconds`;
  return runtimeFailure('Sandbox.Timedout', sentence);
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The process ended instead of an answer; Lambda's sentences. */
export function exited(requestId: string, { code, signal }: Exit): RunFailure {
  const how =
    signal !== null
      ? `exited with error: signal: ${SIGNALS[signal] ?? signal.toLowerCase()}`
      : code === 0
        ? 'exited without providing a reason'
        : `exited with error: exit status ${code ?? 'unknown'}`;
  return runtimeFailure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime ${how}`);
}

/** As Go, in which Lambda's supervisor is written, says them. */
const SIGNALS: Readonly<Record<string, string>> = {
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
  SIGABRT: 'aborted',
  SIGSEGV: 'segmentation fault',
  SIGBUS: 'bus error',
  SIGINT: 'interrupt',
  SIGILL: 'illegal instruction',
  SIGFPE: 'floating point exception',
  SIGTRAP: 'trace/breakpoint trap',
};

/** Its process group held more memory than it may. */
export function outOfMemory(requestId: string): RunFailure {
  const sentence = `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`;
  return runtimeFailure('Runtime.OutOfMemory', sentence);
}

/** The answer was larger than callers take. */
export function tooLarge(bytesMax: number): RunFailure {
  const sentence = `Response payload size exceeded maximum allowed payload size (${bytesMax} bytes).`;
  return runtimeFailure('Function.ResponseSizeTooLarge', sentence);
}

/** Nobody waits for the answer any more. */
export function abandoned(requestId: string): RunFailure {
  return runtimeFailure('Sandbox.Abandoned', `RequestId: ${requestId} Error: nobody waits for the answer any more`);
}

/** What comes of an event that nobody waited for any more before a process had taken it. */
export function unrun(requestId: string): FunctionOutcome {
  return { ...abandoned(requestId), durationMs: 0, memoryBytesPeak: 0 };
}

const SHOWN_MAX = 16 * 1024;
/** A larger one is not looked into: its type stands in its header too, and reading it would hold up all else. */
const READ_BYTES_MAX = 256 * 1024;

/** What a handler's runtime posted as its error: an object of Lambda's shape, or anything else. */
export function posted(payload: Uint8Array, type: string | undefined): RunFailure {
  const { errorType, errorMessage } = read(payload);
  return {
    payload,
    failure: { type: errorType ?? type ?? 'Runtime.Unknown', message: (errorMessage ?? '').slice(0, SHOWN_MAX) },
  };
}

function read(payload: Uint8Array): { readonly errorType?: string; readonly errorMessage?: string } {
  if (payload.length > READ_BYTES_MAX) return {};
  try {
    const value = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown> | null;
    const text = (name: string): string | undefined => (typeof value?.[name] === 'string' ? value[name] : undefined);
    const [errorType, errorMessage] = [text('errorType'), text('errorMessage')];
    return { ...(errorType !== undefined && { errorType }), ...(errorMessage !== undefined && { errorMessage }) };
  } catch {
    // Whatever the handler's runtime sent is handed on as it is.
    return {};
  }
}
