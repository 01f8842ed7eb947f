import assert from 'node:assert/strict';
import { RequestError } from '../../kernel/errors.ts';
import type { AwsForm } from '../../kernel/schema/aws-types.ts';
import { EventAnswer, RawAnswer } from '../../ports/operation.ts';
import { NodeBench, type Answer } from '../../testing/node-bench.ts';
import { callAction } from '../../testing/open-node.ts';
import { plainCbor } from '../../testing/plain-cbor.ts';
import { decodeCbor } from '../../wire/aws-cbor/decode.ts';
import { textOf } from '../../testing/text-of.ts';

/** The first shard of each stream. */
export const SHARD = 'shardId-000000000000';
const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/';

/** What SubscribeToShard takes beside the consumer. */
export interface SubscribeRequest {
  readonly ShardId?: string;
  readonly StartingPosition?: object;
}

/** A node whose subscribers a test watches. */
export class SubscribedBench extends NodeBench {
  /** Calls an action of Kinesis. */
  async kinesis(action: string, input: object): Promise<Answer> {
    return await this.call(`Kinesis_20131202.${action}`, input);
  }

  /** Creates a stream of so many shards and a consumer of it, whose ARN this is. */
  async prepare(StreamName = 'a', ShardCount = 1, ConsumerName = 'c'): Promise<string> {
    await this.kinesis('CreateStream', { StreamName, ShardCount });
    return await this.register(StreamName, ConsumerName);
  }

  async register(stream: string, ConsumerName: string): Promise<string> {
    const { Consumer } = await this.kinesis('RegisterStreamConsumer', { StreamARN: ARN + stream, ConsumerName });
    return Consumer.ConsumerARN;
  }

  /** Puts one record per text, into the shard that starts at the hash key; the records' sequence numbers. */
  async put(texts: string, hashKey = '0', StreamName = 'a'): Promise<string[]> {
    const numbers: string[] = [];
    for (const text of texts.split(' ')) {
      const Data = Buffer.from(text).toString('base64');
      const record = { StreamName, PartitionKey: 'k', ExplicitHashKey: hashKey, Data };
      numbers.push((await this.kinesis('PutRecord', record)).SequenceNumber);
    }
    return numbers;
  }

  /** Begins a subscription, from LATEST on unless something else is asked for. */
  async subscribe(
    ConsumerARN: string,
    request: SubscribeRequest = {},
    form: AwsForm = 'text',
  ): Promise<WatchedSubscriber> {
    const client = new AbortController();
    const input = { ConsumerARN, ShardId: SHARD, StartingPosition: { Type: 'LATEST' }, ...request };
    const asked = callAction(this.node, 'Kinesis_20131202.SubscribeToShard', input, client.signal, form);
    const answer = await this.simulation.drive(asked);
    assert.ok(answer instanceof EventAnswer);
    return new WatchedSubscriber(answer, client, form);
  }

  /** `Code: sentence` of the refusal of a subscription. */
  async refusedSubscription(ConsumerARN: string, request: SubscribeRequest = {}): Promise<string> {
    const input = { ConsumerARN, ShardId: SHARD, StartingPosition: { Type: 'LATEST' }, ...request };
    return await this.refusal('Kinesis_20131202.SubscribeToShard', input);
  }

  /** How many subscriptions the node says go on. */
  get subscriptions(): number | undefined {
    return this.simulation.metrics.get('kinesis_subscriptions{}');
  }

  /** Lets virtual time pass. */
  async pass(ms: number): Promise<void> {
    await this.simulation.pass(ms);
  }
}

/** Opens one with nothing in it. */
export async function openSubscribed(seed = 1): Promise<SubscribedBench> {
  return await new SubscribedBench(seed).open();
}

/** Takes events as they come, unless it stalls, and writes down what it sees. */
export class WatchedSubscriber {
  /** Texts of records with how far behind; children; the end, or what ended it. Events without news are left out. */
  readonly seen: string[] = [];
  /** Events so far. */
  events = 0;
  /** The last continuation number that came. */
  continuation = '';
  /** Holds back from asking for the next event. */
  isStalled = false;
  readonly #client: AbortController;
  readonly #form: AwsForm;
  readonly #iterator: AsyncIterator<{ readonly type: string; readonly value: unknown }>;
  #resume: () => void = () => undefined;

  constructor(answer: EventAnswer, client: AbortController, form: AwsForm) {
    this.#form = form;
    this.#client = client;
    this.#iterator = answer.events[Symbol.asyncIterator]();
    answer.cut?.addEventListener('abort', () => {
      this.seen.push('cut');
      void this.#iterator.return?.();
    });
    void this.#run();
  }

  /** Texts of all records so far. */
  get texts(): string {
    return this.seen.map((event) => event.replace(/ \(\d+\)$/, '')).join(' ');
  }

  get transcript(): string {
    return this.seen.join(' | ');
  }

  resume(): void {
    this.isStalled = false;
    this.#resume();
  }

  /** The client is gone: its signal aborts and the iteration is returned from. */
  leave(): void {
    this.#client.abort();
    void this.#iterator.return?.();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#iterator.next();
        if (done === true) break;
        this.#look(value);
        if (this.isStalled) await new Promise<void>((resolve) => (this.#resume = resolve));
      }
      this.seen.push('end');
    } catch (error) {
      this.seen.push(error instanceof RequestError ? `${error.code}: ${error.message}` : String(error));
    }
  }

  #look({ type, value }: { readonly type: string; readonly value: unknown }): void {
    assert.equal(type, 'SubscribeToShardEvent');
    assert.ok(value instanceof RawAnswer);
    const event = this.#form === 'text' ? JSON.parse(textOf(value.body)) : cborOf(value);
    this.events += 1;
    this.continuation = event.ContinuationSequenceNumber ?? '';
    assert.equal(event.ContinuationSequenceNumber === undefined, event.ChildShards !== undefined);
    const texts = event.Records.map(({ Data }: Answer) => Buffer.from(Data, 'base64').toString());
    if (texts.length > 0) this.seen.push(`${texts.join(' ')} (${event.MillisBehindLatest})`);
    if (event.ChildShards === undefined) return;
    this.seen.push(`children ${event.ChildShards.map(({ ShardId }: Answer) => Number(ShardId.slice(-3))).join()}`);
  }
}

/** The event with data in base64, as JSON has it. */
function cborOf({ body }: RawAnswer): Answer {
  const event = plainCbor(decodeCbor(Buffer.concat([body].flat() as Uint8Array[]))) as Answer;
  for (const record of event.Records) record.Data = record.Data.toString('base64');
  return event;
}
