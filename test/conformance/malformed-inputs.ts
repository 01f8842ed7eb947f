import assert from 'node:assert/strict';
import { seal } from './sealed.ts';
import { HOOK_STREAM, ok, type Subject } from './subject.ts';

type Kind = 'string' | 'integer' | 'boolean' | 'blob' | 'list' | 'struct' | 'time';

const TOO_LONG = 'x'.repeat(100_000);
/** What no member of the kind may be. */
const WRONG: Readonly<Record<Kind, readonly unknown[]>> = {
  string: [1, true, [], {}, ['x'], { x: 'x' }, TOO_LONG, '\ud800 \u0000', '__proto__ constructor'],
  integer: ['1', 'x', true, [], {}, -1, -1e300, [1]],
  boolean: [1, 'perhaps', [], {}],
  blob: [1, true, [], {}, '=', 'a', 'YQ', 'YQ==YQ==', 'Y Q=', '-_-_', 'YR==', '\ud800===', '流流流流'],
  list: [1, 'x', true, {}, [1], ['x'], [[]], [null], [{}], [{ __proto__: null, Data: {} }]],
  struct: [1, 'x', true, [], [{}]],
  time: ['now', '2026-01-01T00:00:00Z', true, [], {}, 1e300, -1e300],
};

interface Action {
  readonly target: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly members: Readonly<Record<string, Kind>>;
}

const KINESIS = 'Kinesis_20131202.';
const FIREHOSE = 'Firehose_20150804.';
const STREAM = { StreamName: HOOK_STREAM };
const SHARD = { ...STREAM, ShardId: 'shardId-000000000000' };
const NAMED = { StreamName: 'string', StreamARN: 'string' } as const;
const S3 = 'ExtendedS3DestinationConfiguration';

/** Every action with a valid input and the kinds of its members; a dot leads into a structure. */
const ACTIONS: readonly Action[] = [
  {
    target: `${KINESIS}CreateStream`,
    input: { StreamName: 'conformance-never', ShardCount: 1 },
    members: {
      StreamName: 'string',
      ShardCount: 'integer',
      StreamModeDetails: 'struct',
      'StreamModeDetails.StreamMode': 'string',
      MaxRecordSizeInKiB: 'integer',
    },
  },
  { target: `${KINESIS}DeleteStream`, input: STREAM, members: { ...NAMED, EnforceConsumerDeletion: 'boolean' } },
  {
    target: `${KINESIS}DescribeStream`,
    input: STREAM,
    members: { ...NAMED, Limit: 'integer', ExclusiveStartShardId: 'string' },
  },
  { target: `${KINESIS}DescribeStreamSummary`, input: STREAM, members: NAMED },
  {
    target: `${KINESIS}ListStreams`,
    input: {},
    members: { Limit: 'integer', ExclusiveStartStreamName: 'string', NextToken: 'string' },
  },
  {
    target: `${KINESIS}ListShards`,
    input: STREAM,
    members: {
      ...NAMED,
      MaxResults: 'integer',
      NextToken: 'string',
      ExclusiveStartShardId: 'string',
      StreamCreationTimestamp: 'time',
      ShardFilter: 'struct',
      'ShardFilter.Type': 'string',
      'ShardFilter.Timestamp': 'time',
      'ShardFilter.ShardId': 'string',
    },
  },
  {
    target: `${KINESIS}PutRecord`,
    input: { ...STREAM, Data: '', PartitionKey: 'a' },
    members: { ...NAMED, Data: 'blob', ExplicitHashKey: 'string', SequenceNumberForOrdering: 'string' },
  },
  {
    target: `${KINESIS}PutRecords`,
    input: { ...STREAM, Records: [{ Data: '', PartitionKey: 'a' }] },
    members: { ...NAMED, Records: 'list' },
  },
  {
    target: `${KINESIS}GetShardIterator`,
    input: { ...SHARD, ShardIteratorType: 'LATEST' },
    members: {
      ...NAMED,
      ShardId: 'string',
      ShardIteratorType: 'string',
      StartingSequenceNumber: 'string',
      Timestamp: 'time',
    },
  },
  {
    target: `${KINESIS}GetRecords`,
    input: { ShardIterator: 'x' },
    members: { ShardIterator: 'string', Limit: 'integer', StreamARN: 'string' },
  },
  {
    target: `${FIREHOSE}CreateDeliveryStream`,
    input: { DeliveryStreamName: 'conformance-never', [S3]: { BucketARN: 'arn:aws:s3:::conformance-never' } },
    members: {
      DeliveryStreamName: 'string',
      DeliveryStreamType: 'string',
      KinesisStreamSourceConfiguration: 'struct',
      [S3]: 'struct',
      [`${S3}.BucketARN`]: 'string',
      [`${S3}.RoleARN`]: 'string',
      [`${S3}.BufferingHints`]: 'struct',
      [`${S3}.BufferingHints.SizeInMBs`]: 'integer',
      [`${S3}.BufferingHints.IntervalInSeconds`]: 'integer',
      [`${S3}.CompressionFormat`]: 'string',
      [`${S3}.S3BackupMode`]: 'string',
      [`${S3}.CloudWatchLoggingOptions.Enabled`]: 'boolean',
    },
  },
  {
    target: `${FIREHOSE}DescribeDeliveryStream`,
    input: { DeliveryStreamName: 'conformance-archive' },
    members: { DeliveryStreamName: 'string', Limit: 'integer', ExclusiveStartDestinationId: 'string' },
  },
  {
    target: `${FIREHOSE}ListDeliveryStreams`,
    input: {},
    members: { Limit: 'integer', DeliveryStreamType: 'string', ExclusiveStartDeliveryStreamName: 'string' },
  },
  {
    target: `${FIREHOSE}DeleteDeliveryStream`,
    input: { DeliveryStreamName: 'conformance-archive' },
    members: { DeliveryStreamName: 'string', AllowForceDelete: 'boolean' },
  },
  {
    target: `${FIREHOSE}PutRecord`,
    input: { DeliveryStreamName: 'conformance-archive', Record: { Data: '' } },
    members: { DeliveryStreamName: 'string', Record: 'struct', 'Record.Data': 'blob' },
  },
  {
    target: `${FIREHOSE}PutRecordBatch`,
    input: { DeliveryStreamName: 'conformance-archive', Records: [{ Data: '' }] },
    members: { DeliveryStreamName: 'string', Records: 'list' },
  },
  {
    target: `${FIREHOSE}ListTagsForDeliveryStream`,
    input: { DeliveryStreamName: 'conformance-archive' },
    // Almost any text is a tag's key.
    members: { DeliveryStreamName: 'string', Limit: 'integer' },
  },
  {
    target: `${FIREHOSE}TagDeliveryStream`,
    input: { DeliveryStreamName: 'conformance-never', Tags: [{ Key: 'k', Value: 'v' }] },
    members: { DeliveryStreamName: 'string', Tags: 'list' },
  },
  {
    target: `${FIREHOSE}UntagDeliveryStream`,
    input: { DeliveryStreamName: 'conformance-never', TagKeys: ['k'] },
    members: { DeliveryStreamName: 'string', TagKeys: 'list' },
  },
  {
    target: `${FIREHOSE}StartDeliveryStreamEncryption`,
    input: {
      DeliveryStreamName: 'conformance-never',
      DeliveryStreamEncryptionConfigurationInput: { KeyType: 'AWS_OWNED_CMK' },
    },
    members: {
      DeliveryStreamName: 'string',
      DeliveryStreamEncryptionConfigurationInput: 'struct',
      'DeliveryStreamEncryptionConfigurationInput.KeyType': 'string',
      'DeliveryStreamEncryptionConfigurationInput.KeyARN': 'string',
    },
  },
  {
    target: `${FIREHOSE}StopDeliveryStreamEncryption`,
    input: { DeliveryStreamName: 'conformance-never' },
    members: { DeliveryStreamName: 'string' },
  },
  {
    target: `${FIREHOSE}UpdateDestination`,
    input: {
      DeliveryStreamName: 'conformance-never',
      CurrentDeliveryStreamVersionId: '1',
      DestinationId: 'destinationId-000000000001',
      ExtendedS3DestinationUpdate: {},
    },
    members: {
      DeliveryStreamName: 'string',
      CurrentDeliveryStreamVersionId: 'string',
      DestinationId: 'string',
      ExtendedS3DestinationUpdate: 'struct',
      'ExtendedS3DestinationUpdate.BufferingHints': 'struct',
      'ExtendedS3DestinationUpdate.S3BackupUpdate': 'struct',
      'ExtendedS3DestinationUpdate.S3BackupUpdate.CompressionFormat': 'string',
      S3DestinationUpdate: 'struct',
    },
  },
];

/** A body that must be a 400. */
export interface WrongBody {
  readonly target: string;
  readonly body: string;
  readonly what: string;
}

/** Every member of every action with every wrong value of its kind. */
export function* wrongBodies(): Generator<WrongBody> {
  for (const { target, input, members } of ACTIONS) {
    for (const [path, kind] of Object.entries(members)) {
      for (const value of WRONG[kind]) {
        const body = JSON.stringify(changed(input, path.split('.'), value));
        yield { target, body, what: `${path} = ${JSON.stringify(value).slice(0, 60)}` };
      }
    }
  }
}

/** Valid inputs of every action, to be mutated; those that delete find nothing. */
export function validBodies(): readonly (readonly [target: string, body: string])[] {
  return ACTIONS.map(({ target, input }) => {
    const body = JSON.stringify(input);
    return [target, target.includes('.Delete') ? body.replaceAll(/"conformance-\w+"/g, '"nothing"') : body] as const;
  });
}

function changed(input: unknown, [name = '', ...rest]: readonly string[], value: unknown): object {
  const given = (input ?? {}) as Readonly<Record<string, unknown>>;
  return { ...given, [name]: rest.length === 0 ? value : changed(given[name], rest, value) };
}

/** One token as a member of one action; garbage must be a 400, altered content may have become another valid token. */
export interface Token {
  readonly action: string;
  readonly input: object;
  readonly isGarbage: boolean;
}

const GARBAGE = ['x', ' ', 'AAAA', '====', '\u0000', '流', '{}', 'null', 'A'.repeat(511), '/'.repeat(400)];
const HOSTILE: readonly unknown[] = [
  null,
  undefined,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'x',
  '0',
  '-1',
  '1e3',
  '９',
  '999999999999999999',
  '9'.repeat(30),
  [],
  {},
  [null],
  { Type: null },
  { Type: 'AT_TIMESTAMP' },
  { Type: 'AFTER_SHARD_ID', ShardId: {} },
  '__proto__',
  'constructor',
  '$dedupe',
  '$catalog',
  '../..',
  'shardId-000000000000',
  '\ud800',
];

/** Garbage, and tokens that are sealed as the node does it around what it would never say; `host` is to be deleted. */
export async function alteredTokens(subject: Subject): Promise<{ readonly host: string; readonly all: Token[] }> {
  const host = subject.name('tokens');
  await ok(subject.kinesis('CreateStream', { StreamName: host, ShardCount: 3 }));
  const own = await genuine(subject, host);
  const all: Token[] = [];
  for (const { kind, action, member, content, text } of own) {
    const add = (token: unknown, isGarbage: boolean): unknown =>
      all.push({ action, input: { [member]: token }, isGarbage });
    for (const token of GARBAGE) add(token, true);
    for (const one of own) if (one.kind !== kind) add(one.text, true);
    for (let at = 0; at < text.length; at += 3) add(flipped(text, at), true);
    add(text.slice(0, -4), true);
    add(`${text}AAAA`, true);
    for (const whole of ['null', '1', '"x"', '[]', '{}', 'true', 'no JSON', '', '[{}]'])
      add(seal(kind, whole), whole !== '{}');
    for (const name of [...Object.keys(content), '__proto__']) {
      for (const value of HOSTILE) add(seal(kind, JSON.stringify({ ...content, [name]: value })), false);
    }
  }
  return { host, all };
}

interface Genuine {
  readonly kind: string;
  readonly action: string;
  readonly member: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A token of each kind as the node gives it, opened: its content can be altered and sealed again. */
async function genuine(subject: Subject, host: string): Promise<Genuine[]> {
  const filter = { Type: 'AT_TIMESTAMP', Timestamp: Date.now() / 1000 };
  const from = { StreamName: host, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
  const table = [
    ['iterator', 'GetRecords', 'ShardIterator', (await ok(subject.kinesis('GetShardIterator', from)))['ShardIterator']],
    [
      'shards',
      'ListShards',
      'NextToken',
      await nextToken(subject, 'ListShards', { StreamName: host, MaxResults: 1, ShardFilter: filter }),
    ],
    ['streams', 'ListStreams', 'NextToken', await nextToken(subject, 'ListStreams', { Limit: 1 })],
  ] as const;
  return table.map(([kind, action, member, token]) => {
    const text = String(token);
    const content = JSON.parse(Buffer.from(text, 'base64').subarray(16).toString()) as Genuine['content'];
    assert.equal(seal(kind, JSON.stringify(content)), text, 'this suite seals as the node does');
    return { kind, action, member, content, text };
  });
}

async function nextToken(subject: Subject, action: string, input: object): Promise<unknown> {
  return (await ok(subject.kinesis(action, input)))['NextToken'];
}

function flipped(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}
