import { RequestError } from '../../kernel/errors.ts';
import { compileAwsCheck, type AwsCheck } from '../../kernel/schema/check-aws.ts';
import type { AwsForm } from '../../kernel/schema/aws-types.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../../ports/http.ts';
import { EventAnswer, RawAnswer, type Call, type Operation } from '../../ports/operation.ts';
import { cborCodec } from '../aws-cbor/codec.ts';
import { EVENT_STREAM, eventStream } from '../event-stream/index.ts';
import { Answers } from './answer.ts';
import { jsonCodec, type AwsCodec } from './codec.ts';
import { eventCodec } from './event-codec.ts';
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
  readonly check: Readonly<Record<AwsForm, AwsCheck<Schema>>>;
}

const JSON_1_1 = jsonCodec('application/x-amz-json-1.1');
const CODECS: ReadonlyMap<string, AwsCodec> = new Map(
  [JSON_1_1, jsonCodec('application/x-amz-json-1.0'), jsonCodec('application/json'), cborCodec].map((codec) => {
    return [codec.contentType, codec];
  }),
);

/** AWS's JSON 1.1 protocol, and the same in CBOR: `POST /` with an `X-Amz-Target`. Never rejects. */
export function createAwsJson(options: AwsJsonOptions, environment: Environment): HttpHandler {
  const served = new Map<string, Served>();
  for (const { operation, state } of options.operations) {
    const { input } = operation;
    const check = { text: compileAwsCheck<Schema>(input), binary: compileAwsCheck<Schema>(input, 'binary') };
    served.set(`${operation.target}.${operation.name}`, { operation, state, check });
  }
  const answers = new Answers(environment);
  return async (request) => {
    const known = CODECS.get(baseType(request));
    const codec = known ?? JSON_1_1;
    const target = request.headers['x-amz-target'] ?? '';
    try {
      if (request.method === 'POST' && known === undefined) throw new RequestError('UnknownOperationException', '');
      return await serve(request, served.get(target), options.bodyBytesMax, codec, answers);
    } catch (error) {
      return answers.error(codec, error, request, target);
    }
  };
}

/** As on AWS the body is looked at before the action, the action before the signature, and that before the members. */
async function serve(
  request: HttpRequest,
  served: Served | undefined,
  bodyBytesMax: number,
  codec: AwsCodec,
  answers: Answers,
): Promise<HttpAnswer> {
  if (request.method !== 'POST') {
    throw new RequestError('MethodNotAllowed', 'AWS actions are POST requests', 405, { allow: 'POST' });
  }
  const bytes = await request.readBody(bodyBytesMax);
  const call = callOf(request, served?.state);
  // Only where a signature is as usual: else the body comes first. What is plain is so in JSON.
  const fast =
    codec.form === 'text' && isUsuallySigned(request) ? await served?.operation.fast?.(bytes, call) : undefined;
  if (fast !== undefined) {
    request.recycleBody();
    return answers.ok(codec.contentType, fast.json, fast.sent);
  }
  const value = codec.parse(bytes);
  if (served === undefined) throw new RequestError('UnknownOperationException', '');
  checkSignatureShape(request);
  const { operation, check } = served;
  const output = await operation.handle(check[codec.form](value, bytes.length), call);
  if (output instanceof EventAnswer) {
    const events = eventCodec(operation.events ?? {}, codec, (error) => {
      return answers.exception(error, request, operation.name);
    });
    return answers.ok(EVENT_STREAM, eventStream(output.events, events));
  }
  const { contentType } = codec;
  if (output instanceof RawAnswer) return raw(answers, codec, operation, output);
  if (operation.output === undefined) return answers.ok(contentType, '');
  return answers.ok(contentType, codec.value(operation.output, output));
}

/** An answer in the codec's own words lies in memory of its own: that of the operation is free at once. */
function raw(answers: Answers, codec: AwsCodec, { output }: Operation<unknown>, { json, sent }: RawAnswer): HttpAnswer {
  const body = codec.raw(output, json);
  if (body === json) return answers.ok(codec.contentType, body, sent);
  sent?.();
  return answers.ok(codec.contentType, body);
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
