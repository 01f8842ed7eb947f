import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_PAIR_VARIABLES, verifyingConfig } from '../support/key-pair.ts';
import {
  removeDirectory,
  startNodeProcess,
  temporaryDirectory,
  type NodeProcess,
  type NodeProcessOptions,
} from '../support/node-process.ts';
import { awsVersion, runAws } from './aws-program.ts';
import type { Group } from './run.ts';

type Json = Record<string, unknown>;

/** Runs `aws WORDS LAST` against the node; `last` is an argument that holds spaces. */
async function aws(node: NodeProcess, words: string, ...last: readonly string[]): Promise<Json> {
  const environment = {
    ...KEY_PAIR_VARIABLES,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
  return (await runAws(node.api, [...words.split(' '), ...last], environment)) as Json;
}

/** The shape `describe-stream` prints in the document, with values that differ by nature as patterns. */
function checkDescription(answer: Json, name: string): void {
  const description = answer['StreamDescription'] as Json;
  const [shard] = description['Shards'] as readonly Json[];
  assert.equal(description['StreamName'], name);
  assert.equal(description['StreamStatus'], 'ACTIVE');
  assert.equal(description['EncryptionType'], 'NONE');
  assert.equal(description['RetentionPeriodHours'], 24);
  assert.deepEqual(description['EnhancedMonitoring'], [{ ShardLevelMetrics: [] }]);
  assert.match(String(description['StreamARN']), new RegExp(`^arn:aws:kinesis:us-east-1:\\d{12}:stream/${name}$`));
  assert.ok(description['StreamCreationTimestamp'] !== undefined);
  assert.equal(shard?.['ShardId'], 'shardId-000000000000');
  assert.deepEqual(shard?.['HashKeyRange'], {
    StartingHashKey: '0',
    EndingHashKey: '340282366920938463463374607431768211455',
  });
  const range = (shard ?? {})['SequenceNumberRange'] as Json;
  assert.match(String(range['StartingSequenceNumber']), /^49\d{54}$/);
}

/** Every aws command of the device integration document, in its order. */
async function deviceDocument(node: NodeProcess): Promise<number> {
  for (const name of ['tb-test-uplink', 'tb-test-downlink']) {
    await aws(node, `kinesis create-stream --stream-name ${name} --shard-count 1`);
    checkDescription(await aws(node, `kinesis describe-stream --stream-name ${name}`), name);
  }
  const data = '{"devName":"kitchen_thermostat", "devType":"thermostat", "temperature": 22}';
  const put = await aws(node, 'kinesis put-record --stream-name tb-test-uplink --partition-key 123 --data', data);
  assert.deepEqual(Object.keys(put).sort(), ['SequenceNumber', 'ShardId']);
  const from = '--shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON';
  const iterator = await aws(node, `kinesis get-shard-iterator ${from} --stream-name tb-test-uplink`);
  const records = await aws(node, `kinesis get-records --shard-iterator ${String(iterator['ShardIterator'])}`);
  const [record] = records['Records'] as readonly Json[];
  assert.equal(Buffer.from(String(record?.['Data']), 'base64').toString(), data);
  assert.equal(record?.['PartitionKey'], '123');
  assert.equal(record?.['SequenceNumber'], put['SequenceNumber']);
  assert.equal(records['MillisBehindLatest'], 0);
  assert.equal(typeof records['NextShardIterator'], 'string');
  return 7;
}

/** The other actions of the skeleton through the same client: what it sends and parses is AWS's own. */
async function otherActions(node: NodeProcess): Promise<number> {
  const streams = await aws(node, 'kinesis list-streams');
  assert.deepEqual(streams['StreamNames'], ['tb-test-downlink', 'tb-test-uplink']);
  const summary = await aws(node, 'kinesis describe-stream-summary --stream-name tb-test-uplink');
  assert.equal((summary['StreamDescriptionSummary'] as Json)['OpenShardCount'], 1);
  const shards = await aws(node, 'kinesis list-shards --stream-name tb-test-uplink');
  assert.equal((shards['Shards'] as readonly Json[]).length, 1);
  const records = 'Data=a,PartitionKey=a Data=b,PartitionKey=b';
  const batch = await aws(node, `kinesis put-records --stream-name tb-test-uplink --records ${records}`);
  assert.equal(batch['FailedRecordCount'], 0);
  const hints = 'BufferingHints={SizeInMBs=1,IntervalInSeconds=0}';
  const destination = `RoleARN=arn:aws:iam::123456789012:role/r,BucketARN=arn:aws:s3:::archive,${hints}`;
  const create = 'firehose create-delivery-stream --delivery-stream-name archive';
  await aws(node, `${create} --extended-s3-destination-configuration ${destination}`);
  const described = await aws(node, 'firehose describe-delivery-stream --delivery-stream-name archive');
  assert.equal((described['DeliveryStreamDescription'] as Json)['DeliveryStreamStatus'], 'ACTIVE');
  const sent = await aws(node, 'firehose put-record --delivery-stream-name archive --record Data=hello');
  assert.equal(typeof sent['RecordId'], 'string');
  await aws(node, 'kinesis delete-stream --stream-name tb-test-downlink');
  return 8;
}

/** What changes a stream, through the same client. */
async function lifecycle(node: NodeProcess): Promise<number> {
  const name = '--stream-name tb-test-uplink';
  await aws(node, `kinesis split-shard ${name} --shard-to-split shardId-000000000000 --new-starting-hash-key 1000`);
  const merge = '--shard-to-merge shardId-000000000001 --adjacent-shard-to-merge shardId-000000000002';
  await aws(node, `kinesis merge-shards ${name} ${merge}`);
  const count = '--target-shard-count 2 --scaling-type UNIFORM_SCALING';
  const updated = await aws(node, `kinesis update-shard-count ${name} ${count}`);
  assert.deepEqual([updated['CurrentShardCount'], updated['TargetShardCount']], [1, 2]);
  await aws(node, `kinesis increase-stream-retention-period ${name} --retention-period-hours 48`);
  await aws(node, `kinesis add-tags-to-stream ${name} --tags team=devices`);
  const tags = await aws(node, `kinesis list-tags-for-stream ${name}`);
  assert.deepEqual(tags['Tags'], [{ Key: 'team', Value: 'devices' }]);
  const open = await aws(node, `kinesis list-shards ${name} --shard-filter Type=AT_LATEST`);
  assert.equal((open['Shards'] as readonly Json[]).length, 2);
  return 7;
}

async function commands(options: NodeProcessOptions, data: string): Promise<number> {
  const node = await startNodeProcess(options);
  try {
    const kinesis = (await deviceDocument(node)) + (await otherActions(node)) + (await lifecycle(node));
    return kinesis + (await invocations(node, data));
  } finally {
    await node.stop();
  }
}

/** A function, as the command line of AWS invokes it. */
async function invocations(node: NodeProcess, data: string): Promise<number> {
  const out = join(data, 'out.json');
  const raw = 'lambda invoke --function-name echo --log-type Tail --payload';
  const done = await aws(node, raw, '{"a": 1}', out);
  assert.deepEqual([done['StatusCode'], done['ExecutedVersion'], done['FunctionError']], [200, '$LATEST', undefined]);
  assert.match(Buffer.from(String(done['LogResult']), 'base64').toString(), /^START RequestId: [\s\S]*\nREPORT /);
  assert.deepEqual(JSON.parse(readFileSync(out, 'utf8')), { a: 1 });
  const failed = await aws(node, raw, '{"fail": true}', out);
  assert.equal(failed['FunctionError'], 'Unhandled');
  assert.equal((JSON.parse(readFileSync(out, 'utf8')) as Json)['errorMessage'], 'as asked');
  const later = await aws(node, raw.replace('--log-type Tail', '--invocation-type Event'), '{"a": 2}', out);
  assert.equal(later['StatusCode'], 202);
  await assert.rejects(aws(node, 'lambda invoke --function-name nobody', out), /ResourceNotFoundException/);
  return 4;
}

const ECHO =
  "export const handler = async (event) => { if (event.fail) throw new Error('as asked'); return event; };\n";
const CONFIG = 'functions: { echo: { runtime: node, code: ., handler: index.handler } }\n';

/** The AWS command line, installed from PyPI, with only the endpoint changed. */
export const awsCli: Group = {
  name: 'aws-cli',
  install: awsVersion,
  async run() {
    const data = temporaryDirectory('aws-cli');
    writeFileSync(join(data, 'index.mjs'), ECHO);
    const open = join(data, 'open.yaml');
    writeFileSync(open, CONFIG);
    try {
      const taken = await commands({ config: open, data: join(data, 'open') }, data);
      // The second node verifies what the first one takes from anybody.
      return taken + (await commands({ config: verifyingConfig(data, CONFIG), data: join(data, 'verifying') }, data));
    } finally {
      removeDirectory(data);
    }
  },
};
