import { EnvironmentError, RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { Clock, Environment } from '../../ports/environment.ts';
import type { HttpAnswer, HttpBody, HttpRequest } from '../../ports/http.ts';
import { Fenced, Unavailable } from '../../ports/stream-store.ts';
import type { AwsCodec } from './codec.ts';
import type { StreamException } from '../event-stream/index.ts';

const ID2_BYTES = 72;
const ID2_AT_ONCE = 64;
const RETRY_SOON = { 'retry-after': '1' };

/** AWS's error body; only SerializationException spells `Message` with a capital, and a few have no message at all. */
function errorBody(codec: AwsCodec, code: string, message: string): HttpBody {
  if (message === '') return codec.members({ __type: code });
  return codec.members({ __type: code, [code === 'SerializationException' ? 'Message' : 'message']: message });
}

/** What a caller is told when trying again later may work. */
function throttled({ code, message }: ThrottleError): RequestError {
  // AWS's throttling exceptions are 400s that every SDK knows; room in memory is the server's own affair.
  return code === 'ServiceUnavailable' ? unavailable(message) : new RequestError(code, message);
}

function unavailable(message: string): RequestError {
  return new RequestError('ServiceUnavailableException', message, 503, RETRY_SOON);
}

/** Writes answers of AWS's protocols of this family. */
export class Answers {
  readonly #environment: Environment;
  #chance = Buffer.alloc(0);
  #chanceUsed = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Whose turns long answers are written in. */
  get clock(): Clock {
    return this.#environment.clock;
  }

  /** 200 with the text, or with an empty body for an action that answers nothing; `sent` is as HttpAnswer's. */
  ok(contentType: string, body: HttpBody, sent?: () => void): HttpAnswer {
    const answer = this.#answer(200, contentType, body);
    return sent === undefined ? answer : { ...answer, sent };
  }

  /** The AWS shape of whatever an operation was ended by. */
  error(codec: AwsCodec, error: unknown, request: HttpRequest, action: string): HttpAnswer {
    const { status, code, message, headers } = this.#refusal(error, request, action);
    const body = errorBody(codec, code, message);
    return this.#answer(status, codec.contentType, body, { ...headers, 'x-amzn-errortype': code });
  }

  /** The same for an answer whose head was sent already; streams know another name for what nobody expected. */
  exception(error: unknown, request: HttpRequest, action: string): StreamException {
    const refusal = this.#refusal(error, request, action);
    return refusal.status < 500 ? refusal : new RequestError('InternalFailureException', refusal.message);
  }

  #refusal(error: unknown, request: HttpRequest, action: string): RequestError {
    if (error instanceof RequestError) return error;
    if (error instanceof ThrottleError) return throttled(error);
    if (error instanceof Unavailable || error instanceof Fenced) {
      return unavailable('The service is unavailable. Try again later.');
    }
    const { log, meter } = this.#environment;
    const isOurs = !(error instanceof EnvironmentError);
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error(isOurs ? 'aws.bug' : 'aws.failed', { requestId: request.id, action, message: said });
    meter.count(isOurs ? 'http_bugs_total' : 'aws_failures_total');
    return new RequestError('InternalFailure', `The request failed; the log names it by ${request.id}.`, 500);
  }

  #answer(
    status: number,
    contentType: string,
    body: HttpBody,
    headers: Readonly<Record<string, string>> = {},
  ): HttpAnswer {
    return { status, headers: { ...headers, 'content-type': contentType, 'x-amz-id-2': this.#id2() }, body };
  }

  /** AWS's second id: long and without meaning; drawn from chance many at a time. */
  #id2(): string {
    if (this.#chanceUsed >= this.#chance.length) {
      this.#chance = Buffer.from(this.#environment.random.bytes(ID2_BYTES * ID2_AT_ONCE));
      this.#chanceUsed = 0;
    }
    this.#chanceUsed += ID2_BYTES;
    return this.#chance.toString('base64', this.#chanceUsed - ID2_BYTES, this.#chanceUsed);
  }
}
