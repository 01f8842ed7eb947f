import { streamArn } from '../../kernel/names.ts';
import { promised } from './broken-promise.ts';
import type { Life } from './life.ts';
import { outcomeOf } from './outcome.ts';
import { payload } from './payload.ts';
import type { ClientAction, DeliveryName } from './plan.ts';
import type { Sent } from './sent-record.ts';
import { destinationOf, folderOf } from './simulated-node.ts';
import type { StreamModel } from './stream-model.ts';

type Direct = Extract<ClientAction, { do: 'direct' }>;
type Look = Extract<ClientAction, { do: 'look' }>;
type Flush = Extract<ClientAction, { do: 'flush' }>;

/** Direct records stand in one shard of the delivery's own. */
const DIRECT_SHARD = 'direct';

/** Puts records directly to a delivery. */
export async function direct(life: Life, { id, count }: Direct): Promise<void> {
  const { direct: model } = life.oracle;
  const sent = Array.from({ length: count }, (_, index) => {
    const text = `d${id}-${index}`;
    const bytes = payload(text, 0).length;
    return model.sends({ text, bytes, hashKey: 0n, sender: 'direct', life: life.number }, life.now);
  });
  const Records = sent.map(({ text }) => ({ Data: Buffer.from(payload(text, 0)).toString('base64') }));
  const DeliveryStreamName = 'direct';
  const [first] = Records;
  const askedAt = life.now;
  const outcome = await (count === 1
    ? life.firehose('PutRecord', { DeliveryStreamName, Record: first })
    : life.firehose('PutRecordBatch', { DeliveryStreamName, Records }));
  if (outcome.kind === 'unknown') return;
  const results =
    outcome.kind === 'refused'
      ? []
      : count === 1
        ? [outcome.answer as { RecordId?: string }]
        : (outcome.answer as { RequestResponses: readonly { RecordId?: string }[] }).RequestResponses;
  for (const [index, one] of sent.entries()) settle(life, model, one, { id: results[index]?.RecordId, askedAt });
}

function settle(
  life: Life,
  model: StreamModel,
  sent: Sent,
  { id, askedAt }: { readonly id: string | undefined; readonly askedAt: number },
): void {
  if (id !== undefined) return model.stands(sent, { shardId: DIRECT_SHARD, sequenceNumber: id }, life.now);
  promised(life.mayRefuse(askedAt), `${sent.text} was refused, and nothing is wrong with the disk`);
  model.refuses(sent);
}

/** Creates the delivery `extra` of the stream `main`. */
export async function deliver(life: Life): Promise<void> {
  const { oracle } = life;
  if (oracle.extra.presence !== 'absent') return;
  oracle.extra = { presence: 'unsure', since: Infinity };
  const outcome = await life.firehose('CreateDeliveryStream', {
    DeliveryStreamName: 'extra',
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: { KinesisStreamARN: streamArn('us-east-1', '000000000000', 'main') },
    ...destinationOf('extra', life.shape),
  });
  promised(outcome.kind !== 'refused', `a delivery could not be made: ${JSON.stringify(outcome)}`);
  if (outcome.kind === 'done') oracle.extra = { presence: 'there', since: life.now };
}

/** Deletes the delivery `extra`. */
export async function undeliver(life: Life): Promise<void> {
  const { oracle } = life;
  if (oracle.extra.presence !== 'there') return;
  oracle.extra = { presence: 'unsure', since: Infinity };
  const outcome = await life.firehose('DeleteDeliveryStream', { DeliveryStreamName: 'extra' });
  promised(outcome.kind !== 'refused', `a delivery could not be deleted: ${JSON.stringify(outcome)}`);
  if (outcome.kind === 'done') oracle.extra = { presence: 'absent', since: Infinity };
}

/** Finds out, at the start of a life, whether `extra` is there. */
export async function settleDeliveries(life: Life): Promise<void> {
  const { oracle } = life;
  const outcome = await life.firehose('DescribeDeliveryStream', { DeliveryStreamName: 'extra' });
  if (outcome.kind === 'unknown') return;
  const isThere = outcome.kind === 'done';
  const { presence, since } = oracle.extra;
  promised(presence === 'unsure' || isThere === (presence === 'there'), `extra is ${presence}, and ${outcome.kind}`);
  oracle.extra = isThere ? { presence: 'there', since } : { presence: 'absent', since: Infinity };
}

/** Asks for everything that waits to be delivered; whether it was. */
export async function flush(life: Life, { delivery }: Flush): Promise<boolean> {
  const before = [...sourceOf(life, delivery).all()].filter((sent) => isPromised(life, delivery, sent));
  const outcome = await outcomeOf(life.node.admin('POST', '/admin/deliveries/{name}/flush', { name: delivery }));
  if (outcome.kind !== 'done' || !(outcome.answer as { flushed: boolean }).flushed) return false;
  if (delivery === 'extra' && life.oracle.extra.presence !== 'there') return true;
  const found = lookAtBucket(life, delivery);
  for (const sent of before) {
    const isThere = life.oracle.flips > 0 || found.has(sent) || sourceOf(life, delivery).mayBeExpired(sent, life.now);
    promised(isThere, `${sent.text} was stored, ${delivery} was flushed, and it was not delivered`);
  }
  return true;
}

/** Asks for everything that waits for the function; whether it took all of it. */
export async function flushHandler(life: Life): Promise<boolean> {
  const { main, handler, flips } = life.oracle;
  const before = [...main.all()].filter((sent) => typeof sent.fate === 'object');
  const outcome = await outcomeOf(life.node.admin('POST', '/admin/deliveries/{name}/flush', { name: 'handler' }));
  if (outcome.kind !== 'done' || !(outcome.answer as { flushed: boolean }).flushed) return false;
  for (const sent of before) {
    const isOver = flips > 0 || handler.has(sent) || main.mayBeExpired(sent, life.now);
    promised(isOver, `${sent.text} was stored, and the function never took it`);
  }
  return true;
}

function sourceOf({ oracle }: Life, delivery: DeliveryName): StreamModel {
  return delivery === 'direct' ? oracle.direct : oracle.main;
}

function isPromised({ oracle }: Life, delivery: DeliveryName, sent: Sent): boolean {
  return typeof sent.fate === 'object' && (delivery !== 'extra' || sent.sentAt > oracle.extra.since);
}

/** Looks at what a delivery has written so far. */
export function look(life: Life, { delivery }: Look): void {
  lookAtBucket(life, delivery);
}

function lookAtBucket(life: Life, delivery: DeliveryName): ReadonlySet<Sent> {
  const objects = new Map(life.simulation.filesBelow(folderOf(delivery)));
  const isAboutGone = (path: string): boolean => path.startsWith(`${folderOf(delivery)}/retention-exceeded/`);
  for (const path of objects.keys()) {
    if (!isAboutGone(path)) continue;
    const mayBe = life.oracle.flips > 0 || sourceOf(life, delivery).mayAnyBeExpired(life.now);
    promised(mayBe, `${path} tells of records that were gone, and none can be`);
    objects.delete(path);
  }
  return life.oracle.buckets[delivery].holds(objects);
}
