import { RawAnswer, type OutgoingEvent } from '../../../ports/operation.ts';
import { onStream } from '../address.ts';
import { kinesisEvents } from '../events.ts';
import type { ReadEvent } from '../event-reader.ts';
import type { KinesisForm } from '../form.ts';
import { childShards, millisBehind, type KinesisState } from '../model.ts';
import { continuationNumber } from '../starting-point.ts';
import type { Subscription } from '../subscription.ts';

/** A reshard closes the parents before their children open: looked for again after so long. */
const CHILDREN_AGAIN_MS = 10;

/** Where a shard stands behind an event. */
interface Standing {
  /** No record follows this one, for now or for ever. */
  readonly isAtEnd: boolean;
  /** No record can follow. */
  readonly isClosed: boolean;
  /** The children of the closed shard, once they are open. */
  readonly children: unknown[] | undefined;
}

/**
 * The events of a subscription from an offset on: the records, as they come; where it stands, at first and when none
 * come; and at the shard's end its children. Throws the RequestError that ended it, and as Records does.
 */
export async function* subscriber(
  state: KinesisState,
  subscription: Subscription,
  from: bigint,
  form: KinesisForm,
): AsyncGenerator<OutgoingEvent> {
  const { stream } = subscription.consumer;
  let next = from;
  try {
    while (!subscription.isOver) {
      const read = await onStream(state, stream, async () => await state.fanOut.read(subscription, next, form));
      if (read === undefined) break;
      const { event, done } = read;
      try {
        ({ next } = event);
        const standing = await onStream(state, stream, async () => stand(state, subscription, next));
        const isEmptyBeforeChildren = event.count === 0 && standing.isClosed && standing.children === undefined;
        if (!isEmptyBeforeChildren) yield eventOf(state, subscription, event, form, standing);
        if (standing.children !== undefined) return;
        if (standing.isClosed) await state.environment.clock.sleep(CHILDREN_AGAIN_MS, subscription.signal);
        if (!standing.isAtEnd) continue;
      } finally {
        done();
      }
      await onStream(state, stream, async () => await subscription.wait(next));
    }
    if (subscription.reason !== undefined) throw subscription.reason;
  } finally {
    subscription.end();
  }
}

function stand(state: KinesisState, { consumer, shard }: Subscription, next: bigint): Standing {
  const { end, closedAt } = state.records.bounds(shard);
  const isClosed = closedAt !== undefined && next >= closedAt;
  const children = isClosed ? childShards(state, consumer.stream, shard) : undefined;
  return { isAtEnd: next >= end, isClosed, children };
}

function eventOf(
  state: KinesisState,
  { consumer, shard }: Subscription,
  { records, count, bytes, lastAt, next }: ReadEvent,
  form: KinesisForm,
  { isAtEnd, children }: Standing,
): OutgoingEvent {
  const { clock, meter } = state.environment;
  const labels = { stream: consumer.stream.name };
  if (count > 0) {
    meter.count(kinesisEvents.recordsOut, labels, count);
    meter.count(kinesisEvents.bytesOut, labels, bytes);
  }
  const MillisBehindLatest = millisBehind(isAtEnd, lastAt, clock.now());
  // Clients know the end of a shard by the number that is not there.
  const behind =
    children === undefined
      ? { ContinuationSequenceNumber: continuationNumber(shard.ref, next), MillisBehindLatest }
      : { MillisBehindLatest, ChildShards: children };
  const body = [form.before(count), records, form.after(behind)];
  return { type: 'SubscribeToShardEvent', value: new RawAnswer(body) };
}
