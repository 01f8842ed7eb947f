import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Credentials } from './credentials.ts';
import { EventStream } from './event-stream.ts';
import { sign } from './sign.ts';

/** JSON of any shape, looked into as clients do. */
export type Json = any; // oxlint-disable-line typescript/no-explicit-any

/** What is judged, and how patiently. */
export interface EndpointOptions {
  readonly url: string;
  readonly region: string;
  readonly credentials: Credentials;
  /** How long a stream or consumer may take to be what it was asked to be, in ms. */
  readonly waitMs: number;
  /** Whether sentences of errors count, beside their types. */
  readonly sentences: boolean;
}

/** One answer; `body` is empty where it is no JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Json;
}

/** A stream made for checks. */
export interface MadeStream {
  readonly name: string;
  readonly arn: string;
}

const TARGET = 'Kinesis_20131202';
const REQUEST_MS = 30_000;
const POLL_MS = 50;
const POLL_MS_MAX = 2000;
const JSON_1_1 = 'application/x-amz-json-1.1';

/** An endpoint under test, with the streams that were made on it. */
export class Endpoint {
  readonly options: EndpointOptions;
  /** Tells this run's names from those of others. */
  readonly #run = randomUUID().slice(0, 8);
  readonly #streams = new Map<string, Promise<MadeStream>>();
  readonly #names = new Set<string>();

  constructor(options: EndpointOptions) {
    this.options = options;
  }

  /** A name that nothing else uses; what stands under it is deleted at the end. */
  name(purpose: string): string {
    const name = `conformance-${purpose}-${this.#run}`;
    this.#names.add(name);
    return name;
  }

  /** A request as an SDK sends it. */
  async send(action: string, input: unknown): Promise<Answer> {
    return await this.post(JSON.stringify(input), this.#signed(action, JSON.stringify(input)));
  }

  /** Any body under the headers of an action. */
  async raw(action: string, body: string): Promise<Answer> {
    return await this.post(body, this.#signed(action, body));
  }

  /** Any body, any headers. */
  async post(body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const signal = AbortSignal.timeout(REQUEST_MS);
    const response = await fetch(this.options.url, { method: 'POST', body, headers, signal });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  }

  /** The body of an answer that must be a 200. */
  async ok(action: string, input: unknown): Promise<Json> {
    const { status, text, body } = await this.send(action, input);
    assert.ok(status === 200, `${action}: ${status} ${text.slice(0, 300)}`);
    return body;
  }

  /** The call must be answered with a 400 of one of the types (`A|B`); the sentence counts where sentences do. */
  async refuses(action: string, input: unknown, types: string, sentence?: RegExp): Promise<void> {
    const { status, text, body } = await this.send(action, input);
    const answered = `${status} ${text.slice(0, 300)}`;
    assert.ok(status === 400, `${action} must be refused with ${types}, not answered ${answered}`);
    const type = String(body['__type']).replace(/^.*#/, '');
    const said = String(body['message'] ?? body['Message'] ?? '');
    assert.ok(types.split('|').includes(type), `${action} must be refused with ${types}, not ${type}: ${said}`);
    if (this.options.sentences && sentence !== undefined) assert.match(said, sentence);
  }

  /** A stream that all who name the purpose share: of so many shards, on-demand without a number. */
  async stream(purpose: string, shards?: number): Promise<MadeStream> {
    const known = this.#streams.get(purpose);
    if (known !== undefined) return await known;
    const making = this.make(this.name(purpose), shards);
    this.#streams.set(purpose, making);
    return await making;
  }

  /** Creates a stream and waits until it can be used. */
  async make(name: string, shards?: number): Promise<MadeStream> {
    const shape = shards === undefined ? { StreamModeDetails: { StreamMode: 'ON_DEMAND' } } : { ShardCount: shards };
    await this.ok('CreateStream', { StreamName: name, ...shape });
    return { name, arn: (await this.active(name)).StreamARN };
  }

  /** Waits until a stream is ACTIVE and describes it with its shards. */
  async active(name: string): Promise<Json> {
    return await this.eventually(async () => {
      const { StreamDescription } = await this.ok('DescribeStream', { StreamName: name });
      assert.equal(StreamDescription.StreamStatus, 'ACTIVE', `stream ${name} does not become ACTIVE`);
      return StreamDescription;
    });
  }

  /** Changes a stream, and waits until it is changed. */
  async change(action: string, name: string, input: object): Promise<Json> {
    const answer = await this.ok(action, input);
    await this.active(name);
    return answer;
  }

  /** Deletes a stream and waits until it is gone. */
  async remove(name: string): Promise<void> {
    await this.ok('DeleteStream', { StreamName: name, EnforceConsumerDeletion: true });
    await this.eventually(async () => {
      await this.refuses('DescribeStream', { StreamName: name }, 'ResourceNotFoundException');
    });
  }

  /** Repeats what fails until it succeeds or `waitMs` are over, more and more slowly. */
  async eventually<T>(work: () => Promise<T>): Promise<T> {
    const until = Date.now() + this.options.waitMs;
    for (let ms = POLL_MS; ; ms = Math.min(ms * 2, POLL_MS_MAX)) {
      try {
        return await work();
      } catch (error) {
        if (Date.now() + ms > until) throw error;
        await pause(ms);
      }
    }
  }

  /** Puts a record into the first shard. */
  async put(name: string, text: string, more: object = {}): Promise<{ ShardId: string; SequenceNumber: string }> {
    const record = { StreamName: name, PartitionKey: 'k', ExplicitHashKey: '0', Data: base64(text), ...more };
    return await this.ok('PutRecord', record);
  }

  /** What GetRecords answers from a position in a shard, the first one unless `more` says otherwise. */
  async read(name: string, type: string, more: object = {}, limit?: number): Promise<Json> {
    return await this.ok('GetRecords', { ShardIterator: await this.iterator(name, type, more), Limit: limit });
  }

  /** An iterator. */
  async iterator(name: string, type: string, more: object = {}): Promise<string> {
    const place = { StreamName: name, ShardId: shard(0), ShardIteratorType: type, ...more };
    return (await this.ok('GetShardIterator', place)).ShardIterator;
  }

  /** Registers a consumer and waits until it can subscribe. */
  async consumer(arn: string, name: string): Promise<Json> {
    const made = await this.ok('RegisterStreamConsumer', { StreamARN: arn, ConsumerName: name });
    return await this.eventually(async () => {
      const input = { ConsumerARN: made.Consumer.ConsumerARN };
      const { ConsumerDescription } = await this.ok('DescribeStreamConsumer', input);
      assert.equal(ConsumerDescription.ConsumerStatus, 'ACTIVE', `consumer ${name} does not become ACTIVE`);
      return ConsumerDescription;
    });
  }

  /** Subscribes; the answer's first event must be the one that says so. */
  async subscribe(consumer: string, position: object): Promise<EventStream> {
    const body = JSON.stringify({ ConsumerARN: consumer, ShardId: shard(0), StartingPosition: position });
    const client = new AbortController();
    const headers = this.#signed('SubscribeToShard', body);
    const late = setTimeout(() => client.abort(new Error('no answer came')), REQUEST_MS);
    const response = await fetch(this.options.url, { method: 'POST', body, headers, signal: client.signal });
    clearTimeout(late);
    if (response.status !== 200) assert.fail(`SubscribeToShard: ${response.status} ${await response.text()}`);
    const stream = new EventStream(response, client);
    try {
      const first = await stream.next();
      assert.equal(first?.type, 'initial-response', 'the first event must be initial-response');
      return stream;
    } catch (error) {
      stream.leave();
      throw error;
    }
  }

  /** Deletes whatever was made; what cannot be deleted is named. */
  async cleanUp(): Promise<readonly string[]> {
    const left: string[] = [];
    for (const name of this.#names) {
      try {
        const { status, body } = await this.send('DeleteStream', { StreamName: name, EnforceConsumerDeletion: true });
        const isGone = status === 200 || String(body['__type']).endsWith('ResourceNotFoundException');
        if (!isGone) left.push(name);
      } catch {
        left.push(name);
      }
    }
    return left;
  }

  #signed(action: string, body: string): Record<string, string> {
    const { url, region, credentials } = this.options;
    const headers = { 'content-type': JSON_1_1, 'x-amz-target': `${TARGET}.${action}` };
    return sign({ host: new URL(url).host, region, body, headers, at: new Date() }, credentials);
  }
}

/** Waits so many ms. */
export async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => void setTimeout(resolve, ms));
}

/** The id of the shard with an ordinal. */
export function shard(ordinal: number): string {
  return `shardId-${String(ordinal).padStart(12, '0')}`;
}

/** Base64, as JSON carries bytes. */
export function base64(data: string | Uint8Array): string {
  return Buffer.from(data as string).toString('base64');
}

/** The texts of records. */
export function texts({ Records }: Json): string[] {
  return Records.map(({ Data }: Json) => Buffer.from(Data, 'base64').toString());
}

/** Clients take a member of null for one that is not there. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text, (_, value: unknown) => value ?? undefined) ?? {};
  } catch {
    return {};
  }
}
