import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeBench, type Answer } from '../../testing/node-bench.ts';

async function summary(bench: NodeBench): Promise<Answer> {
  const { StreamDescriptionSummary } = await bench.call('Kinesis_20131202.DescribeStreamSummary', { StreamName: 'a' });
  const { OpenShardCount, RetentionPeriodHours } = StreamDescriptionSummary;
  const { Tags } = await bench.call('Kinesis_20131202.ListTagsForStream', { StreamName: 'a' });
  return [OpenShardCount, RetentionPeriodHours, Tags.map(({ Key, Value }: Answer) => `${Key}=${Value}`).join()];
}

test('the file creates, updates what it may, and names the command for the rest', async () => {
  const file = (a: object): Record<string, unknown> => ({ streams: { a } });
  const bench = await new NodeBench().open(file({ ShardCount: 2, Tags: { team: 'x' } }));
  assert.deepEqual(await summary(bench), [2, 24, 'team=x']);
  const reload = async (a: object): Promise<readonly unknown[]> => {
    const from = bench.simulation.logged.length;
    await bench.simulation.drive(bench.node.reload(file(a)));
    const warned = bench.simulation.logged.slice(from).filter(({ level }) => level === 'warn');
    return warned.map(({ fields }) => fields['differs']);
  };
  assert.deepEqual(await reload({ ShardCount: 2, RetentionPeriodHours: 48, Tags: { team: 'y' } }), []);
  assert.deepEqual(await summary(bench), [2, 48, 'team=y']);
  assert.deepEqual(await reload({ ShardCount: 3 }), [
    '2 shards: aws kinesis update-shard-count --stream-name a --target-shard-count 3 --scaling-type UNIFORM_SCALING',
    'records are kept longer: aws kinesis decrease-stream-retention-period --stream-name a --retention-period-hours 24',
  ]);
  const arn = '--stream-arn arn:aws:kinesis:us-east-1:000000000000:stream/a';
  const other = { StreamModeDetails: { StreamMode: 'ON_DEMAND' }, MaxRecordSizeInKiB: 2048, RetentionPeriodHours: 48 };
  assert.deepEqual(await reload(other), [
    `mode is PROVISIONED: aws kinesis update-stream-mode ${arn} --stream-mode-details StreamMode=ON_DEMAND`,
    `records of up to 1024 KiB: aws kinesis update-max-record-size ${arn} --max-record-size-in-ki-b 2048`,
  ]);
  assert.deepEqual(await summary(bench), [2, 48, 'team=y'], 'what would lose data, and what is absent, stays');
});

/** Describes the stream once it is ACTIVE. */
async function active(bench: NodeBench): Promise<Answer> {
  for (;;) {
    const { StreamDescription } = await bench.call('Kinesis_20131202.DescribeStream', { StreamName: 'a' });
    if (StreamDescription.StreamStatus === 'ACTIVE') return StreamDescription;
    await bench.simulation.drive(bench.simulation.environment.clock.sleep(1));
  }
}

test('a reshard that a power cut ends in the middle is finished by the next start', async () => {
  const MIDDLE = (2n ** 127n).toString();
  const split = { StreamName: 'a', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: MIDDLE };
  const outcomes = new Set<number>();
  for (let seed = 1; seed < 23; seed += 1) {
    const bench = await new NodeBench(seed).open({ streams: { a: { ShardCount: 1 } } });
    bench.simulation.crashAfterFileOperations(1 + (seed % 11));
    await bench
      .call('Kinesis_20131202.SplitShard', split)
      .then(async () => await active(bench))
      .catch(() => undefined);
    bench.simulation.restart();
    await bench.open({ streams: { a: { ShardCount: 1 } } });
    const { Shards } = await active(bench);
    outcomes.add(Shards.length);
    const put = { StreamName: 'a', PartitionKey: 'k', Data: 'YQ==' };
    const { ShardId } = await bench.call('Kinesis_20131202.PutRecord', put);
    assert.equal(ShardId === 'shardId-000000000000', Shards.length === 1);
  }
  assert.deepEqual(outcomes, new Set([1, 3]), 'before and after, nothing in between');
});
