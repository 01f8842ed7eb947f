import assert from 'node:assert/strict';
import { openCatalog, type OpenCatalog } from '../../engines/catalog/index.ts';
import { openRecords, type OpenRecords } from '../../engines/records/index.ts';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { AwsForm } from '../../kernel/schema/aws-types.ts';
import { compileAwsCheck } from '../../kernel/schema/check-aws.ts';
import { RawAnswer, type Call, type Operation } from '../../ports/operation.ts';
import type { StreamInfo } from '../../ports/records.ts';
import { cborOf } from '../../testing/cbor-of.ts';
import { MemoryCommandLog } from '../../testing/memory-command-log.ts';
import { MemoryStore } from '../../testing/memory-store.ts';
import { callOperation } from '../../testing/open-node.ts';
import { textOf } from '../../testing/text-of.ts';
import { quietEnvironment, type QuietEnvironment } from '../../testing/quiet-environment.ts';
import { decodeCbor } from '../../wire/aws-cbor/decode.ts';
import { plainCbor } from '../../testing/plain-cbor.ts';
import type { KinesisState } from './model.ts';
import { openKinesisState } from './state.ts';
import { createStream } from './operations/create-stream.ts';

/** JSON of any shape; tests look into answers as clients do. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = any;

/** Kinesis over real streams and a real catalog, on a store and a log in memory. */
export interface Bench {
  readonly environment: QuietEnvironment;
  readonly store: MemoryStore;
  readonly catalog: OpenCatalog;
  readonly records: OpenRecords;
  readonly state: KinesisState;
  /**
   * Calls as the wire does: JSON in, checked against the shape, JSON out; undefined for an empty body. Resolves when the
   * stream is ACTIVE again.
   */
  readonly call: (operation: Operation<KinesisState>, input: unknown) => Promise<Answer>;
  /** The same straight from the body's bytes; undefined where the operation leaves it to the full parse. */
  readonly fast: (operation: Operation<KinesisState>, body: string | object) => Promise<Answer>;
  /** Both in CBOR: as values, bytes as such and times in ms. */
  readonly callCbor: (operation: Operation<KinesisState>, input: unknown) => Promise<Answer>;
  readonly fastCbor: (operation: Operation<KinesisState>, input: unknown) => Promise<Answer>;
  /** `Code: sentence` of the refusal; fails when the call succeeds or dies of anything but bad input. */
  readonly refusal: (operation: Operation<KinesisState>, input: unknown) => Promise<string>;
  /** Creates a provisioned stream of so many shards. */
  readonly make: (name: string, shards?: number) => Promise<StreamInfo>;
  /** Puts one record per text into the shard that starts at the hash key. */
  readonly fill: (name: string, texts: readonly string[], hashKey?: bigint) => Promise<readonly string[]>;
  /** Splits the stream's first shard in the middle. */
  readonly split: (name: string) => Promise<StreamInfo>;
}

const identity = { region: 'us-east-1', account: '000000000000' };

/** Makes one; `counted` hears of every metric. */
export async function openBench(
  counted: (name: string, labels: Readonly<Record<string, string>>, by: number) => void = () => undefined,
): Promise<Bench> {
  const environment = quietEnvironment();
  environment.meter.count = (name, labels = {}, by = 1) => counted(name, labels, by);
  const store = new MemoryStore(environment.clock);
  const catalog = await openCatalog(new MemoryCommandLog(environment.clock), environment);
  const records = await openRecords(store, catalog, environment, identity);
  const state = openKinesisState({ records, catalog, identity }, environment);
  const bench: Bench = {
    environment,
    store,
    catalog,
    records,
    state,
    call: async (operation, input) => {
      const answer = await call(state, operation, input);
      const { StreamName } = input as { readonly StreamName?: string };
      if (StreamName !== undefined) await records.settled(StreamName);
      return answer;
    },
    fast: async (operation, body) => await fast(state, operation, body),
    callCbor: async (operation, input) => await callCbor(state, operation, input),
    fastCbor: async (operation, input) => await fastCbor(state, operation, input),
    refusal: async (operation, input) => await refusal(state, operation, input),
    make: async (name, shards = 1) => {
      await call(state, createStream, { StreamName: name, ShardCount: shards });
      return described(bench, name);
    },
    fill: async (name, texts, hashKey = 0n) => {
      const inputs = texts.map((text) => ({ partitionKey: 'k', explicitHashKey: hashKey, data: Buffer.from(text) }));
      const placed = await records.append(name, inputs);
      return placed.map((one) => ('sequenceNumber' in one ? one.sequenceNumber : one.failed));
    },
    split: async (name) => await split(bench, name),
  };
  return bench;
}

async function call(state: KinesisState, operation: Operation<KinesisState>, input: unknown): Promise<Answer> {
  return await callOperation(operation, state, JSON.parse(JSON.stringify(input)));
}

async function fast(state: KinesisState, operation: Operation<KinesisState>, body: string | object): Promise<Answer> {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const answer = await operation.fast?.(bytes, callOf(state, 'text'));
  return answer === undefined ? undefined : JSON.parse(textOf(answer.body));
}

async function callCbor(state: KinesisState, operation: Operation<KinesisState>, input: unknown): Promise<Answer> {
  const checked = compileAwsCheck(operation.input, 'binary')(decodeCbor(cborOf(input)));
  const answer = await operation.handle(checked, callOf(state, 'binary'));
  assert.ok(answer instanceof RawAnswer, `${operation.name} leaves its answer to the protocol`);
  return cborValue(answer);
}

async function fastCbor(state: KinesisState, operation: Operation<KinesisState>, input: unknown): Promise<Answer> {
  const answer = await operation.fast?.(cborOf(input), callOf(state, 'binary'));
  return answer === undefined ? undefined : cborValue(answer);
}

function callOf(state: KinesisState, form: AwsForm): Call<KinesisState> {
  return { requestId: 'test', form, signal: new AbortController().signal, state, hold: async () => undefined };
}

/** Copied: what is lent is free again. */
function cborValue({ body, sent }: RawAnswer): Answer {
  assert.ok(typeof body !== 'string', 'CBOR is no text');
  const value = plainCbor(decodeCbor(Buffer.concat([body].flat())));
  sent?.();
  return value;
}

async function refusal(state: KinesisState, operation: Operation<KinesisState>, input: unknown): Promise<string> {
  try {
    await call(state, operation, input);
  } catch (error) {
    if (error instanceof RequestError || error instanceof ThrottleError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return assert.fail(`${operation.name} took ${JSON.stringify(input)}`);
}

function described({ records }: Bench, name: string): StreamInfo {
  const stream = records.describe(name);
  assert.ok(stream !== undefined, `no stream ${name}`);
  return stream;
}

async function split(bench: Bench, name: string): Promise<StreamInfo> {
  const [parent] = described(bench, name).shards;
  assert.ok(parent !== undefined);
  const middle = (parent.startingHashKey + parent.endingHashKey) / 2n;
  await bench.records.reshard(name, { split: parent.id, at: middle + 1n });
  await bench.records.settled(name);
  return described(bench, name);
}

/** All that the metrics of Kinesis counted, by name and stream. */
export function tally(): {
  readonly seen: Record<string, number>;
  readonly count: (name: string, labels: Readonly<Record<string, string>>, by: number) => void;
} {
  const seen: Record<string, number> = {};
  return {
    seen,
    count: (name, labels, by) => {
      if (!name.startsWith('kinesis_')) return;
      const key = `${name} ${labels['stream'] ?? ''}`;
      seen[key] = (seen[key] ?? 0) + by;
    },
  };
}

/** AWS's refusal of one member; a value of null is one that is missing. */
export function invalid(value: string | null, place: string, rule: string): string {
  const shown = value === null ? 'null' : `'${value}'`;
  const violation = `Value ${shown} at '${place}' failed to satisfy constraint: Member must ${rule}`;
  return `ValidationException: 1 validation error detected: ${violation}`;
}

/** What a test expects to be refused, and how. */
export type Refusals = readonly (readonly [input: object, sentence: string])[];

/** Calls with each input and compares the refusals. */
export async function refuses(bench: Bench, operation: Operation<KinesisState>, table: Refusals): Promise<void> {
  for (const [input, sentence] of table) assert.equal(await bench.refusal(operation, input), sentence);
}
