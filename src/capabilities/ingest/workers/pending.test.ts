import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import { ingestLimits } from '../limits.ts';
import { Pending } from './pending.ts';

function newPending(): Pending {
  return new Pending(new BufferPool(1024, 1), undefined);
}

/** A group of events, or the begin of one when it has no token. */
function add(pending: Pending, events: readonly string[], token?: string): void {
  for (const data of events) pending.add(Buffer.from(data), undefined);
  if (token !== undefined) pending.end(token);
}

/** Batches as `data,data@token`. */
function takeAll(pending: Pending): readonly string[] {
  const batches: string[] = [];
  while (!pending.isEmpty) {
    const { events, token } = pending.take();
    const texts = Array.from({ length: events.count }, (_, place) => Buffer.from(events.copyData(place)).toString());
    batches.push(`${texts.join()}@${token}`);
  }
  return batches;
}

test('groups are taken together, with the token of the last one', () => {
  const pending = newPending();
  assert.ok(pending.isEmpty);
  add(pending, ['a', 'b'], '2');
  add(pending, [], '3');
  add(pending, ['c'], '4');
  assert.deepEqual(takeAll(pending), ['a,b,c@4']);
  add(pending, [], '5');
  assert.deepEqual(takeAll(pending), ['@5']);
});

test('a group that is not whole is not taken, nor what shares its batch', () => {
  const pending = newPending();
  add(pending, ['a']);
  assert.ok(pending.isEmpty);
  add(pending, ['b'], '2');
  add(pending, ['c']);
  assert.deepEqual(takeAll(pending), []);
  pending.end('3');
  assert.deepEqual(takeAll(pending), ['a,b,c@3']);
});

test('a batch that has enough is whole, also while a group comes', () => {
  const pending = newPending();
  const group = Array.from({ length: ingestLimits.batchRecordsMax }, () => 'x');
  add(pending, group.slice(1), '1');
  add(pending, group, '2');
  add(pending, ['y'], '3');
  add(pending, ['z']);
  assert.deepEqual(
    takeAll(pending).map((batch) => batch.length),
    [4 * ingestLimits.batchRecordsMax - 1],
  );
  pending.end('4');
  assert.deepEqual(takeAll(pending), ['y,z@4']);
  const large = 'x'.repeat(ingestLimits.batchBytesMax);
  add(pending, [large], '5');
  add(pending, ['a'], '6');
  assert.deepEqual(
    takeAll(pending).map((batch) => batch.slice(-3)),
    ['x@5', 'a@6'],
  );
});

test('it is full of bytes, of events, and of positions without any', () => {
  const bytes = newPending();
  for (let used = 0; used < ingestLimits.pendingBytesMax; used += 1_000_000) {
    assert.ok(!bytes.isFull);
    add(bytes, ['x'.repeat(1_000_000)], 'token');
  }
  assert.ok(bytes.isFull);
  bytes.take();
  assert.ok(!bytes.isFull);
  for (const group of [[], ['x']]) {
    const pending = newPending();
    for (let count = 0; count < ingestLimits.pendingRecordsMax; count += 1) {
      assert.ok(!pending.isFull);
      add(pending, group, `${count}`);
    }
    assert.ok(pending.isFull, `${group.length}`);
  }
});
