import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNoted } from '../ports/audit.ts';
import { nodeClock } from '../environments/node/clock.ts';
import { capabilities } from '../registry.ts';
import { fakeFunctionRuntime } from '../testing/fake-function-runtime.ts';
import { signRequest } from '../wire/sigv4/sign.ts';
import { withNode, type Answer, type Pair } from './key-pairs.fixture.ts';
import type { ServedNode } from './serve.ts';

const ALL = { accessKeyId: 'ALL', secretAccessKey: 'the secret of all-0' };
const WRITER = { accessKeyId: 'WRITER', secretAccessKey: 'the secret of the writer' };
const FRONT = 'arn:aws:kinesis:us-east-1:000000000000:stream/';
const BOUND = { allow: ['kinesis:*', 'admin:Read'], on: ['mine'] };

async function ask(url: string, service: string, pair: Pair | undefined, action?: string, input: object = {}): Promise<Answer> {
  const method = action === undefined ? 'GET' : 'POST';
  const body = action === undefined ? '' : JSON.stringify(input);
  const target = action === undefined ? {} : { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': action };
  const request = { method, url: new URL(url), headers: target, body };
  const headers = pair === undefined ? target : signRequest(request, { ...pair, region: 'us-east-1', service, now: Date.now() });
  const answer = await fetch(url, { method, headers, ...(body !== '' && { body }) });
  const text = await answer.text();
  return text.startsWith('{') ? { status: answer.status, ...JSON.parse(text) } : { status: answer.status, text };
} // prettier-ignore

/** The code of a refusal, or the status. */
function outcome({ status, __type, error, code }: Answer): unknown {
  return __type ?? code ?? error?.code ?? error ?? status;
}

test('a node with key pairs', async () => {
  const streams = { mine: { ShardCount: 1 }, other: { ShardCount: 1 } };
  await withNode([ALL, { ...WRITER, ...BOUND }], { streams }, async ({ api }) => {
    const kinesis = async (pair: Pair | undefined, action: string, input: object = {}): Promise<Answer> =>
      await ask(`${api}/`, 'kinesis', pair, `Kinesis_20131202.${action}`, input);
    const get = async (pair: Pair | undefined, path: string): Promise<Answer> => await ask(api + path, 'millrace', pair);
    for (const path of ['/healthz', '/readyz']) assert.equal((await get(undefined, path)).status, 200, path);
    for (const path of ['/metrics', '/admin/node', '/admin/none', '/none']) {
      const refused = await get(undefined, path);
      assert.ok(refused.status === 400 && !('version' in refused), path);
    }
    assert.equal(outcome(await kinesis(undefined, 'ListStreams')), 'MissingAuthenticationTokenException');
    assert.deepEqual((await kinesis(ALL, 'ListStreams')).StreamNames, ['mine', 'other']);
    const record = { PartitionKey: 'k', Data: '' };
    const iteratorOf = async (StreamName: string): Promise<Answer> => {
      const place = { StreamName, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
      return { ShardIterator: (await kinesis(ALL, 'GetShardIterator', place)).ShardIterator };
    };
    const foreign = `${FRONT}other`;
    const table: readonly (readonly [action: string, input: object, outcome: unknown])[] = [
      ['PutRecord', { StreamName: 'mine', ...record }, 200],
      ['PutRecord', { StreamName: 'other', ...record }, 'AccessDeniedException'],
      ['PutRecord', { StreamName: 'mine', StreamARN: foreign, ...record }, 'AccessDeniedException'],
      ['PutRecords', { StreamARN: foreign, Records: [record] }, 'AccessDeniedException'],
      ['GetRecords', await iteratorOf('mine'), 200],
      ['GetRecords', await iteratorOf('other'), 'AccessDeniedException'],
      ['GetRecords', { ...(await iteratorOf('other')), StreamName: 'mine' }, 'AccessDeniedException'],
      ['ListStreams', {}, 'AccessDeniedException'],
      ['ListStreams', { StreamName: 'mine' }, 'AccessDeniedException'],
      ['DeleteStream', { StreamName: 'none' }, 'AccessDeniedException'],
    ];
    for (const [action, input, expected] of table) {
      assert.equal(outcome(await kinesis(WRITER, action, input)), expected, `${action} ${JSON.stringify(input)}`);
    }
    const paths: readonly (readonly [path: string, writer: number])[] = [
      ['/admin/node', 200], ['/admin/streams/mine', 200], ['/admin/streams/mine/records', 200],
      ['/admin/streams/other', 400], ['/admin/streams', 400], ['/admin/deliveries', 400], ['/admin/audit', 400],
      ['/metrics', 400],
    ]; // prettier-ignore
    for (const [path, status] of paths) {
      assert.equal((await get(WRITER, path)).status, status, path);
      assert.equal((await get(ALL, path)).status, 200, path);
    }
    const audited = await get(ALL, '/admin/audit');
    assert.deepEqual(
      audited.entries.map(({ who, action, on, outcome: end }: Answer) => [who, action, on.join(), end].join(' ')),
      ['WRITER kinesis:DeleteStream arn:aws:kinesis:us-east-1:000000000000:stream/none AccessDeniedException'],
    );
    await kinesis(ALL, 'DeleteStream', { StreamName: 'none' });
    await kinesis(ALL, 'CreateStream', { StreamName: 'made', ShardCount: 1 });
    const more = await get(ALL, `/admin/audit?after=${audited.next}&limit=1`);
    assert.deepEqual([more.entries.length, more.entries[0].outcome], [1, 'ResourceNotFoundException']);
    const last = await get(ALL, `/admin/audit?after=${more.next}`);
    assert.deepEqual([last.entries.length, last.entries[0].outcome, last.entries[0].from], [1, 'ok', '127.0.0.1']);
    assert.doesNotMatch(JSON.stringify([audited, more, last]), /secret/i);
    assert.equal((await get(ALL, '/admin/audit?after=x')).status, 400);
    assert.equal(outcome(await kinesis(ALL, 'DescribeStream', { StreamName: '$audit' })), 'ValidationException');
    assert.deepEqual((await kinesis(ALL, 'ListStreams')).StreamNames, ['made', 'mine', 'other']);
    assert.equal((await get(ALL, '/admin/streams/$audit')).status, 400);
  });
}); // prettier-ignore

test('a bound key reaches no other stream by an ARN, and no consumer of it', async () => {
  const streams = { mine: { ShardCount: 1 }, other: { ShardCount: 1 } };
  await withNode([ALL, { ...WRITER, ...BOUND }], { streams }, async ({ api }) => {
    const kinesis = async (pair: Pair, action: string, input: object = {}): Promise<Answer> =>
      await ask(`${api}/`, 'kinesis', pair, `Kinesis_20131202.${action}`, input);
    const arns = { mine: `${FRONT}mine`, other: `${FRONT}other` };
    const consumers: Record<string, string> = {};
    for (const [name, StreamARN] of Object.entries(arns)) {
      const made = await kinesis(ALL, 'RegisterStreamConsumer', { StreamARN, ConsumerName: 'reader' });
      consumers[name] = made.Consumer.ConsumerARN;
    }
    const Tags = { a: 'b' };
    const Policy = '{"Version":"2012-10-17","Statement":[]}';
    const start = { ShardId: 'shardId-000000000000', StartingPosition: { Type: 'LATEST' } };
    const changes: readonly (readonly [action: string, member: 'StreamARN' | 'ResourceARN' | 'ConsumerARN', input: object])[] = [
      ['TagResource', 'ResourceARN', { Tags }],
      ['ListTagsForResource', 'ResourceARN', {}],
      ['UntagResource', 'ResourceARN', { TagKeys: ['a'] }],
      ['PutResourcePolicy', 'ResourceARN', { Policy }],
      ['GetResourcePolicy', 'ResourceARN', {}],
      ['DeleteResourcePolicy', 'ResourceARN', {}],
      ['UpdateMaxRecordSize', 'StreamARN', { MaxRecordSizeInKiB: 2048 }],
      ['ListStreamConsumers', 'StreamARN', {}],
      ['StartStreamEncryption', 'StreamARN', { EncryptionType: 'KMS', KeyId: 'alias/a' }],
      ['EnableEnhancedMonitoring', 'StreamARN', { ShardLevelMetrics: ['ALL'] }],
      ['DescribeStreamConsumer', 'ConsumerARN', {}],
      ['SubscribeToShard', 'ConsumerARN', start],
      ['DeregisterStreamConsumer', 'ConsumerARN', {}],
    ];
    for (const [action, member, input] of changes) {
      const targets = member === 'StreamARN' ? [arns] : member === 'ResourceARN' ? [arns, consumers] : [consumers];
      for (const { mine = '', other = '' } of targets) {
        const refused = await kinesis(WRITER, action, { ...input, [member]: other });
        const sentence =
          `User: arn:aws:iam::000000000000:user/WRITER is not authorized to perform: kinesis:${action} on resource: ` +
          `${other} because no identity-based policy allows the kinesis:${action} action`;
        assert.deepEqual([refused.__type, refused.message], ['AccessDeniedException', sentence]);
        if (action === 'SubscribeToShard') continue;
        assert.equal(outcome(await kinesis(WRITER, action, { ...input, [member]: mine })), 200, `${action} ${mine}`);
      }
    }
    for (const action of ['DescribeAccountSettings', 'DescribeLimits', 'CreateQueue']) {
      assert.match((await kinesis(WRITER, action)).message, / on resource: \* because /, action);
    }
    const { entries } = await ask(`${api}/admin/audit`, 'millrace', ALL);
    const refusals = entries.filter(({ outcome: end }: Answer) => end === 'AccessDeniedException');
    assert.deepEqual(
      refusals.slice(0, 3).map(({ action, on }: Answer) => `${action} ${on.join()}`),
      [
        `kinesis:TagResource ${arns.other}`,
        `kinesis:TagResource ${consumers['other']}`,
        `kinesis:UntagResource ${arns.other}`,
      ],
    );
  });
}); // prettier-ignore

test('a key bound to a delivery reaches no other by any action, nor reads a foreign stream with a new one', async () => {
  const bucket = { BucketARN: 'arn:aws:s3:::archive' };
  const toBucket = { ExtendedS3DestinationConfiguration: bucket };
  const config = { streams: { other: {} }, deliveries: { other: toBucket } };
  await withNode([ALL, { ...WRITER, allow: ['firehose:*'], on: ['mine'] }], config, async ({ api }) => {
    const firehose = async (action: string, DeliveryStreamName: string | undefined, input: object): Promise<Answer> =>
      await ask(`${api}/`, 'firehose', WRITER, `Firehose_20150804.${action}`, { DeliveryStreamName, ...input });
    const Record = { Data: '' };
    const update = { CurrentDeliveryStreamVersionId: '1', DestinationId: 'destinationId-000000000001' };
    const actions: readonly (readonly [action: string, input: object])[] = [
      ['CreateDeliveryStream', toBucket],
      ['DescribeDeliveryStream', {}],
      ['PutRecord', { Record }],
      ['PutRecordBatch', { Records: [Record] }],
      ['TagDeliveryStream', { Tags: [{ Key: 'k' }] }],
      ['ListTagsForDeliveryStream', {}],
      ['UntagDeliveryStream', { TagKeys: ['k'] }],
      ['StartDeliveryStreamEncryption', {}],
      ['StopDeliveryStreamEncryption', {}],
      ['UpdateDestination', { ...update, ExtendedS3DestinationUpdate: {} }],
      ['DeleteDeliveryStream', {}],
    ];
    for (const [action, input] of actions) {
      assert.equal(outcome(await firehose(action, 'other', input)), 'AccessDeniedException', action);
      assert.equal(outcome(await firehose(action, 'mine', input)), 200, action);
    }
    assert.equal(outcome(await firehose('ListDeliveryStreams', undefined, {})), 'AccessDeniedException');
    const KinesisStreamSourceConfiguration = { KinesisStreamARN: `${FRONT}other` };
    const reader = { ...toBucket, DeliveryStreamType: 'KinesisStreamAsSource', KinesisStreamSourceConfiguration };
    assert.equal(outcome(await firehose('CreateDeliveryStream', 'mine', reader)), 'AccessDeniedException');
  });
});

test('what is noted, and what is not', () => {
  const operations = capabilities.flatMap(({ name, operations: all }) => all.map((one) => ({ service: name, ...one })));
  const noted = operations.filter(isNoted).map(({ service, name }) => `${service}:${name}`);
  assert.deepEqual(noted.toSorted(), [
    'firehose:CreateDeliveryStream',
    'firehose:DeleteDeliveryStream',
    'firehose:StartDeliveryStreamEncryption',
    'firehose:StopDeliveryStreamEncryption',
    'firehose:TagDeliveryStream',
    'firehose:UntagDeliveryStream',
    'firehose:UpdateDestination',
    'kinesis:AddTagsToStream',
    'kinesis:CreateStream',
    'kinesis:DecreaseStreamRetentionPeriod',
    'kinesis:DeleteResourcePolicy',
    'kinesis:DeleteStream',
    'kinesis:DeregisterStreamConsumer',
    'kinesis:DisableEnhancedMonitoring',
    'kinesis:EnableEnhancedMonitoring',
    'kinesis:IncreaseStreamRetentionPeriod',
    'kinesis:MergeShards',
    'kinesis:PutResourcePolicy',
    'kinesis:RegisterStreamConsumer',
    'kinesis:RemoveTagsFromStream',
    'kinesis:SplitShard',
    'kinesis:StartStreamEncryption',
    'kinesis:StopStreamEncryption',
    'kinesis:TagResource',
    'kinesis:UntagResource',
    'kinesis:UpdateAccountSettings',
    'kinesis:UpdateMaxRecordSize',
    'kinesis:UpdateShardCount',
    'kinesis:UpdateStreamMode',
    'kinesis:UpdateStreamWarmThroughput',
  ]);
});

test('key pairs change without a restart, two live at once, and a foreign page stays out', async () => {
  await withNode([ALL], {}, async (served) => {
    const url = `${served.api}/admin/node`;
    const statuses = async (): Promise<unknown> => [
      (await ask(url, 'millrace', ALL)).status,
      (await ask(url, 'millrace', WRITER)).status,
    ];
    assert.deepEqual(await statuses(), [200, 400]);
    await served.reload({}, [ALL, WRITER]);
    assert.deepEqual(await statuses(), [200, 200]);
    await served.reload({}, [WRITER]);
    assert.deepEqual(await statuses(), [400, 200]);
    const foreign = await fetch(url, { headers: { origin: 'https://evil.example' } });
    assert.equal(foreign.status, 403);
    await served.reload({}, undefined);
    assert.equal((await fetch(url)).status, 200);
  });
});

test('a function is held to the data plane where everybody else is let in', async () => {
  const runtime = fakeFunctionRuntime(nodeClock, {
    'a.shows': (_event, _run, { variables }) => ({ value: variables }),
  });
  const functions = { bound: shows(), more: shows(['kinesis:CreateStream', 'admin:Read']) };
  const sections = { streams: { mine: { ShardCount: 1 } }, functions };
  const work = async ({ api }: ServedNode): Promise<void> => {
    const pairOf = async (name: string): Promise<Pair> => {
      const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = await invoked(api, name);
      return { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
    };
    const [bound, more] = [await pairOf('bound'), await pairOf('more')];
    const made = { StreamName: 'made', ShardCount: 1 };
    const put = { StreamName: 'mine', PartitionKey: 'k', Data: '' };
    const table: readonly (readonly [Pair, action: string, input: object, outcome: unknown])[] = [
      [bound, 'PutRecord', put, 200],
      [{ ...bound, secretAccessKey: 'a guess' }, 'PutRecord', put, 'InvalidSignatureException'],
      [bound, 'CreateStream', made, 'AccessDeniedException'],
      [bound, 'DeleteStream', { StreamName: 'mine' }, 'AccessDeniedException'],
      [more, 'DeleteStream', { StreamName: 'mine' }, 'AccessDeniedException'],
      [more, 'CreateStream', made, 200],
      [ALL, 'DeleteStream', { StreamName: 'made' }, 200],
    ];
    for (const [pair, action, input, expected] of table) {
      const answer = await ask(`${api}/`, 'kinesis', pair, `Kinesis_20131202.${action}`, input);
      assert.equal(outcome(answer), expected, action);
    }
    const gets: readonly (readonly [Pair | undefined, path: string, outcome: unknown])[] = [
      [bound, '/admin/node', 'AccessDeniedException'],
      [bound, '/metrics', 'AccessDeniedException'],
      [more, '/admin/node', 200],
      [ALL, '/admin/node', 200],
      [undefined, '/admin/node', 200],
    ];
    for (const [pair, path, expected] of gets) {
      assert.equal(outcome(await ask(api + path, 'millrace', pair)), expected, `${pair?.accessKeyId} ${path}`);
    }
    // In the query, too, it is told by its name.
    const inQuery = `${api}/admin/node?X-Amz-Credential=${bound.accessKeyId}%2F20260101%2Fus-east-1%2Fmillrace%2Faws4_request`;
    assert.notEqual((await fetch(inQuery)).status, 200);
  };
  await withNode(undefined, sections, work, { functionRuntime: runtime });
});

function shows(allow: readonly string[] = []): object {
  return { runtime: 'node', code: '.', handler: 'a.shows', allow };
}

/** What a function answers, asked by somebody. */
async function invoked(api: string, name: string): Promise<Answer> {
  const url = `${api}/2015-03-31/functions/${name}/invocations`;
  const signing = { ...ALL, region: 'us-east-1', service: 'lambda', now: Date.now() };
  const headers = signRequest({ method: 'POST', url: new URL(url), headers: {}, body: '{}' }, signing);
  return await (await fetch(url, { method: 'POST', headers, body: '{}' })).json();
}
