import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { aggregated, bytesField, integerField, sealed, type Packed } from './aggregated-record.fixture.ts';
import { openAggregatedRecord, recordsAtMost, type AggregatedRecord } from './aggregated-record.ts';

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

async function open(bytes: Uint8Array): Promise<AggregatedRecord | undefined> {
  return await openAggregatedRecord(bytes, async () => undefined);
}

async function texts(bytes: Uint8Array): Promise<readonly string[] | undefined> {
  const opened = await open(bytes);
  if (opened === undefined) return undefined;
  const found = Array.from(opened.records(), ({ key, data }) => `${textOf(key)}=${textOf(data)}`);
  assert.equal(found.length, opened.count);
  return found;
}

test('records come out in the order in which they were packed', async () => {
  const tags = [['name', 'value']] as const;
  const bytes = aggregated(
    ['a', 'ü'],
    [
      { key: 1, data: 'one', hashKey: 0 },
      { key: 0, data: '' },
      { key: 1, data: 'three', tags },
    ],
    ['170141183460469231731687303715884105728'],
  );
  assert.deepEqual(await texts(bytes), ['ü=one', 'a=', 'ü=three']);
});

test('bytes as the library wrote them', async () => {
  // Two keys of the table, then two records: index of the key, data.
  const body = Buffer.from('0a03706b310a03706b321a0708001a036161611a0708011a03626262', 'hex');
  assert.deepEqual(await texts(sealed(body)), ['pk1=aaa', 'pk2=bbb']);
});

test('what is not whole is a record like any other', async () => {
  const whole = aggregated(['k'], [{ key: 0, data: 'data' }]);
  const record = bytesField(3, Buffer.concat([integerField(1, 0), bytesField(3, 'd')]));
  const key = bytesField(1, 'k');
  const table: readonly (readonly [why: string, bytes: Uint8Array])[] = [
    ['nothing', Buffer.alloc(0)],
    ['magic bytes alone', Buffer.from('f3899ac2', 'hex')],
    ['other magic bytes', Buffer.concat([Buffer.from('f3899ac3', 'hex'), whole.subarray(4)])],
    ['a digest of something else', Buffer.concat([whole.subarray(0, -1), Buffer.of((whole.at(-1) ?? 0) ^ 1)])],
    ['an altered record', Buffer.from(whole.toString('latin1').replace('data', 'dada'), 'latin1')],
    ['cut', whole.subarray(0, -1)],
    ['no records', sealed(key)],
    ['nothing between magic bytes and digest', sealed(Buffer.alloc(0))],
    ['a key that is not in the table', sealed(record)],
    ['a hash key that is not in the table', aggregated(['k'], [{ key: 0, hashKey: 0, data: '' }])],
    ['a record without key', sealed(Buffer.concat([key, bytesField(3, bytesField(3, 'd'))]))],
    ['a record without data', sealed(Buffer.concat([key, bytesField(3, integerField(1, 0))]))],
    ['a table of numbers', sealed(Buffer.concat([key, integerField(1, 1), record]))],
    [
      'data that is a number',
      sealed(
        Buffer.concat([
          key,
          bytesField(
            3,
            [integerField(1, 0), integerField(3, 1)].reduce((a, b) => Buffer.concat([a, b])),
          ),
        ]),
      ),
    ],
    ['a length beyond the end', sealed(Buffer.concat([key, record, Buffer.of(0x1a, 0x7f)]))],
    ['a number that never ends', sealed(Buffer.concat([key, record, Buffer.alloc(12, 0xff)]))],
    ['a field without number', sealed(Buffer.concat([key, record, Buffer.of(0x02, 0)]))],
    ['a group', sealed(Buffer.concat([key, record, Buffer.of(0x2b)]))],
    [
      'an index beyond all numbers',
      sealed(
        Buffer.concat([
          key,
          bytesField(3, Buffer.concat([Buffer.from('08ffffffffffffffffff01', 'hex'), bytesField(3, 'd')])),
        ]),
      ),
    ],
  ];
  for (const [why, bytes] of table) assert.equal(await texts(bytes), undefined, why);
});

test('keys that no record may have, and more than anybody packs, make a record like any other', async () => {
  const many = (count: number): readonly Packed[] => Array.from({ length: count }, () => ({ key: 0, data: '' }));
  const table: readonly (readonly [what: string, bytes: Buffer, count: number | undefined])[] = [
    ['no character', aggregated([''], many(1)), undefined],
    ['a key that no record has', aggregated(['k', 'x'.repeat(257)], many(1)), undefined],
    ['256 characters', aggregated(['x'.repeat(256)], many(1)), 1],
    ['257 characters', aggregated(['x'.repeat(257)], many(1)), undefined],
    ['256 characters of four bytes', aggregated(['\u{1f980}'.repeat(256)], many(1)), 1],
    ['257 characters of two bytes', aggregated(['\u00fc'.repeat(257)], many(1)), undefined],
    ['4 MiB', aggregated(['x'.repeat(4 * 1024 * 1024)], many(1000)), undefined],
    ['100,000 records', aggregated(['k'], many(100_000)), 100_000],
    ['100,001 records', aggregated(['k'], many(100_001)), undefined],
    [
      '100,001 keys',
      aggregated(
        Array.from({ length: 100_001 }, () => 'k'),
        many(1),
      ),
      undefined,
    ],
  ];
  for (const [what, bytes, count] of table) assert.equal((await open(bytes))?.count, count, what);
});

test('fields of later versions are passed over', async () => {
  const fixed = Buffer.from('2100010203040506072500010203', 'hex');
  const record = Buffer.concat([integerField(1, 0), bytesField(3, 'd'), integerField(9, 5), fixed]);
  assert.deepEqual(
    await texts(sealed(Buffer.concat([bytesField(1, 'k'), bytesField(3, record), bytesField(7, 'x'), fixed]))),
    ['k=d'],
  );
});

test('whatever was packed comes out, and whatever was altered does not', async () => {
  const record = fc.record({ key: fc.nat(3), data: fc.uint8Array({ maxLength: 200 }) });
  const keys = ['e', 'k', 'ü', 'x'.repeat(256)];
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 50 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (records, at, flip) => {
        const bytes = aggregated(keys, records);
        const opened = (await open(bytes)) ?? assert.fail('not opened');
        const found = Array.from(opened.records(), ({ key, data }) => [textOf(key), Buffer.from(data).toString('hex')]);
        assert.deepEqual(
          found,
          records.map(({ key, data }) => [keys[key], Buffer.from(data).toString('hex')]),
        );
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ flip;
        assert.equal(await open(bytes), undefined);
      },
    ),
  );
});

test('a large one is opened in pieces, between which others get their turn', async () => {
  const digested = aggregated(['k'], [{ key: 0, data: Buffer.alloc(3 * 1024 * 1024) }]);
  const many = aggregated(
    ['k'],
    Array.from({ length: 5000 }, () => ({ key: 0, data: 'd' })),
  );
  for (const [bytes, wanted] of [
    [digested, 6],
    [many, 10],
  ] as const) {
    let turns = 0;
    const opened = await openAggregatedRecord(bytes, async () => void (turns += 1));
    assert.ok(opened !== undefined);
    assert.equal(turns, wanted);
  }
});

test('how many records leave is counted without opening them, and never too low', async () => {
  const packed = aggregated(
    ['k'],
    [
      { key: 0, data: 'a' },
      { key: 0, data: 'b' },
      { key: 0, data: 'c' },
    ],
  );
  assert.equal(recordsAtMost(packed), 3);
  assert.equal(recordsAtMost(Buffer.from('plain')), 1);
  assert.equal(recordsAtMost(sealed(Buffer.from([0x1a, 0xff]))), 1);
  const many = aggregated(
    ['k'],
    Array.from({ length: 60_000 }, () => ({ key: 0, data: '' })),
  );
  const opened = await openAggregatedRecord(many, async () => undefined);
  assert.deepEqual([opened?.count, recordsAtMost(many)], [60_000, 100_000]);
});
