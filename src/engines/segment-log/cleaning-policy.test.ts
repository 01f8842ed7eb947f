import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../environments/simulated/chance.ts';
import { chooseJob, isScattered } from './cleaning-policy.ts';
import { Segment } from './segment.ts';
import { ShardState } from './shard-table.ts';
import { CleaningModel, type ModelStream } from './cleaning-model.fixture.ts';

const FILE = 64 * 1024;
const HOUR_MS = 3_600_000;
/** So many files are written in a run that comes by chance. */
const FILES = 400;

/** A file as the table says: how much of it is needed, in parts of a full file. */
interface Row {
  /** Bytes, of which so many are needed still. */
  readonly file: readonly [bytes: number, needed: number];
  readonly is?: 'damaged' | 'open' | 'scattered' | 'incomplete';
}

const needed = new ShardState(1, { stream: 'needed', generation: 1, ordinal: 0 });
const gone = new ShardState(2, { stream: 'gone', generation: 1, ordinal: 0 });
gone.retentionMs = 0;

function segmentOf({ file: [bytes, live], is }: Row, index: number): Segment {
  const header = { version: 2, segment: index + 1, epoch: 1, salt: index, settledFrom: 0 };
  const segment = new Segment('/log', header);
  segment.index = undefined;
  segment.fileBytes = bytes;
  for (const [state, part] of [
    [needed, live],
    [gone, bytes - live],
  ] as const) {
    if (part > 0) Object.assign(segment.shareOf(state), { first: index, end: index + 1, bytes: part, lastAt: 1 });
  }
  needed.end = 1_000_000;
  gone.end = 1_000_000;
  if (is === 'damaged') segment.isDamaged = true;
  if (is === 'scattered') segment.isScattered = true;
  if (is !== 'open') segment.footer = { position: bytes, bytes: 100 };
  return segment;
}

const STATE = { isComplete: () => true, segmentBytesMax: FILE, diskBytesMax: undefined, isShort: false };
const FULL: Row = { file: [FILE, FILE] };
const GONE: Row = { file: [FILE, 100] };
const HALF: Row = { file: [FILE, FILE / 2] };
const SMALL: Row = { file: [FILE / 32, FILE / 32] };

const CHOICES: readonly [what: string, files: readonly Row[], job: string][] = [
  ['nothing', [], ''],
  ['what is needed stays', Array.from({ length: 50 }, () => FULL), ''],
  ['little garbage stays', [GONE, GONE, FULL], ''],
  ['four files of garbage become one', [FULL, GONE, GONE, GONE, GONE, GONE, FULL], '2,3,4,5,6'],
  ['files that are not neighbours are not put together', [GONE, GONE, FULL, GONE, GONE], ''],
  [
    'a damaged file is left alone, and divides its neighbours',
    [GONE, GONE, { ...GONE, is: 'damaged' }, GONE, GONE],
    '',
  ],
  ['so is one without a footer', [GONE, GONE, { ...GONE, is: 'open' }, GONE, GONE], ''],
  ['so is one that may not go yet', [GONE, GONE, { ...GONE, is: 'incomplete' }, GONE, GONE], ''],
  ['scattered records, however few files', [FULL, { file: [FILE, FILE - 1000], is: 'scattered' }, FULL], '2'],
  ['fifteen small files stay', [FULL, ...Array.from({ length: 15 }, () => SMALL)], ''],
  [
    'sixteen become one',
    Array.from({ length: 16 }, () => SMALL),
    Array.from({ length: 16 }, (_, index) => index + 1).join(),
  ],
  ['half a file of garbage in each of a few stays', Array.from({ length: 10 }, () => HALF), ''],
  ['half a file of garbage in each of many: the first goes', Array.from({ length: 50 }, () => HALF), '1'],
  [
    'what damage holds back is no reason to copy others',
    Array.from({ length: 50 }, () => ({ ...GONE, is: 'damaged' as const })),
    '',
  ],
];

for (const [what, rows, job] of CHOICES) {
  test(`chosen: ${what}`, () => {
    const segments = rows.map(segmentOf);
    const isComplete = ({ number }: Segment): boolean => rows[number - 1]?.is !== 'incomplete';
    const state = { ...STATE, segments, isComplete, now: HOUR_MS };
    assert.equal((chooseJob(state) ?? []).map(({ number }) => number).join(), job);
  });
}

test('a file is scattered when its index covers half as much again as its records take', () => {
  const segment = segmentOf({ file: [FILE * 8, FILE * 8] }, 0);
  assert.equal(isScattered(segment), false);
  segment.isScattered = true;
  assert.equal(isScattered(segment), false, 'of one shard alone nothing is');
  segment.shareOf(gone);
  assert.equal(isScattered(segment), true);
});

test('files of many shards with little in each take more than their records, which is no reason to copy them', () => {
  const states = Array.from({ length: 100 }, (_, index) => {
    const state = new ShardState(index + 1, { stream: `stream-${index}`, generation: 1, ordinal: 0 });
    state.end = 1000;
    return state;
  });
  const segments = Array.from({ length: 100 }, (_, index) => {
    const segment = new Segment('/log', { version: 2, segment: index + 1, epoch: 1, salt: 0, settledFrom: index + 1 });
    for (const state of states) Object.assign(segment.shareOf(state), { first: index, end: index + 1, bytes: 100 });
    segment.fileBytes = 300 + states.length * (100 + 210);
    segment.footer = { position: 0, bytes: 0 };
    return segment;
  });
  const state = { ...STATE, segments, now: 0 };
  assert.equal(chooseJob(state), undefined);
  for (const shard of states.slice(0, 80)) shard.isDropWritten = true;
  assert.ok(chooseJob(state) !== undefined, 'until most of them are gone');
});

interface Bounds {
  /** Most bytes written for each taken in. */
  readonly written: number;
  /** Most bytes of files beyond 1.5 times what is needed, in files. */
  readonly over: number;
  /** How often one record was copied at most. */
  readonly copies: number;
}

const WORKLOADS: readonly [what: string, streams: readonly ModelStream[], periods: number, bounds: Bounds][] = [
  [
    'a day at full rate beside a year at a thousandth',
    [
      { retentionMs: HOUR_MS, bytesPerSecond: 4096 },
      { retentionMs: 365 * HOUR_MS, bytesPerSecond: 4 },
    ],
    6,
    { written: 1.1, over: 8, copies: 12 },
  ],
  [
    'two of equal rates, one kept ten times as long',
    [
      { retentionMs: HOUR_MS / 4, bytesPerSecond: 2048 },
      { retentionMs: 2.5 * HOUR_MS, bytesPerSecond: 2048 },
    ],
    6,
    { written: 2.2, over: 8, copies: 3 },
  ],
  [
    'eight retentions, each twice the one before',
    Array.from({ length: 8 }, (_, index) => ({ retentionMs: (HOUR_MS / 16) * 2 ** index, bytesPerSecond: 512 })),
    10,
    { written: 2.2, over: 8, copies: 10 },
  ],
  ['a single stream', [{ retentionMs: HOUR_MS, bytesPerSecond: 4096 }], 5, { written: 1.01, over: 8, copies: 0 }],
];

for (const [what, streams, periods, bounds] of WORKLOADS) {
  test(`space and writes of ${what}`, (context) => {
    const model = new CleaningModel(streams, FILE);
    model.run(periods * HOUR_MS);
    const found = model.found();
    context.diagnostic(JSON.stringify(found));
    assert.ok(found.written <= bounds.written, `written ${found.written}`);
    assert.ok(found.over <= bounds.over, `over ${found.over}`);
    assert.ok(found.copies <= bounds.copies, `copies ${found.copies}`);
  });
}

test('whatever streams come together, the bound on space holds, and no file is settled again and again', (context) => {
  const worst = { written: 0, over: 0, copies: 0 };
  for (let seed = 1; seed <= 30; seed += 1) {
    const random = new SeededRandom(seed);
    const rates = Array.from({ length: 1 + random.below(12) }, () => 2 ** (random.fraction() * 12));
    const ms = (FILES * FILE * 1000) / rates.reduce((sum, rate) => sum + rate, 0);
    const streams = rates.map((bytesPerSecond) => ({
      bytesPerSecond,
      retentionMs: ms * 2 ** -(random.fraction() * 7),
    }));
    const model = new CleaningModel(streams, FILE);
    model.run(ms);
    const found = model.found();
    for (const key of ['written', 'over', 'copies'] as const) {
      if (found[key] > worst[key]) worst[key] = found[key];
    }
    assert.ok(found.over <= 8, `seed ${seed}: ${JSON.stringify(found)} of ${JSON.stringify(streams)}`);
    assert.ok(
      found.written <= 2 && found.copies <= 8,
      `seed ${seed}: ${JSON.stringify(found)} of ${JSON.stringify(streams)}`,
    );
  }
  context.diagnostic(`worst: ${JSON.stringify(worst)}`);
});
