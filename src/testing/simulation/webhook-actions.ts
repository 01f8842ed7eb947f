import { promised } from './broken-promise.ts';
import type { Life } from './life.ts';
import { payload } from './payload.ts';
import type { ClientAction } from './plan.ts';
import { textOf } from '../text-of.ts';

type Hook = Extract<ClientAction, { do: 'hook' }>;
/** Where a start finds no room, a route is ready some time after there is room again, ms. */
const READY_MS = 5000;

type Forge = Extract<ClientAction, { do: 'forge' }>;

/** Posts a webhook, several copies at once; an id that was posted before gets the answer it got then. */
export async function hook(life: Life, { id, copies }: Hook): Promise<void> {
  await Promise.all(Array.from({ length: copies }, async () => await postHook(life, `id${id}`)));
}

/** Posts one webhook; whether it was answered. */
export async function postHook(life: Life, deliveryId: string): Promise<boolean> {
  const sent = life.oracle.posts(deliveryId, life.number, life.now);
  const { text, bytes } = sent;
  const askedAt = life.now;
  const { status, body } = await life.node.post(deliveryId, payload(text, bytes));
  // Whether a 503 left something behind is not said; the repeat will tell.
  if (status === 503) {
    promised(life.mayRefuse(askedAt - READY_MS), 'a webhook was answered 503, and nothing is wrong with the disk');
    return false;
  }
  promised(status === 200, `a webhook was answered ${status}: ${textOf(body)}`);
  const { ShardId, SequenceNumber } = JSON.parse(textOf(body)) as { ShardId: string; SequenceNumber: string };
  const place = { shardId: ShardId, sequenceNumber: SequenceNumber };
  if (life.oracle.answersHook(deliveryId, place, life.now)) {
    const isOlder = sent.life < life.number;
    life.simulation.tally.note(`a repeated webhook gets its answer${isOlder ? ' of an earlier life' : ''}`);
  }
  return true;
}

/** A webhook with a wrong signature is refused; should it be stored all the same, nobody sent it. */
export async function forge(life: Life, { id }: Forge): Promise<void> {
  const askedAt = life.now;
  const { status } = await life.node.post(`forged${id}`, `forged-${id};`, 'another secret');
  const isRefused = status === 401 || (status === 503 && life.mayRefuse(askedAt - READY_MS));
  promised(isRefused, `a forged webhook was answered ${status}`);
}
