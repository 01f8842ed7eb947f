import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { Environment } from '../ports/environment.ts';
import { base64, NodeBench } from '../testing/node-bench.ts';
import { openNode, SIMULATED_DATA } from '../testing/open-node.ts';

const LOG = `${SIMULATED_DATA}/log`;
const SECRET = 'a secret';
const SECTIONS = {
  streams: { a: { ShardCount: 1 } },
  deliveries: {
    out: {
      from: 'a',
      ExtendedS3DestinationConfiguration: {
        BucketARN: 'bucket',
        BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 900 },
      },
    },
  },
  gateway: { routes: { 'POST /hooks': { verify: { github: { secrets: [SECRET] } }, to: 'a' } } },
};

async function put(bench: NodeBench, text: string): Promise<void> {
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'a', PartitionKey: 'k', Data: base64(text) });
}

async function hook(bench: NodeBench, id: string): Promise<number> {
  const body = '{"a":1}';
  const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': signature,
  };
  return (await bench.post('/hooks', headers, body)).status;
}

/** Turns a bit of the text wherever it stands in the log. */
async function damage(bench: NodeBench, text: string): Promise<number> {
  const { files } = bench.simulation.environment;
  let count = 0;
  for (const name of await bench.simulation.drive(files.list(LOG))) {
    const path = `${LOG}/${name}`;
    const at = Buffer.from(await bench.simulation.drive(files.readFile(path))).indexOf(text);
    if (at < 0) continue;
    bench.simulation.flipBit(path, at, 3);
    count += 1;
  }
  return count;
}

test('with a damaged record the node starts, names it, delivers and answers what stands around it', async () => {
  const bench = await new NodeBench().open(SECTIONS);
  for (const text of ['before', 'damaged', 'behind']) await put(bench, text);
  assert.equal(await hook(bench, 'id1'), 200);
  await bench.close();
  assert.equal(await damage(bench, 'damaged'), 1);
  await bench.open(SECTIONS);
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'out' });
  const [object, gone, ...others] = [...(await bench.objects('bucket')).values()].map(String);
  assert.deepEqual([object, others], ['beforebehind{"a":1}', []]);
  const { errorCode, records } = JSON.parse(gone ?? '');
  assert.deepEqual([errorCode, records], ['LogDamaged', 1], 'a line tells of the record');
  const { ok, problems } = bench.node.health();
  assert.equal(ok, false);
  assert.match(problems.join('\n'), /the log is damaged: .* at byte \d+/);
  assert.match(problems.join('\n'), /delivery out: records were gone/);
  const lost = bench.simulation.logged.find(({ event }) => event === 'delivery.retention-exceeded');
  assert.deepEqual(lost?.fields, { delivery: 'out', records: 1, error: 'LogDamaged' });
  const iterator = async (ShardIteratorType: string, StartingSequenceNumber?: string): Promise<unknown> => {
    const where = { StreamName: 'a', ShardId: 'shardId-000000000000', ShardIteratorType, StartingSequenceNumber };
    return (await bench.call('Kinesis_20131202.GetShardIterator', where)).ShardIterator;
  };
  const first = await bench.call('Kinesis_20131202.GetRecords', { ShardIterator: await iterator('TRIM_HORIZON') });
  assert.deepEqual(
    first.Records.map(({ Data }: { Data: string }) => Data),
    [base64('before')],
  );
  const again = { ShardIterator: first.NextShardIterator as string };
  const refusal = await bench.refusal('Kinesis_20131202.GetRecords', again);
  assert.match(
    refusal,
    /^InternalFailure: Records of shardId-000000000000 in front of sequence number \d+ cannot be read/,
  );
  const next = /AT_SEQUENCE_NUMBER (\d+)/.exec(refusal)?.[1];
  const behind = { ShardIterator: await iterator('AT_SEQUENCE_NUMBER', next) };
  const rest = await bench.call('Kinesis_20131202.GetRecords', behind);
  assert.deepEqual(
    rest.Records.map(({ Data }: { Data: string }) => Data),
    [base64('behind'), base64('{"a":1}')],
  );
  // The id of the webhook behind the damaged place is still known.
  assert.equal(await hook(bench, 'id1'), 200);
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'out' });
  assert.equal((await bench.objects('bucket')).size, 2);
});

/** Removes the newest file of the log that holds a commit. */
async function loseNewestFile({ simulation }: NodeBench): Promise<void> {
  const { files } = simulation.environment;
  const names = (await simulation.drive(files.list(LOG))).filter((name) => name.startsWith('segment-'));
  await simulation.drive(files.remove(`${LOG}/${names.at(-1)}`));
}

test('the newest file of the log is gone: the catalog stays and goes on, what is put then is read and delivered', async () => {
  const bench = await new NodeBench().open(SECTIONS);
  await put(bench, 'before');
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'out' });
  await bench.close();
  await bench.open(SECTIONS);
  await bench.call('Kinesis_20131202.CreateStream', { StreamName: 'b', ShardCount: 1 });
  const toB = { StreamName: 'b', PartitionKey: 'k', Data: base64('gone, or behind') };
  const gone = await bench.call('Kinesis_20131202.PutRecord', toB);
  for (let count = 0; count < 10; count += 1) await put(bench, `gone ${count}`);
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'out' });
  const split = { StreamName: 'a', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '1000' };
  await bench.call('Kinesis_20131202.SplitShard', split);
  const latest = async (StreamName: string, ShardId: string): Promise<string> => {
    const where = { StreamName, ShardId, ShardIteratorType: 'LATEST' };
    return (await bench.call('Kinesis_20131202.GetShardIterator', where)).ShardIterator;
  };
  await bench.close();
  await loseNewestFile(bench);
  await bench.open(SECTIONS);
  assert.match(bench.node.health().problems.join('\n'), /the file that came behind it is gone/);
  // Changes are answered, and what was changed before is not forgotten.
  await bench.call('Kinesis_20131202.CreateStream', { StreamName: 'c', ShardCount: 1 });
  assert.equal(bench.node.records.describe('b')?.name, 'b');
  // Readers of the closed shard come to its end, though the log had lost it.
  const ended = { ShardIterator: await latest('a', 'shardId-000000000000') };
  assert.equal((await bench.call('Kinesis_20131202.GetRecords', ended)).NextShardIterator, undefined);
  await put(bench, 'behind');
  const behind = await bench.call('Kinesis_20131202.PutRecord', toB);
  assert.ok(behind.SequenceNumber > gone.SequenceNumber, 'no number is given twice');
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'out' });
  const objects = [...(await bench.objects('bucket')).values()].map(String);
  assert.ok(objects.includes('behind'), objects.join());
  await bench.close();
  await bench.open(SECTIONS);
  assert.deepEqual(bench.node.health().problems, []);
});

test('a start that fails closes what it had opened, and says what failed', async () => {
  const bench = await new NodeBench().open(SECTIONS);
  await put(bench, 'a record');
  await bench.close();
  const { simulation } = bench;
  const failures: Error[] = [];
  const broken: Environment = {
    ...simulation.environment,
    // The gateway is the last to start.
    meter: {
      ...simulation.environment.meter,
      count: (name, ...rest) => {
        if (name.startsWith('gateway')) throw new Error('no meter');
        simulation.environment.meter.count(name, ...rest);
      },
    },
  };
  const opening = openNode(broken, SECTIONS, (error) => failures.push(error));
  await assert.rejects(simulation.drive(opening), /no meter/);
  await simulation.pass(60_000);
  assert.deepEqual(failures, []);
});
