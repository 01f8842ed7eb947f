import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import { hashKeyRouter, splitHashKeys } from '../../../kernel/stream/hash-key.ts';
import type { Header } from '../../../kernel/stream/packed-entries.ts';
import { InputBatch, type RecordBatch, type RecordInput } from '../../../ports/records.ts';
import { ArrivalHeader, resumeHeader } from '../arrival-headers.ts';
import { PartitionKeys } from '../partition-key.ts';
import { EventBatch, type RecordForm } from './event-batch.ts';
import { EventRecords } from './event-records.ts';

const LONG = 'x'.repeat(257);
/** Events, and the keys that they get. */
const EVENTS: readonly (readonly [text: string, key: string])[] = [
  ['{"id":"plain"}', 'plain'],
  ['{"id":"\u00fc\\n\ud83c\udf0d"}', '\u00fc\n\ud83c\udf0d'],
  ['{"id":17}', '17'],
  ['{"id":""}', 'start-1'],
  ['', 'start-2'],
  [`{"id":"${LONG.slice(1)}"}`, LONG.slice(1)],
  [`{"id":"${LONG}"}`, createHash('sha256').update(LONG).digest('hex')],
  [`{"id":"${'\u4f60'.repeat(256)}"}`, '\u4f60'.repeat(256)],
];
const DIGEST = Uint32Array.of(0xfedcba98, 1, 2, 0x80000000);
const MARK = { batch: 3, token: 'here' };

function newForm(): RecordForm {
  return { keys: new PartitionKeys('id', 'start'), header: new ArrivalHeader('feed') };
}

/** Every other event has a digest. */
function batchOf(pool: BufferPool, form: RecordForm | undefined): EventBatch {
  const batch = new EventBatch(pool, form);
  for (const [index, [text]] of EVENTS.entries()) batch.add(Buffer.from(text), index % 2 === 0 ? DIGEST : undefined);
  return batch;
}

/** The same as objects, in an order of the on-disk format's description. */
function inputOf(place: number, isMarked: boolean): RecordInput {
  const [text, partitionKey] = EVENTS[place] as (typeof EVENTS)[number];
  const digest = place % 2 === 0 ? '10fedcba98000000010000000280000000' : '00';
  const own: Header = ['millrace-source', Buffer.concat([Buffer.from(digest, 'hex'), Buffer.from('feed')])];
  const mark: Header = ['millrace-resume', Buffer.from(JSON.stringify(MARK))];
  return { partitionKey, data: Buffer.from(text), headers: isMarked ? [own, mark] : [own] };
}

/** All that the log asks of a batch. */
function read(batch: RecordBatch): readonly object[] {
  const router = hashKeyRouter(splitHashKeys(7).map(({ start }) => start));
  return Array.from({ length: batch.count }, (_, index) => {
    const bytes = batch.dataBytes(index);
    const entry = Buffer.alloc(2 + batch.entryBytes(index));
    const dataAt = batch.writeFront(index, entry, 2);
    const half = Math.min(3, bytes);
    assert.ok(batch.writeData(index, entry, dataAt, 0, half));
    assert.ok(batch.writeData(index, entry, dataAt + half, half, bytes));
    return {
      shard: batch.route(index, router),
      hashKey: batch.explicitHashKey(index),
      entry: entry.toString('latin1'),
    };
  });
}

test('events are packed as records made of objects would be, whichever are left, and wherever the mark stands', () => {
  const events = batchOf(new BufferPool(64, 1), newForm());
  const all = EVENTS.map((_, place) => place);
  for (const [chosen, marked] of [
    [all, 7],
    [all, 0],
    [[1, 4, 6], 6],
    [[1, 4, 6], 7],
    [[], 0],
  ] as const) {
    const inputs = chosen.map((place) => inputOf(place, place === marked));
    const records = new EventRecords(events, chosen, marked, resumeHeader(MARK));
    assert.deepEqual(read(records), read(new InputBatch(inputs)), `${chosen.join()} and ${marked}`);
  }
});

test('what a record of each event counts, and the event itself', () => {
  for (const form of [newForm(), undefined]) {
    const events = batchOf(new BufferPool(64, 1), form);
    assert.equal(events.count, EVENTS.length);
    for (const [place, [text, key]] of EVENTS.entries()) {
      assert.equal(Buffer.from(events.copyData(place)).toString(), text);
      assert.equal(events.dataBytes(place), Buffer.byteLength(text));
      const keyBytes = form === undefined ? 0 : Buffer.byteLength(key);
      assert.equal(events.payloadBytes(place), keyBytes + Buffer.byteLength(text));
    }
  }
});

test('memory of the pool is given back once, and what grew beyond it never', () => {
  const pool = new BufferPool(4096, 10);
  const [first, second] = [pool.take(), pool.take()];
  pool.giveBack(first);
  const events = new EventBatch(pool, undefined);
  events.add(Buffer.alloc(3000, 1), undefined);
  assert.equal(events.memory, first);
  events.add(Buffer.alloc(3000, 2), undefined);
  assert.notEqual(events.memory, first);
  assert.equal(pool.take(), first, 'given back when it had become too small');
  events.release();
  pool.giveBack(second);
  assert.equal(pool.take(), second);
  assert.equal(pool.take().length, 4096);
});
