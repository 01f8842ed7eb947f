import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { kinesis, type Put } from '../support/kinesis.ts';
import { call, type NodeProcess } from '../support/node-process.ts';
import { sendWebhook, type StoredWebhook } from '../support/post-webhook.ts';
import { reshardOnce } from '../support/reshard-once.ts';
import type { Model } from './model.ts';

/** The stream all loads share. */
export const STREAM = 'load';

/** One life of a node under load. */
export interface Life {
  readonly node: NodeProcess;
  readonly model: Model;
  /** Differs in each life of a data directory. */
  readonly name: string;
  /** The node was killed: failing calls are the end, not an error. */
  isOver(): boolean;
}

/** Works on a node until its life is over. */
export type Load = (life: Life) => Promise<void>;

const BATCH = 10;

/** A closed loop of PutRecords, `bytes` a record at least, with `pauseMs` between two. */
export function puts(writer: string, bytes: number, pauseMs = 0): Load {
  return async (life) => {
    const { node, model, name } = life;
    for (let count = 0; !life.isOver(); count += 1) {
      const texts = Array.from({ length: BATCH }, (_, index) =>
        `${name}${writer}/${count}/${index};`.padEnd(bytes, '.').concat('\n'),
      );
      for (const text of texts) model.send(text);
      const answer = await call(node.api, 'Kinesis_20131202.PutRecords', {
        StreamName: STREAM,
        Records: texts.map((text) => ({ Data: Buffer.from(text).toString('base64'), PartitionKey: name + writer })),
      }).catch(() => undefined);
      if (answer === undefined) continue;
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const { Records } = answer.body as { Records: readonly Partial<Put>[] };
      for (const [index, { ShardId, SequenceNumber }] of Records.entries()) {
        if (ShardId === undefined || SequenceNumber === undefined) continue;
        model.acknowledge(texts[index] ?? '', { ShardId, SequenceNumber });
      }
      if (pauseMs > 0) await new Promise((done) => setTimeout(done, pauseMs));
    }
  };
}

/**
 * Webhooks one after the other: first those that got no answer before, the same again, as their sender would; now and
 * then one that was answered, as a redelivery is.
 */
export const hooks: Load = async (life) => {
  while (!life.isOver()) await sendHook(life, ...nextHook(life.model));
};

/** After the last kill: every webhook is answered in the end, if its sender comes again. */
export async function repeatUnanswered(life: Life): Promise<void> {
  for (const [id, text] of Array.from(life.model.unanswered)) await sendHook(life, id, text);
}

async function sendHook({ node, model }: Life, id: string, text: string): Promise<void> {
  const first = model.acknowledged.get(text);
  // Taken by one sender at a time: two that wait would hide which of them was answered.
  const isRepeat = model.unanswered.delete(id);
  if (first === undefined) model.send(text);
  const answer = await sendWebhook(`${node.gateway}/hooks`, node.secret('HOOKS'), id, text).catch(() => undefined);
  if (answer?.status !== 200) {
    // The kill, or "nothing was stored; try again".
    if (answer !== undefined) assert.equal(answer.status, 503, answer.text);
    if (first === undefined) model.unanswered.set(id, text);
    return;
  }
  const stored = JSON.parse(answer.text) as StoredWebhook;
  if (first !== undefined) {
    assert.deepEqual(
      [stored.SequenceNumber, stored.duplicate],
      [first.sequenceNumber, true],
      `a second answer to ${id}`,
    );
  }
  if (isRepeat) model.repeat(text, stored.duplicate);
  model.answered.set(id, text);
  model.acknowledge(text, stored);
}

/** A delivery id and its text. */
function nextHook(model: Model): readonly [string, string] {
  const [unanswered] = model.unanswered;
  if (unanswered !== undefined) return unanswered;
  const known = Math.random() < 0.3 ? [...model.answered].at(-3) : undefined;
  if (known !== undefined) return known;
  const id = randomUUID();
  return [id, `${JSON.stringify({ id })}\n`];
}

/** Streams that come, take some records and go: what they leave behind is garbage between records that stay. */
export const churn: Load = async (life) => {
  const { node, name } = life;
  const data = Buffer.alloc(8 * 1024, 'garbage soon ').toString('base64');
  for (let count = 0; !life.isOver(); count += 1) {
    const stream = `short-${name}-${count}`;
    await patient(life, async () => {
      await kinesis(node.api, 'CreateStream', { StreamName: stream, ShardCount: 1 });
      for (let put = 0; put < 10; put += 1) {
        const Records = Array.from({ length: 10 }, (_, index) => ({ Data: data, PartitionKey: String(index) }));
        await kinesis(node.api, 'PutRecords', { StreamName: stream, Records });
      }
      await kinesis(node.api, 'DeleteStream', { StreamName: stream });
    });
  }
};

/** Splits where there are few shards, merges where there are many, counts anew now and then. */
export const reshards: Load = async (life) => {
  const { node } = life;
  while (!life.isOver()) await patient(life, async () => await reshardOnce(node.api, STREAM));
};

/** Changes of the catalog as fast as one caller can make them. */
export const settings: Load = async (life) => {
  const { node, name } = life;
  for (let count = 0; !life.isOver(); count += 1) {
    const tags = { StreamName: STREAM, Tags: { [`tag-${Math.floor(Math.random() * 8)}`]: `${name}-${count}` } };
    await patient(life, async () => await kinesis(node.api, 'AddTagsToStream', tags));
  }
};

/** A refused or broken call is no failure here: what was acknowledged is what counts. A bug's answer is one. */
async function patient(life: Life, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    assert.doesNotMatch(message, /: 500 /);
    if (!life.isOver()) await new Promise((done) => setTimeout(done, 5));
  }
}
