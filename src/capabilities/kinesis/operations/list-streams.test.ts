import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalid, openBench, type Answer } from '../harness.fixture.ts';
import { sealOpaque } from '../opaque.ts';
import { listStreams } from './list-streams.ts';

test('names by code unit, without internal streams, each with its summary', async () => {
  const { call, make, records } = await openBench();
  for (const name of ['b', 'a', 'B', '_']) await make(name);
  await records.create({ name: '$dedupe', mode: 'ON_DEMAND', shardCount: 1, retentionMs: 1000, maxRecordBytes: 1000 });
  const answer = await call(listStreams, {});
  assert.deepEqual(answer.StreamNames, ['B', '_', 'a', 'b']);
  assert.equal(answer.HasMoreStreams, false);
  assert.equal('NextToken' in answer, false);
  assert.deepEqual(answer.StreamSummaries[0], {
    StreamName: 'B',
    StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/B',
    StreamStatus: 'ACTIVE',
    StreamModeDetails: { StreamMode: 'PROVISIONED' },
    StreamCreationTimestamp: 1_700_000_000,
  });
});

test('nothing is there at first', async () => {
  const { call } = await openBench();
  assert.deepEqual(await call(listStreams, {}), { StreamNames: [], HasMoreStreams: false, StreamSummaries: [] });
});

test('pages by token or by last name give every stream once', async () => {
  const { call, make } = await openBench();
  const names = Array.from({ length: 101 }, (_, index) => `s${String(index).padStart(3, '0')}`);
  for (const name of names) await make(name);
  const standard = await call(listStreams, {});
  assert.equal(standard.StreamNames.length, 100);
  assert.equal(standard.HasMoreStreams, true);
  const byToken: string[] = [];
  const byName: string[] = [];
  for (let page: Answer = { HasMoreStreams: true }; page.HasMoreStreams; byToken.push(...page.StreamNames)) {
    page = await call(listStreams, { Limit: 40, NextToken: page.NextToken });
  }
  for (let page: Answer = { HasMoreStreams: true }; page.HasMoreStreams; byName.push(...page.StreamNames)) {
    page = await call(listStreams, { Limit: 101 - 60, ExclusiveStartStreamName: byName.at(-1) });
  }
  assert.deepEqual(byToken, names);
  assert.deepEqual(byName, names);
  assert.deepEqual((await call(listStreams, { ExclusiveStartStreamName: 'zzz' })).StreamNames, []);
});

test('refusals: tokens that are none of ours, and bounds', async () => {
  const { refusal } = await openBench();
  const tokens = [
    'garbage',
    sealOpaque('shards', { after: 'a' }),
    sealOpaque('streams', { after: 5 }),
    sealOpaque('streams', {}),
    `${sealOpaque('streams', { after: 'a' })}\n`,
  ];
  for (const NextToken of tokens) {
    assert.equal(await refusal(listStreams, { NextToken }), 'InvalidArgumentException: NextToken is invalid.');
  }
  const sentence = invalid('0', 'limit', 'have value greater than or equal to 1');
  assert.equal(await refusal(listStreams, { Limit: 0 }), sentence);
});
