import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RequestError } from '../../kernel/errors.ts';
import { openBench } from './harness.fixture.ts';
import { sealOpaque } from './opaque.ts';
import { openIterator, sealIterator } from './shard-iterator.ts';

const NOW = 1_700_000_000_000;
const INVALID = 'InvalidArgumentException: Invalid ShardIterator.';

/** Opens it as the bench's Kinesis does: the shard and place, or `Code: sentence`; anything else fails the test. */
async function opener(): Promise<(text: string) => string> {
  const { state, make, records } = await openBench();
  await make('a', 2);
  await records.create({ name: '$dedupe', mode: 'ON_DEMAND', shardCount: 1, retentionMs: 1, maxRecordBytes: 1 });
  return (text) => {
    try {
      const { shard, from } = openIterator(state, text);
      return `${shard.id} ${from}`;
    } catch (error) {
      assert.ok(error instanceof RequestError && error.status === 400, String(error));
      return `${error.code}: ${error.message}`;
    }
  };
}

test('an iterator knows its place, also at the far end of a shard', async () => {
  const { state, make } = await openBench();
  const stream = await make('a', 2);
  for (const from of [0n, 1n, 2n ** 53n + 1n, 999_999_999_999_999_999n]) {
    const shard = stream.shards[1] ?? assert.fail();
    const text = sealIterator('a', shard, from, NOW);
    assert.ok(text.length <= 512);
    assert.deepEqual(openIterator(state, text), { stream, shard, from });
  }
});

test('the longest name fits the 512 characters that AWS allows', async () => {
  const { make } = await openBench();
  const name = 'n'.repeat(128);
  const shard = (await make(name)).shards[0] ?? assert.fail();
  assert.ok(sealIterator(name, shard, 10n ** 18n - 1n, NOW).length <= 512);
});

test('well sealed, but altered', async () => {
  const open = await opener();
  const good = { s: 'a', g: 1, o: 1, f: '7', t: NOW };
  const hostile = { toString: 1, valueOf: 1 };
  const gone = (name: string): string =>
    `ResourceNotFoundException: Stream ${name} under account 000000000000 not found.`;
  const noShard = (generation: string): string =>
    `ResourceNotFoundException: Could not find shard of generation ${generation} in stream a ` +
    'under account 000000000000.';
  const table: readonly (readonly [change: object, said: string])[] = [
    [{}, 'shardId-000000000001 7'],
    [{ o: 0 }, 'shardId-000000000000 7'],
    [{ t: NOW + 1e9 }, 'shardId-000000000001 7'],
    [{ s: 'b' }, gone('b')],
    [{ s: '$dedupe' }, gone('$dedupe')],
    [{ s: '__proto__' }, gone('__proto__')],
    [{ s: 5 }, INVALID],
    [{ s: hostile }, INVALID],
    [{ g: 2 }, noShard('2')],
    [{ g: '1' }, INVALID],
    [{ g: hostile }, INVALID],
    [{ o: 2 }, noShard('1')],
    [{ o: null }, INVALID],
    [{ f: 7 }, INVALID],
    [{ f: '-1' }, INVALID],
    [{ f: '1'.repeat(19) }, INVALID],
    [{ f: '0x7' }, INVALID],
    [{ f: ['7'] }, INVALID],
    [{ t: '1' }, INVALID],
    [{ t: null }, INVALID],
    [{ t: -1 }, INVALID],
    [{ t: -1e300 }, INVALID],
    [{ t: 8.64e15 + 1 }, INVALID],
    [{ t: 1.5 }, INVALID],
  ];
  for (const [change, said] of table) {
    assert.equal(open(sealOpaque('iterator', { ...good, ...change })), said, JSON.stringify(change));
  }
  assert.match(
    open(sealOpaque('iterator', { ...good, t: 0 })),
    /^Exp.* created at time Thu Jan 01 00:00:00 UTC 1970 while/,
  );
});

test('garbage is refused, whatever it is', async () => {
  const open = await opener();
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.string({ maxLength: 512 }));
  fc.assert(fc.property(texts, (text) => assert.equal(open(text), INVALID)));
});

test('any JSON under our own seal is a place or a refusal', async () => {
  const open = await opener();
  const member = fc.oneof(fc.jsonValue(), fc.constantFrom('a', 1, 0, '7', NOW));
  const sealed = fc.oneof(
    fc.jsonValue().map((value) => sealOpaque('iterator', value as never)),
    fc.record({ s: member, g: member, o: member, f: member, t: member }).map((value) => sealOpaque('iterator', value)),
  );
  fc.assert(
    fc.property(sealed, (text) => assert.match(open(text), /^(shardId-\d{12} \d+|[A-Za-z]+Exception: )/)),
    { numRuns: 1000 },
  );
});
