import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalid, openBench, refuses, type Refusals } from '../harness.fixture.ts';
import { openSubscribed } from '../subscriber.fixture.ts';
import { deleteStream } from './delete-stream.ts';
import { describeStreamSummary } from './describe-stream-summary.ts';

const GONE = 'ResourceNotFoundException: Stream a under account 000000000000 not found.';

test('a stream goes with its shards, and its name is free again', async () => {
  const { call, refusal, make, fill, store } = await openBench();
  await make('a', 2);
  await make('b');
  await fill('a', ['x']);
  assert.equal(await call(deleteStream, { StreamName: 'a', EnforceConsumerDeletion: true }), undefined);
  assert.equal(await refusal(describeStreamSummary, { StreamName: 'a' }), GONE);
  assert.deepEqual([...new Set(store.shards().map(({ stream }) => stream))], ['b']);
  const again = await make('a');
  assert.deepEqual(
    store.bounds(again.shards[0]?.ref ?? assert.fail()),
    { start: 0n, end: 0n, records: 0, lastAt: 0 },
    'nothing came back',
  );
});

test('a stream is named by name, by ARN of any region and account, or by both', async () => {
  const { call, make, records } = await openBench();
  const arn = 'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a';
  for (const input of [{ StreamName: 'a' }, { StreamARN: arn }, { StreamName: 'a', StreamARN: arn }]) {
    await make('a');
    await call(deleteStream, input);
    assert.equal(records.describe('a'), undefined);
  }
});

test('what cannot be deleted', async () => {
  const bench = await openBench();
  const { make, records, state } = bench;
  await make('b');
  const spec = { mode: 'PROVISIONED', shardCount: 1, retentionMs: 1000, maxRecordBytes: 1000 } as const;
  await records.create({ ...spec, name: '$dedupe' });
  const internal = 'arn:aws:kinesis:us-east-1:000000000000:stream/$dedupe';
  const table: Refusals = [
    [{ StreamName: 'a' }, GONE],
    [{}, 'InvalidArgumentException: Either StreamARN or StreamName must be provided.'],
    [
      { StreamName: 'b', StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/a' },
      'InvalidArgumentException: StreamARN and StreamName do not match.',
    ],
    [{ StreamARN: internal }, 'ResourceNotFoundException: Stream $dedupe under account 000000000000 not found.'],
    [
      { StreamARN: 'b' },
      invalid(
        'b',
        'streamARN',
        String.raw`satisfy regular expression pattern: arn:aws.*:kinesis:.*:\d{11,13}:stream/\S+`,
      ),
    ],
  ];
  await refuses(bench, deleteStream, table);
  assert.deepEqual(
    state.records.list({ internal: true }).map(({ name }) => name),
    ['$dedupe', 'b'],
  );
});

test('of two who delete at the same moment one is too late', async () => {
  const { call, make, refusal } = await openBench();
  await make('a');
  const [, late] = await Promise.all([
    call(deleteStream, { StreamName: 'a' }),
    refusal(deleteStream, { StreamName: 'a' }),
  ]);
  assert.equal(late, GONE);
});

test('nothing is measured of a stream that is gone', async () => {
  const bench = await openSubscribed();
  await bench.prepare('a');
  await bench.prepare('ab');
  for (const stream of ['a', 'ab']) await bench.put('x', '0', stream);
  const measured = (): string[] => [...bench.simulation.metrics.keys()].filter((name) => name.includes('"stream"'));
  assert.equal(measured().length, 4);
  await bench.kinesis('DeleteStream', { StreamName: 'a', EnforceConsumerDeletion: true });
  assert.deepEqual(measured(), ['kinesis_records_in_total{"stream":"ab"}', 'kinesis_in_bytes_total{"stream":"ab"}']);
});
