/** The model notices: each line is something that a function must not be told, and the sentence that says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HASH_KEY_END } from '../../kernel/stream/hash-key.ts';
import { FunctionModel, type HandedRecord } from './function-model.ts';
import { payload } from './payload.ts';
import type { Sent } from './sent-record.ts';
import { StreamModel } from './stream-model.ts';
import { RetentionHistory, WallHistory } from './timeline.ts';

const SHARD = 'shardId-000000000000';
const CHILD = 'shardId-000000000001';

class Bench {
  readonly stream = new StreamModel('main', new WallHistory(1_000_000), new RetentionHistory(0, 3_600_000));
  isUnsure = false;
  readonly model = new FunctionModel(this.stream, () => this.isUnsure);
  #now = 0;

  told(text: string, sequenceNumber: string, shardId = SHARD): Sent {
    this.#now += 10;
    const sending = { text, bytes: payload(text, 20).length, hashKey: 5n, sender: 'a', life: 0 };
    const sent = this.stream.sends(sending, this.#now);
    this.stream.stands(sent, { shardId, sequenceNumber }, this.#now + 1);
    return sent;
  }

  /** `b` stands behind `a`, and in a child of their shard `c`. */
  family(): this {
    const HashKeyRange = { StartingHashKey: '0', EndingHashKey: String(HASH_KEY_END - 1n) };
    const closed = { StartingSequenceNumber: '0', EndingSequenceNumber: '3' };
    const open = { StartingSequenceNumber: '4' };
    this.told('a', '1');
    this.told('b', '2');
    const parent = { ShardId: SHARD, HashKeyRange, SequenceNumberRange: closed };
    const child = { ShardId: CHILD, ParentShardId: SHARD, HashKeyRange, SequenceNumberRange: open };
    this.stream.tree.learn([parent, child], this.#now);
    this.told('c', '5', CHILD);
    return this;
  }

  /** An event: `text@sequence number`, by words. */
  gets(words: string, shardId = SHARD): readonly Sent[] {
    const records = words.split(' ').map((word): HandedRecord => {
      const [text = '', sequenceNumber = ''] = word.split('@');
      return { shardId, sequenceNumber, data: payload(text, 20) };
    });
    return this.model.gets(records, this.#now + 20);
  }

  takes(words: string, shardId = SHARD): void {
    this.model.answers(shardId, this.gets(words, shardId));
  }
}

test('what a function may be told', () => {
  const bench = new Bench().family();
  bench.model.answers(SHARD, bench.gets('a@1 b@2').slice(0, 1));
  bench.takes('b@2');
  bench.takes('c@5', CHILD);
  bench.gets('a@1 b@2');
  bench.model.begins();
  bench.takes('a@1 b@2');
  assert.equal(bench.model.taken, 3);
});

test('what it may not', () => {
  const table: readonly (readonly [wrong: (bench: Bench) => void, sentence: RegExp])[] = [
    [(bench) => bench.gets('b@2'), /a stands in front/],
    [(bench) => bench.gets('b@2 a@1'), /not in order/],
    [(bench) => bench.takes('c@5', CHILD), /a stands in front/],
    [(bench) => (bench.takes('a@1'), bench.takes('c@5', CHILD)), /b stands in front/],
    [(bench) => (bench.gets('a@1'), bench.gets('a@1')), /two events/],
    [(bench) => bench.gets('x@1'), /nobody sent x/],
    [(bench) => bench.gets('a@2'), /stands at/],
    [(bench) => bench.model.gets([], 0), /empty event/],
    [(bench) => bench.model.gets([{ shardId: SHARD, sequenceNumber: '1', data: 'a;' }], 0), /other bytes/],
  ];
  for (const [wrong, sentence] of table) assert.throws(() => wrong(new Bench().family()), sentence);
  const unsure = new Bench().family();
  unsure.isUnsure = true;
  unsure.takes('b@2');
}); // prettier-ignore
