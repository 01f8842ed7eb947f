/**
 * The five families of errors. Codes are closed lists kept beside the code that raises them;
 * nobody decides by reading a message.
 */

/** A broken promise of our own code: never the caller's fault. Ends the request with a 500 and is logged as a bug. */
export class Defect extends Error {
  override readonly name = 'Defect';
}

/** The caller's input cannot be served as given; `code` is an AWS exception or gateway word, `status` is HTTP's. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: string;
  readonly status: number;
  /** Extra response headers, for example `retry-after` or `allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, status = 400, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

/** A bound was reached; trying again later may work. `retryAfterMs` is a hint, in milliseconds. */
export class ThrottleError extends Error {
  override readonly name = 'ThrottleError';
  readonly code: string;
  readonly retryAfterMs: number;

  constructor(code: string, message: string, retryAfterMs = 1000) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A destination refused or failed; `retryable` says whether the same attempt may succeed later. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
  }
}

/** What the outside world may refuse; operating systems' names, so that real and simulated files agree. */
export type EnvironmentCode =
  | 'ENOENT'
  | 'EEXIST'
  | 'ENOSPC'
  | 'EIO'
  | 'EACCES'
  | 'EADDRINUSE'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'ENOTFOUND'
  | 'ENOTALLOWED'
  | 'ETIMEDOUT'
  | 'ETLS'
  | 'EMSGSIZE'
  /** What encodes ended: the same bytes may be encoded later. */
  | 'ENOTENCODED'
  | 'EOTHER';

/** The disk, the network or the process's surroundings failed. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
  readonly code: EnvironmentCode;

  constructor(code: EnvironmentCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** What is told of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
