import { streamArn } from '../../kernel/names.ts';
import { RawAnswer, type OutgoingEvent } from '../../ports/operation.ts';
import { textOf } from '../text-of.ts';
import { promised } from './broken-promise.ts';
import type { Life } from './life.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import type { ClientAction } from './plan.ts';
import { Reading, type ReadFrom, type ReadRecord } from './reading.ts';
import { readFrom, startOf } from './read-from.ts';
import type { ListedShard } from './shard-tree.ts';

type Subscribe = Extract<ClientAction, { do: 'subscribe' }>;

interface Child {
  readonly ShardId: string;
  readonly ParentShards: readonly string[];
  readonly HashKeyRange: ListedShard['HashKeyRange'];
}

interface ShardEvent {
  readonly Records: readonly ReadRecord[];
  readonly MillisBehindLatest: number;
  /** Absent at the end of a closed shard. */
  readonly ContinuationSequenceNumber?: string;
  readonly ChildShards?: readonly Child[];
}

/** A consumer of `main` that follows shards until `signal` aborts. */
interface Consumer {
  readonly arn: string;
  readonly signal: AbortSignal;
}

/** Follows a shard, and behind its end the first of its children, for a while: events hold what reads would. */
export async function subscribe(life: Life, step: Subscribe): Promise<void> {
  const { main } = life.oracle;
  const shards = await life.shards('main', main);
  const shard = shards?.[Math.floor(step.shard * shards.length)];
  const arn = await register(life, `fan-${step.id}`);
  if (shard === undefined || arn === undefined) return;
  const client = new AbortController();
  const cancel = life.simulation.environment.clock.timer(step.ms, () => client.abort());
  const consumer = { arn, signal: client.signal };
  let from: ReadFrom = readFrom(life, main, shard.ShardId, step);
  for (let next: Followed | undefined = shard; next !== undefined && !client.signal.aborted;) {
    next = await follow(life, consumer, next, from);
    from = { type: 'TRIM_HORIZON' };
  }
  cancel();
  await life.kinesis('DeregisterStreamConsumer', { ConsumerARN: arn });
}

/** A shard to follow. */
type Followed = Pick<ListedShard, 'ShardId' | 'HashKeyRange'>;

async function register(life: Life, ConsumerName: string): Promise<string | undefined> {
  const StreamARN = streamArn('us-east-1', '000000000000', 'main');
  const outcome = await life.kinesis('RegisterStreamConsumer', { StreamARN, ConsumerName });
  promised(outcome.kind !== 'refused', `${ConsumerName} could not be registered: ${JSON.stringify(outcome)}`);
  if (outcome.kind !== 'done') return undefined;
  return (outcome.answer as { Consumer: { ConsumerARN: string } }).Consumer.ConsumerARN;
}

/** The first child of a shard that came to its end; undefined when the client left before, or the disk failed. */
async function follow(life: Life, consumer: Consumer, shard: Followed, from: ReadFrom): Promise<Followed | undefined> {
  const beganAt = life.now;
  const { ShardId } = shard;
  const input = { ConsumerARN: consumer.arn, ShardId, StartingPosition: startOf(from) };
  const asked = await outcomeOf(life.node.subscribe(input, consumer.signal));
  // A time that was the present may be the future once the clock was set back.
  if (asked.kind !== 'done') return fails(life, asked, life.oracle.wall.stepped(beganAt, life.now));
  const events = (asked.answer as AsyncIterable<OutgoingEvent>)[Symbol.asyncIterator]();
  const reading = new Reading(life.oracle.main, ShardId, from, { askedAt: beganAt, now: life.now });
  for (;;) {
    const askedAt = life.now;
    const outcome = await outcomeOf(events.next());
    if (outcome.kind !== 'done') return fails(life, outcome, false);
    const { done, value } = outcome.answer as IteratorResult<OutgoingEvent, undefined>;
    if (done === true) {
      promised(consumer.signal.aborted, `a subscription of ${ShardId} ended by itself`);
      reading.ends(life.now);
      return undefined;
    }
    const event = eventOf(value);
    const isAtTip = event.MillisBehindLatest === 0;
    reading.takes({ records: event.Records, isAtTip, askedAt, now: life.now });
    life.oracle.followed += event.Records.length;
    if (event.ChildShards !== undefined) {
      life.oracle.ends += 1;
      return await ends(event, shard, events);
    }
    promised(event.ContinuationSequenceNumber !== undefined, `an event of ${ShardId} does not say where to go on`);
  }
}

function fails(life: Life, outcome: Outcome, isExcused: boolean): undefined {
  const isDisk = outcome.kind === 'unknown' && life.isTroubled();
  promised(isExcused || isDisk, `a subscription failed: ${JSON.stringify(outcome)}`);
}

function eventOf({ value }: OutgoingEvent): ShardEvent {
  promised(value instanceof RawAnswer, 'an event of a subscription is no answer');
  return JSON.parse(textOf(value.body)) as ShardEvent;
}

/** The last event of a shard names its children, who own all its hash keys; nothing follows it. */
async function ends(
  { ContinuationSequenceNumber, ChildShards: children = [], MillisBehindLatest }: ShardEvent,
  { ShardId, HashKeyRange }: Followed,
  events: AsyncIterator<OutgoingEvent>,
): Promise<Followed | undefined> {
  promised(ContinuationSequenceNumber === undefined, `${ShardId} ended, and goes on`);
  promised(MillisBehindLatest === 0, `${ShardId} ended before its end`);
  let next = BigInt(HashKeyRange.StartingHashKey);
  for (const { ShardId: id, ParentShards, HashKeyRange: range } of children.toSorted(byRange)) {
    const isChild = ParentShards.includes(ShardId) && BigInt(range.StartingHashKey) <= next;
    promised(isChild, `${ShardId} ended, and ${id} is no child of it`);
    next = BigInt(range.EndingHashKey) + 1n;
  }
  promised(next > BigInt(HashKeyRange.EndingHashKey), `${ShardId} ended, and its children leave ${next} to nobody`);
  const after = await outcomeOf(events.next());
  const isOver = after.kind === 'done' && (after.answer as IteratorResult<unknown>).done === true;
  promised(isOver, `an event of ${ShardId} came behind its end`);
  return children[0];
}

function byRange(one: Child, other: Child): number {
  return BigInt(one.HashKeyRange.StartingHashKey) < BigInt(other.HashKeyRange.StartingHashKey) ? -1 : 1;
}
