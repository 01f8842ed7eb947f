import { RequestError } from '../../kernel/errors.ts';
import { compileAwsCheck, type AwsCheck } from '../../kernel/schema/check-aws.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../../ports/http.ts';
import { EventAnswer, RawAnswer, type Call, type Operation } from '../../ports/operation.ts';
import { EVENT_STREAM, eventStream } from '../event-stream/index.ts';
import { Answers } from './answer.ts';
import { encodeAwsJson } from './encode.ts';
import { jsonEvents } from './json-events.ts';
import { checkSignatureShape, isUsuallySigned } from './signature-shape.ts';

/** An operation and what its capability's start returned. */
export interface ServedOperation {
  readonly operation: Operation<unknown>;
  readonly state: unknown;
}

/** What the protocol serves. */
export interface AwsJsonOptions {
  readonly operations: readonly ServedOperation[];
  readonly bodyBytesMax: number;
}

interface Served extends ServedOperation {
  readonly check: AwsCheck<Schema>;
}

const JSON_1_1 = 'application/x-amz-json-1.1';
const CONTENT_TYPES: ReadonlySet<string> = new Set([JSON_1_1, 'application/x-amz-json-1.0', 'application/json']);

/** AWS's JSON 1.1 protocol: `POST /` with an `X-Amz-Target`. Never rejects. */
export function createAwsJson(options: AwsJsonOptions, environment: Environment): HttpHandler {
  const served = new Map<string, Served>();
  for (const { operation, state } of options.operations) {
    const check = compileAwsCheck<Schema>(operation.input);
    served.set(`${operation.target}.${operation.name}`, { operation, state, check });
  }
  const answers = new Answers(environment);
  return async (request) => {
    const contentType = answeredType(request);
    const target = request.headers['x-amz-target'] ?? '';
    try {
      return await serve(request, served.get(target), options.bodyBytesMax, contentType, answers);
    } catch (error) {
      return answers.error(contentType, error, request, target);
    }
  };
}

/** As on AWS the body is looked at before the action, the action before the signature, and that before the members. */
async function serve(
  request: HttpRequest,
  served: Served | undefined,
  bodyBytesMax: number,
  contentType: string,
  answers: Answers,
): Promise<HttpAnswer> {
  if (request.method !== 'POST') {
    throw new RequestError('MethodNotAllowed', 'AWS actions are POST requests', 405, { allow: 'POST' });
  }
  checkContentType(request);
  const bytes = await request.readBody(bodyBytesMax);
  const call = callOf(request, served?.state);
  // Only where a signature is as usual: else the body comes first.
  const fast = isUsuallySigned(request) ? await served?.operation.fast?.(bytes, call) : undefined;
  if (fast !== undefined) {
    request.recycleBody();
    return answers.ok(contentType, fast.json, fast.sent);
  }
  const value = parse(bytes);
  if (served === undefined) throw new RequestError('UnknownOperationException', '');
  checkSignatureShape(request);
  const { operation, check } = served;
  const output = await operation.handle(check(value, bytes.length), call);
  if (output instanceof EventAnswer) {
    const codec = jsonEvents(operation.events ?? {}, contentType, (error) => {
      return answers.exception(error, request, operation.name);
    });
    return answers.ok(EVENT_STREAM, eventStream(output.events, codec));
  }
  if (output instanceof RawAnswer) return answers.ok(contentType, output.json, output.sent);
  if (operation.output === undefined) return answers.ok(contentType, '');
  return answers.ok(contentType, JSON.stringify(encodeAwsJson(operation.output, output)));
}

function callOf(request: HttpRequest, state: unknown): Call<unknown> {
  return {
    requestId: request.id,
    state,
    get signal() {
      return request.signal;
    },
    hold: async (bytes: number) => await request.hold(bytes),
  };
}

function baseType(request: HttpRequest): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function answeredType(request: HttpRequest): string {
  const type = baseType(request);
  return CONTENT_TYPES.has(type) ? type : JSON_1_1;
}

function checkContentType(request: HttpRequest): void {
  const type = baseType(request);
  if (type === 'application/x-amz-cbor-1.1') {
    const hint =
      'CBOR is not built yet: set AWS_CBOR_DISABLE=true (or -Daws.cborEnabled=false) so that the client sends JSON';
    throw new RequestError('SerializationException', hint, 415);
  }
  if (!CONTENT_TYPES.has(type)) throw new RequestError('UnknownOperationException', '');
}

/** SerializationException without a message, as AWS answers to what is no JSON in UTF-8. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new RequestError('SerializationException', '');
  }
}
