import { DeliveryError, EnvironmentError, type EnvironmentCode } from '../../kernel/errors.ts';
import { bounded, isRetryableStatus } from './bulk-answer.ts';
import type { Naming } from './naming.ts';

/**
 * Codes of what has no status of the engine's. With one, the code is the status, as on AWS. Elasticsearch's begin with
 * `ES`.
 */
export type OpenSearchCode =
  | 'ConnectionFailed'
  | 'ConnectionReset'
  | 'RequestTimeout'
  | 'SSLHandshakeFailure'
  | 'ResponseTooLarge'
  | 'InvalidResponse'
  | 'InvalidDocument'
  | 'NoCredentials'
  | 'DomainNotFound'
  | 'Stopped';

const NO_DOCUMENT: OpenSearchCode = 'InvalidDocument';

const CODES: Partial<Record<EnvironmentCode, OpenSearchCode>> = {
  ECONNRESET: 'ConnectionReset',
  ETIMEDOUT: 'RequestTimeout',
  ETLS: 'SSLHandshakeFailure',
  EMSGSIZE: 'ResponseTooLarge',
};

/** A failure without an answer. */
export function failure({ codes }: Naming, code: OpenSearchCode, message: string, cause?: unknown): DeliveryError {
  return new DeliveryError(`${codes}.${code}`, message, true, cause);
}

/** What is said of a record that is no document. */
export function noDocument({ codes }: Naming): { readonly code: string; readonly message: string } {
  return { code: `${codes}.${NO_DOCUMENT}`, message: 'the record is not one JSON object' };
}

/** A failure of what the HTTP client threw; anything else as it came. */
export function connectionFailure(naming: Naming, url: string, error: unknown): unknown {
  if (!(error instanceof EnvironmentError)) return error;
  return failure(naming, CODES[error.code] ?? 'ConnectionFailed', `${url}: ${error.message}`, error);
}

/** An answer that is about the request as a whole; `clean` takes secrets out of what it said. */
export function statusFailure(
  url: string,
  status: number,
  answer: Uint8Array,
  clean: (text: string) => string,
): DeliveryError {
  const said = clean(Buffer.from(answer).toString().trim());
  const message = bounded(`${url} answered ${status}${said === '' ? '' : `: ${said}`}`);
  // What is neither an answer of the engine nor an error of it (a redirect, say) is a matter of configuration.
  return new DeliveryError(String(status), message, status < 400 || isRetryableStatus(status));
}
