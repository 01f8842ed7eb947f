/** The model notices: each line is something that a node must not do, and the sentence that says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HASH_KEY_END } from '../../kernel/stream/hash-key.ts';
import { payload } from './payload.ts';
import { Reading, type ReadFrom, type ReadRecord } from './reading.ts';
import type { Sent } from './sent-record.ts';
import type { ListedShard } from './shard-tree.ts';
import { StreamModel } from './stream-model.ts';
import { RetentionHistory, WallHistory } from './timeline.ts';

const HOUR = 3_600_000;
const SHARD = 'shardId-000000000000';

/** A stream, its clock, and virtual time that goes on by 10 ms a step. */
class Bench {
  now = 0;
  readonly wall = new WallHistory(1_000_000);
  readonly model = new StreamModel('main', this.wall, new RetentionHistory(0, 24 * HOUR));

  send(text: string, life = 0): Sent {
    this.now += 10;
    const bytes = payload(text, 20).length;
    return this.model.sends({ text, bytes, hashKey: 5n, sender: 'a', life }, this.now);
  }

  told(text: string, sequenceNumber: string, shardId = SHARD): Sent {
    const sent = this.send(text);
    this.now += 10;
    this.model.stands(sent, { shardId, sequenceNumber }, this.now);
    return sent;
  }

  /** The power goes; what was told until `since` survives. Returns how many records may not. */
  cut(since: number): number {
    this.now += 10;
    return this.model.mayLose(since, this.now);
  }

  read(from: ReadFrom, records: readonly ReadRecord[], isAtTip = true): void {
    this.now += 10;
    const reading = new Reading(this.model, SHARD, from, { askedAt: this.now, now: this.now });
    reading.takes({ records, isAtTip, askedAt: this.now, now: this.now });
  }
}

function record(text: string, sequenceNumber: string, more: Partial<ReadRecord> = {}): ReadRecord {
  const Data = Buffer.from(payload(text, 20)).toString('base64');
  return { Data, SequenceNumber: sequenceNumber, ApproximateArrivalTimestamp: 1000.03, ...more };
}

function shard(id: string, start: bigint, end: bigint, more: Partial<ListedShard> = {}): ListedShard {
  return {
    ShardId: id,
    HashKeyRange: { StartingHashKey: String(start), EndingHashKey: String(end) },
    SequenceNumberRange: { StartingSequenceNumber: '0' },
    ...more,
  };
}

const ALL: ReadFrom = { type: 'TRIM_HORIZON' };
const LAST = HASH_KEY_END - 1n;

const BROKEN: readonly (readonly [what: string, act: (bench: Bench) => void, sentence: RegExp])[] = [
  ['leaves a record out', (bench) => (bench.told('x', '1'), bench.read(ALL, [])), /x stands in .* left out/],
  [
    'leaves one out in the middle of a page that goes on',
    (bench) => (bench.told('x', '1'), bench.told('y', '2'), bench.read(ALL, [record('y', '2')], false)),
    /x stands in .* left out/,
  ],
  [
    'goes over a record that became known while a page was awaited',
    (bench) => {
      const reading = new Reading(bench.model, SHARD, ALL, { askedAt: bench.now, now: bench.now });
      const askedAt = bench.now;
      bench.told('x', '1');
      bench.told('y', '2');
      reading.takes({ records: [record('y', '2')], isAtTip: false, askedAt, now: bench.now });
    },
    /x stands in .* left out/,
  ],
  [
    'went over a record that becomes known while its client reads on',
    (bench) => {
      const reading = new Reading(bench.model, SHARD, ALL, { askedAt: bench.now, now: bench.now });
      const x = bench.send('x');
      bench.told('y', '2');
      reading.takes({ records: [record('y', '2')], isAtTip: true, askedAt: bench.now, now: bench.now });
      bench.model.stands(x, { shardId: SHARD, sequenceNumber: '1' }, bench.now);
      reading.ends(bench.now);
    },
    /x stands in .* left out/,
  ],
  [
    'gives a read by time what stood there before that time',
    (bench) => {
      bench.send('x');
      bench.now += 1000;
      bench.read({ type: 'AT_TIMESTAMP', ms: 1_000_500 }, [record('x', '1')]);
    },
    /x was given to a read from AT_TIMESTAMP/,
  ],
  ['gives what nobody sent', (bench) => bench.read(ALL, [record('x', '1')]), /nobody sent x/],
  [
    'gives what it refused',
    (bench) => (bench.model.refuses(bench.send('x')), bench.read(ALL, [record('x', '1')])),
    /x was refused and stands/,
  ],
  [
    'gives a record twice',
    (bench) => (bench.told('x', '1'), bench.read(ALL, [record('x', '1'), record('x', '2')])),
    /x stands at .*:1 and at .*:2/,
  ],
  ['gives a record elsewhere', (bench) => (bench.told('x', '1'), bench.read(ALL, [record('x', '3')])), /stands at/],
  [
    'gives two records one place',
    (bench) => (bench.told('x', '1'), bench.told('y', '1', 'shardId-000000000001'), bench.told('z', '1')),
    /z stands in front|both stand at 1/,
  ],
  [
    'steps back',
    (bench) => (bench.send('x'), bench.send('y'), bench.read(ALL, [record('x', '2'), record('y', '1')])),
    /y stands at 1, read after 2/,
  ],
  [
    'alters bytes',
    (bench) => (
      bench.told('x', '1'),
      bench.read(ALL, [record('x', '1', { Data: Buffer.from('x.y;').toString('base64') })])
    ),
    /x holds other bytes/,
  ],
  [
    'puts a record in front of what stood there',
    (bench) => (bench.told('x', '5'), bench.told('y', '4')),
    /y stands in front of what stood there/,
  ],
  [
    'brings back what was not there',
    (bench) => ((bench.send('x').fate = 'gone'), bench.read(ALL, [record('x', '1')])),
    /x was not there before/,
  ],
  [
    'shows what is too old',
    (bench) => (bench.told('x', '1'), bench.wall.step(bench.now, 25 * HOUR), bench.read(ALL, [record('x', '1')])),
    /x is older than the retention/,
  ],
  [
    'changes an arrival time',
    (bench) => {
      bench.told('x', '1');
      bench.read(ALL, [record('x', '1', { ApproximateArrivalTimestamp: 1000.018 })]);
      bench.read(ALL, [record('x', '1', { ApproximateArrivalTimestamp: 1000.019 })]);
    },
    /x arrived at 1000018, then at 1000019/,
  ],
  [
    'gives an old record to a read from the tip',
    (bench) => (bench.told('x', '1'), bench.read({ type: 'LATEST' }, [record('x', '1')])),
    /x was given to a read from LATEST/,
  ],
  [
    'gives the record itself to a read after it',
    (bench) => {
      bench.told('x', '1');
      bench.read({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '1' }, [record('x', '1')]);
    },
    /x was given to a read from AFTER/,
  ],
  [
    'stores a record in a shard that has not its key',
    (bench) => {
      bench.model.tree.learn([shard(SHARD, 0n, 4n), shard('shardId-000000000001', 5n, LAST)], 0);
      bench.told('x', '1');
    },
    /x stands in .*, which has not its key/,
  ],
  [
    'stores a record in a shard that was closed before',
    (bench) => {
      const closed = { SequenceNumberRange: { StartingSequenceNumber: '0', EndingSequenceNumber: '9' } };
      bench.model.tree.learn([shard(SHARD, 0n, LAST, closed), shard('shardId-000000000001', 0n, LAST)], 0);
      bench.told('x', '1');
    },
    /x was stored in .* after it was closed/,
  ],
  [
    'leaves a hash key to nobody',
    (bench) => bench.model.tree.learn([shard(SHARD, 0n, 4n), shard('shardId-000000000001', 6n, LAST)], 0),
    /own the hash key 5/,
  ],
  [
    'opens a closed shard',
    (bench) => {
      const closed = { SequenceNumberRange: { StartingSequenceNumber: '0', EndingSequenceNumber: '9' } };
      bench.model.tree.learn([shard(SHARD, 0n, LAST, closed), shard('shardId-000000000001', 0n, LAST)], 0);
      bench.model.tree.learn([shard(SHARD, 0n, LAST)], 10);
    },
    /ends elsewhere/,
  ],
  [
    'gives the number of a lost record to another one',
    (bench) => {
      bench.told('x', '1');
      bench.cut(0);
      bench.told('y', '1');
    },
    /y stands at .*:1, where x stood/,
  ],
  [
    'shows a record that was in danger at another place',
    (bench) => {
      bench.told('x', '1');
      bench.cut(0);
      bench.read(ALL, [record('x', '2')]);
    },
    /x stood at .*:1, and now at .*:2/,
  ],
  [
    'lost what had survived a sync',
    (bench) => {
      bench.told('x', '1');
      bench.cut(bench.now);
      bench.read(ALL, []);
    },
    /x stands in .* left out/,
  ],
  [
    'lost a record and kept a later one',
    (bench) => {
      const lost = bench.told('x', '1');
      bench.told('y', '2');
      bench.cut(0);
      const since = bench.now;
      bench.read(ALL, [record('y', '2')]);
      lost.fate = 'gone';
      bench.model.checkEnds(since);
    },
    /took x and left y/,
  ],
];

for (const [what, act, sentence] of BROKEN) {
  test(`the model notices a node that ${what}`, () => {
    assert.throws(() => act(new Bench()), { name: 'BrokenPromise', message: sentence });
  });
}

test('what a node may do is not noticed', () => {
  const bench = new Bench();
  bench.model.tree.learn([shard(SHARD, 0n, LAST)], 0);
  bench.told('x', '1');
  const unknown = bench.send('y');
  bench.read(ALL, [record('x', '1'), record('y', '2')]);
  assert.equal(typeof unknown.fate, 'object');
  bench.read({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '1' }, [record('y', '2')]);
  bench.read({ type: 'LATEST' }, []);
  bench.read({ type: 'AT_TIMESTAMP', ms: 1_000_031 }, [record('y', '2')]);
  // Too old, and back again as the clock is set back: both may be.
  bench.wall.step(bench.now, 25 * HOUR);
  bench.read(ALL, []);
  bench.wall.step(bench.now, -25 * HOUR);
  bench.read(ALL, [record('x', '1'), record('y', '2')]);
  bench.read(ALL, []);
});

test('a read by time goes on with what comes later, also when the clock is set back meanwhile', () => {
  const bench = new Bench();
  const began = { askedAt: bench.now, now: bench.now };
  const reading = new Reading(bench.model, SHARD, { type: 'AT_TIMESTAMP', ms: 1_000_000 }, began);
  bench.wall.step(bench.now, -60_000);
  bench.told('x', '1');
  const records = [record('x', '1', { ApproximateArrivalTimestamp: 940.02 })];
  reading.takes({ records, isAtTip: true, askedAt: bench.now, now: bench.now });
  reading.ends(bench.now);
});

test('a power cut may take what no sync confirmed: records, a reshard, a retention', () => {
  const bench = new Bench();
  bench.model.tree.learn([shard(SHARD, 0n, LAST)], 0);
  bench.told('kept', '1');
  const safe = bench.now;
  const taken = bench.told('taken', '2');
  const back = bench.told('back', '3');
  const closed = { SequenceNumberRange: { StartingSequenceNumber: '0', EndingSequenceNumber: '9' } };
  const child = 'shardId-000000000001';
  bench.model.tree.learn([shard(SHARD, 0n, LAST, closed), shard(child, 0n, LAST)], bench.now);
  bench.model.retention.is(bench.now, HOUR);
  assert.equal(bench.cut(safe), 2);
  bench.model.tree.learn([shard(SHARD, 0n, LAST)], bench.now);
  bench.model.tree.learn([shard(SHARD, 0n, LAST, closed), shard(child, 0n, 4n), shard('other', 5n, LAST)], bench.now);
  assert.ok(bench.model.retention.canBe(24 * HOUR) && bench.model.retention.canBe(HOUR));
  bench.read(ALL, [record('kept', '1'), record('back', '3', { ApproximateArrivalTimestamp: 1000.06 })]);
  assert.equal(taken.fate, 'trying');
  assert.equal(typeof back.fate, 'object');
  bench.model.isMissing(taken, bench.now, bench.now);
});

test('what a start did itself, and showed at once, a power cut may take; what was told before it survives', () => {
  const bench = new Bench();
  const closed = (end: string): Partial<ListedShard> => ({
    SequenceNumberRange: { StartingSequenceNumber: '0', EndingSequenceNumber: end },
  });
  const [parent, child] = [`${SHARD}1`, `${SHARD}2`];
  bench.model.tree.learn([shard(SHARD, 0n, LAST, closed('9')), shard(parent, 0n, LAST)], bench.now);
  bench.now += 10;
  const startedAt = bench.now;
  const list = (one: string, other: string): readonly ListedShard[] => [
    shard(SHARD, 0n, LAST, closed(one)),
    shard(parent, 0n, LAST, closed(other)),
    shard(child, 0n, LAST),
  ];
  bench.model.tree.learn(list('9', '20'), startedAt);
  bench.cut(startedAt);
  bench.model.tree.learn(list('9', '30'), bench.now);
  assert.throws(() => bench.model.tree.learn(list('8', '30'), bench.now), /ends elsewhere/);
});

test('a whole look finds what is missing, unless its time may be over', () => {
  const bench = new Bench();
  const sent = bench.told('x', '1');
  assert.throws(() => bench.model.isMissing(sent, bench.now, bench.now), /x stood at .*:1 and is missing/);
  // It was acknowledged while the look was under way.
  bench.model.isMissing(sent, bench.now - 1, bench.now);
  bench.model.retention.mayBecome(bench.now, HOUR);
  bench.wall.step(bench.now, 2 * HOUR);
  bench.model.isMissing(sent, bench.now, bench.now);
  const delivered = bench.send('y');
  delivered.isDelivered = true;
  assert.throws(() => bench.model.isMissing(delivered, bench.now, bench.now), /y stood at some place and is missing/);
});

test('a place that cannot be read is gone over, and what stands behind it is still owed', () => {
  const bench = new Bench();
  for (const [text, place] of [
    ['x', '1'],
    ['y', '2'],
    ['z', '3'],
  ] as const) {
    bench.told(text, place);
  }
  const began = { askedAt: bench.now, now: bench.now };
  const reading = new Reading(bench.model, SHARD, ALL, began);
  const page = (records: readonly ReadRecord[]): void => reading.takes({ records, isAtTip: true, ...began });
  assert.equal(reading.skips()?.text, 'x');
  assert.equal(reading.skips()?.text, 'y');
  assert.throws(() => page([]), /z stands in .* left out/);
  const altered = { Data: Buffer.from('z.?;').toString('base64') };
  assert.throws(() => page([record('z', '3', altered)]), /z holds other bytes/);
  bench.read(ALL, [record('z', '3', { ApproximateArrivalTimestamp: 1000.06 })]);
  assert.equal(reading.skips()?.text, 'z');
  assert.equal(reading.skips(), undefined);
});
