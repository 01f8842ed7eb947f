import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalid, openBench, refuses, type Answer, type Refusals } from '../harness.fixture.ts';
import { sealOpaque } from '../opaque.ts';
import { deleteStream } from './delete-stream.ts';
import { listShards } from './list-shards.ts';

const FILTERS = 'AFTER_SHARD_ID, AT_TRIM_HORIZON, FROM_TRIM_HORIZON, AT_LATEST, AT_TIMESTAMP, FROM_TIMESTAMP';

function ordinals(answer: Answer): number[] {
  return answer.Shards.map(({ ShardId }: Answer) => Number(ShardId.slice('shardId-'.length)));
}

test('filters, on a stream whose shard 0 was split into 2 and 3 one second after it was made', async () => {
  const { call, make, split, environment } = await openBench();
  await make('a', 2);
  environment.advance(1000);
  await split('a');
  environment.advance(1000);
  const [before, after] = [{ Timestamp: 1_700_000_000.5 }, { Timestamp: 1_700_000_001.5 }];
  const table: readonly (readonly [filter: object | undefined, shards: number[]])[] = [
    [undefined, [0, 1, 2, 3]],
    [{ Type: 'AT_TRIM_HORIZON' }, [0, 1]],
    [{ Type: 'FROM_TRIM_HORIZON' }, [0, 1, 2, 3]],
    [{ Type: 'AT_LATEST' }, [1, 2, 3]],
    [{ Type: 'AT_TIMESTAMP', ...before }, [0, 1]],
    [{ Type: 'AT_TIMESTAMP', ...after }, [1, 2, 3]],
    [{ Type: 'FROM_TIMESTAMP', ...before }, [0, 1, 2, 3]],
    [{ Type: 'FROM_TIMESTAMP', ...after }, [1, 2, 3]],
    [{ Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000000001' }, [2, 3]],
    [{ Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000000003' }, []],
  ];
  for (const [ShardFilter, shards] of table) {
    const said = JSON.stringify(ShardFilter);
    assert.deepEqual(ordinals(await call(listShards, { StreamName: 'a', ShardFilter })), shards, said);
  }
});

test('a closed shard goes with the last of its records, and its children stand at the trim horizon', async () => {
  const { call, make, split, environment } = await openBench();
  await make('a', 1);
  environment.advance(1000);
  await split('a');
  environment.advance(24 * 3_600_000 + 1);
  assert.deepEqual(ordinals(await call(listShards, { StreamName: 'a' })), [1, 2]);
  const ShardFilter = { Type: 'AT_TRIM_HORIZON' };
  assert.deepEqual(ordinals(await call(listShards, { StreamName: 'a', ShardFilter })), [1, 2]);
});

test('pages keep the filter and give every shard once', async () => {
  const { call, make, split } = await openBench();
  await make('a', 7);
  await split('a');
  const ShardFilter = { Type: 'AT_LATEST' };
  const seen: number[] = [];
  let page = await call(listShards, { StreamName: 'a', MaxResults: 3, ShardFilter });
  for (; page.NextToken !== undefined; page = await call(listShards, { NextToken: page.NextToken, MaxResults: 3 })) {
    assert.equal(page.Shards.length, 3);
    seen.push(...ordinals(page));
  }
  seen.push(...ordinals(page));
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
  const exact = await call(listShards, { StreamName: 'a', MaxResults: 9 });
  assert.equal('NextToken' in exact, false, 'a full last page has no next one');
  const after = await call(listShards, { StreamName: 'a', ExclusiveStartShardId: 'shardId-000000000006' });
  assert.deepEqual(ordinals(after), [7, 8]);
});

test('the creation time chooses among streams of one name, in whole seconds', async () => {
  const { call, refusal, make, environment } = await openBench();
  environment.advance(400);
  await make('a');
  for (const StreamCreationTimestamp of [1_700_000_000.4, 1_700_000_000, 1_700_000_000.999]) {
    assert.deepEqual(ordinals(await call(listShards, { StreamName: 'a', StreamCreationTimestamp })), [0]);
  }
  const sentence = 'ResourceNotFoundException: Stream a was not created at the StreamCreationTimestamp given.';
  assert.equal(await refusal(listShards, { StreamName: 'a', StreamCreationTimestamp: 1_700_000_001 }), sentence);
});

test('refusals', async () => {
  const bench = await openBench();
  const table: Refusals = [
    [{ StreamName: 'b' }, 'ResourceNotFoundException: Stream b under account 000000000000 not found.'],
    [{}, 'InvalidArgumentException: Either StreamARN or StreamName must be provided.'],
    [
      { StreamName: 'b', NextToken: 'x' },
      'InvalidArgumentException: NextToken and StreamName cannot be provided together.',
    ],
    [
      { StreamName: 'b', ShardFilter: { Type: 'AFTER_SHARD_ID' } },
      'InvalidArgumentException: ShardId must be provided for ShardFilterType AFTER_SHARD_ID.',
    ],
    [
      { StreamName: 'b', ShardFilter: { Type: 'AT_TIMESTAMP' } },
      'InvalidArgumentException: Timestamp must be provided for ShardFilterType AT_TIMESTAMP.',
    ],
    [
      { StreamName: 'b', ShardFilter: { Type: 'LATEST' } },
      invalid('LATEST', 'shardFilter.type', `satisfy enum value set: [${FILTERS}]`),
    ],
  ];
  await refuses(bench, listShards, table);
});

test('a token is good for five minutes and for this very stream', async () => {
  const { call, refusal, make, environment } = await openBench();
  await make('a', 2);
  const { NextToken } = await call(listShards, { StreamName: 'a', MaxResults: 1 });
  environment.advance(300_000);
  assert.deepEqual(ordinals(await call(listShards, { NextToken })), [1]);
  environment.advance(1);
  assert.equal(await refusal(listShards, { NextToken }), 'ExpiredNextTokenException: NextToken has expired.');
  const fresh = await call(listShards, { StreamName: 'a', MaxResults: 1 });
  await call(deleteStream, { StreamName: 'a' });
  const gone = 'ResourceNotFoundException: Stream a under account 000000000000 not found.';
  assert.equal(await refusal(listShards, { NextToken: fresh.NextToken }), gone);
  environment.advance(1);
  await make('a', 2);
  const other = 'ExpiredNextTokenException: NextToken has expired.';
  assert.equal(await refusal(listShards, { NextToken: fresh.NextToken }), other);
});

test('tokens that are none of ours, also those sealed with our seal', async () => {
  const { refusal, make, environment, state } = await openBench();
  const { createdAt } = await make('a', 2);
  const token = { s: 'a', c: createdAt, after: 'shardId-000000000000', t: environment.clock.now() };
  const hostile = { toString: 1 };
  const invalid = [
    'garbage',
    sealOpaque('streams', token),
    sealOpaque('shards', {}),
    sealOpaque('shards', [] as never),
    sealOpaque('shards', null as never),
    sealOpaque('shards', { ...token, s: hostile }),
    sealOpaque('shards', { ...token, after: hostile }),
    sealOpaque('shards', { ...token, t: 'now' }),
    sealOpaque('shards', { ...token, f: null }),
    sealOpaque('shards', { ...token, f: { Type: 5 } }),
    sealOpaque('shards', { ...token, f: { Type: 'AFTER_SHARD_ID', ShardId: hostile } }),
  ];
  for (const NextToken of invalid) {
    assert.equal(await refusal(listShards, { NextToken }), 'InvalidArgumentException: NextToken is invalid.');
  }
  const internal = sealOpaque('shards', { ...token, s: '$dedupe' });
  await state.records.create({ name: '$dedupe', mode: 'ON_DEMAND', shardCount: 1, retentionMs: 1, maxRecordBytes: 1 });
  const sentence = 'ResourceNotFoundException: Stream $dedupe under account 000000000000 not found.';
  assert.equal(await refusal(listShards, { NextToken: internal }), sentence);
});
