import { RequestError } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { compileAwsCheck, type AwsCheck } from '../../kernel/schema/check-aws.ts';
import type { AwsForm } from '../../kernel/schema/aws-types.ts';
import type { Schema } from '../../kernel/schema/declare.ts';
import type { Audit } from '../../ports/audit.ts';
import type { NamedResource } from '../../ports/capability.ts';
import type { Clock, Environment } from '../../ports/environment.ts';
import type { HttpAnswer, HttpHandler, HttpRequest, WholeBody } from '../../ports/http.ts';
import { EventAnswer, RawAnswer, type Call, type Operation } from '../../ports/operation.ts';
import { holdsLongList } from './long-lists.ts';
import { cborCodec } from '../aws-cbor/codec.ts';
import { EVENT_STREAM, eventStream } from '../event-stream/index.ts';
import { Answers } from './answer.ts';
import { jsonCodec, type AwsCodec } from './codec.ts';
import { eventCodec } from './event-codec.ts';
import { authorized } from '../sigv4/authorized.ts';
import type { Gate } from '../sigv4/gate.ts';
import { checkSignatureShape, isUsuallySigned } from '../sigv4/signature-shape.ts';

/** An operation and what its capability's start returned. */
export interface ServedOperation {
  readonly operation: Operation<unknown>;
  readonly state: unknown;
  /** The word before `:` in permissions, and in the scope of signatures. */
  readonly service: string;
  /** Streams and deliveries that an input names. */
  resources(input: Readonly<Record<string, unknown>>): readonly NamedResource[];
}

/** What the protocol serves. */
export interface AwsJsonOptions {
  readonly operations: readonly ServedOperation[];
  readonly bodyBytesMax: number;
  readonly gate: Gate;
  /** Where changes are noted of who signs with a key pair. */
  readonly audit: Audit;
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
  for (const one of options.operations) {
    const { target, name, input } = one.operation;
    const check = { text: compileAwsCheck<Schema>(input), binary: compileAwsCheck<Schema>(input, 'binary') };
    served.set(`${target}.${name}`, { ...one, check });
  }
  const answers = new Answers(environment);
  return async (request) => {
    const known = CODECS.get(baseType(request));
    const codec = known ?? JSON_1_1;
    const target = request.headers['x-amz-target'] ?? '';
    try {
      if (request.method === 'POST' && known === undefined) throw new RequestError('UnknownOperationException', '');
      return await serve(request, served.get(target), options, codec, answers);
    } catch (error) {
      return answers.error(codec, error, request, target);
    }
  };
}

/**
 * As on AWS the body is looked at before the action, the action before the signature, and that before the members.
 * Where signatures are verified they come first: nothing of a stranger's is parsed.
 */
async function serve(
  request: HttpRequest,
  served: Served | undefined,
  { bodyBytesMax, gate, audit }: AwsJsonOptions,
  codec: AwsCodec,
  answers: Answers,
): Promise<HttpAnswer> {
  if (request.method !== 'POST') {
    throw new RequestError('MethodNotAllowed', 'AWS actions are POST requests', 405, { allow: 'POST' });
  }
  const presented = gate.begin(request, served?.service);
  const bytes = await request.readBody(bodyBytesMax, presented?.see);
  const caller = gate.finish(presented);
  const action = `${served?.service}:${served?.operation.name}`;
  const call = callOf(request, codec.form, served?.state);
  // Where a signature is verified or as usual, and what the body names does not matter: else the body comes first.
  const isPlain = caller === undefined ? isUsuallySigned(request) : !caller.isBound && caller.mayDo(action);
  const fast = isPlain ? await served?.operation.fast?.(bytes, call) : undefined;
  if (fast !== undefined) {
    request.recycleBody();
    return answers.ok(codec.contentType, fast.body, fast.sent);
  }
  const value = codec.parse(bytes);
  if (served === undefined) throw new RequestError('UnknownOperationException', '');
  if (caller === undefined) checkSignatureShape(request);
  const { operation, check } = served;
  const handle = async (): Promise<unknown> => await operation.handle(check[codec.form](value, bytes.length), call);
  const output =
    caller === undefined
      ? await handle()
      : await authorized({ caller, action, operation, request, audit }, served.resources(objectOf(value)), handle);
  if (output instanceof EventAnswer) {
    const events = eventCodec(operation.events ?? {}, codec, (error) => {
      return answers.exception(error, request, operation.name);
    });
    return answers.ok(EVENT_STREAM, eventStream(output.events, events, output.cut));
  }
  const { contentType } = codec;
  if (output instanceof RawAnswer) return answers.ok(contentType, output.body, output.sent);
  if (operation.output === undefined) return answers.ok(contentType, '');
  return answers.ok(contentType, await written(codec, operation.output, output, answers.clock));
}

/** An answer with a long list is written in turns of the loop. */
async function written(codec: AwsCodec, schema: Schema, value: unknown, clock: Clock): Promise<WholeBody> {
  if (!holdsLongList(schema, value)) return codec.value(schema, value);
  const pieces: Uint8Array[] = [];
  for (const piece of codec.pieces(schema, value)) {
    pieces.push(piece);
    await nextTurn(clock);
  }
  return pieces;
}

function callOf(request: HttpRequest, form: AwsForm, state: unknown): Call<unknown> {
  return {
    requestId: request.id,
    form,
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

/** What is no object names nothing. */
function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
