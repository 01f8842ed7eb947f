import type { EnvironmentCode, EnvironmentError } from '../../kernel/errors.ts';
import { withoutSecrets } from '../../kernel/without-secrets.ts';
import type { ClientAnswer } from '../../ports/http-client.ts';

/** Why a request did not do. */
export interface Failure {
  readonly code: HttpEndpointCode;
  readonly message: string;
  readonly retryable: boolean;
  /** The answer's; absent: there was none. */
  readonly status?: number;
  /** There was no connection: another request would fail as this one did. */
  readonly isUnreachable: boolean;
  readonly cause?: EnvironmentError;
}

/** AWS's codes, and what else ends an attempt. */
export type HttpEndpointCode =
  | 'HttpEndpoint.RequestTimeout'
  | 'HttpEndpoint.ResponseTooLarge'
  | 'HttpEndpoint.InvalidResponseFromDestination'
  | 'HttpEndpoint.DestinationException'
  | 'HttpEndpoint.ConnectionFailed'
  | 'HttpEndpoint.ConnectionReset'
  | 'HttpEndpoint.SSLHandshakeFailure'
  | 'HttpEndpoint.EncodingFailed'
  | 'HttpEndpoint.RecordsChanged'
  | 'HttpEndpoint.Stopped';

/** AWS's bound of an answer with its headers. */
export const ANSWER_BYTES_MAX = 1024 * 1024;
/** AWS's bound of an error message. */
const ERROR_CHARACTERS_MAX = 8192;
/** Of other words of an answer in a sentence. */
const SHOWN_CHARACTERS_MAX = 100;
const TOO_LARGE = 413;

const CODES: Readonly<Partial<Record<EnvironmentCode, HttpEndpointCode>>> = {
  ETIMEDOUT: 'HttpEndpoint.RequestTimeout',
  EMSGSIZE: 'HttpEndpoint.ResponseTooLarge',
  ECONNREFUSED: 'HttpEndpoint.ConnectionFailed',
  ENOTFOUND: 'HttpEndpoint.ConnectionFailed',
  ENOTALLOWED: 'HttpEndpoint.ConnectionFailed',
  ECONNRESET: 'HttpEndpoint.ConnectionReset',
  ETLS: 'HttpEndpoint.SSLHandshakeFailure',
  ENOTENCODED: 'HttpEndpoint.EncodingFailed',
};
const UNREACHABLE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'ENOTALLOWED', 'ETLS']);

/** What a request came to whose client failed so. */
export function failureOf(error: EnvironmentError): Failure {
  const { code, message } = error;
  return {
    code: CODES[code] ?? 'HttpEndpoint.InvalidResponseFromDestination',
    message,
    retryable: true,
    isUnreachable: UNREACHABLE.has(code),
    cause: error,
  };
}

/** Whether the endpoint found the request too large. */
export function isTooLarge({ status }: Failure): boolean {
  return status === TOO_LARGE;
}

/**
 * Why the answer to a request with this id is none of success, by AWS's response specification; undefined when it is.
 * What it says stands in the message, without the secret.
 */
export async function judge(answer: ClientAnswer, requestId: string, secret: string): Promise<Failure | undefined> {
  const { status, headers } = answer;
  const head = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  const body = await answer.readBody(Math.max(0, ANSWER_BYTES_MAX - head));
  const said = parsed(body);
  if (status !== 200) return refusal(status, said, secret);
  const reason = formProblem(headers, secret) ?? contentProblem(said, requestId);
  if (reason === undefined) return undefined;
  return {
    code: 'HttpEndpoint.InvalidResponseFromDestination',
    message: `The response of the endpoint is invalid: ${reason}`,
    retryable: true,
    status,
    isUnreachable: false,
  };
}

function refusal(status: number, said: Readonly<Record<string, unknown>>, secret: string): Failure {
  const { requestId, timestamp, errorMessage } = said;
  const shown = {
    ...(typeof requestId === 'string' && { requestId: shortened(requestId, secret) }),
    ...(typeof timestamp === 'number' && { timestamp }),
    ...(typeof errorMessage === 'string' && {
      errorMessage: withoutSecrets(errorMessage, [secret]).slice(0, ERROR_CHARACTERS_MAX),
    }),
  };
  const body = Object.keys(shown).length === 0 ? '' : ` ${JSON.stringify(shown)}`;
  return {
    code: 'HttpEndpoint.DestinationException',
    // AWS's words (its guide), and the status.
    message: `Received the following response from the endpoint destination. ${status}${body}`,
    retryable: status !== TOO_LARGE,
    status,
    isUnreachable: false,
  };
}

function formProblem(headers: ClientAnswer['headers'], secret: string): string | undefined {
  const type = headers['content-type'];
  // AWS takes no parameter behind it.
  if (type?.trim().toLowerCase() !== 'application/json')
    return `its Content-Type is ${shortened(type, secret)}, not application/json`;
  if (headers['content-encoding'] !== undefined) return 'it has a Content-Encoding';
  return headers['content-length'] === undefined ? 'it has no Content-Length' : undefined;
}

function contentProblem(
  { requestId, timestamp }: Readonly<Record<string, unknown>>,
  wanted: string,
): string | undefined {
  if (requestId === undefined) return 'its body has no requestId, or is no JSON object';
  if (requestId !== wanted) return 'its requestId is another one';
  return typeof timestamp === 'number' ? undefined : 'its timestamp is no number';
}

/** The members of the body; none where it is no JSON object. */
function parsed(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Some servers repeat the key that they refuse. */
function shortened(text = 'missing', secret = ''): string {
  return withoutSecrets(text, [secret]).slice(0, SHOWN_CHARACTERS_MAX);
}
