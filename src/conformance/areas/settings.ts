import assert from 'node:assert/strict';
import { check, onStream, refusals, type Area, type Check } from '../check.ts';
import type { Endpoint, Json } from '../endpoint.ts';

const KEY = 'alias/aws/kinesis';
const METRICS = [
  'IncomingBytes',
  'IncomingRecords',
  'IteratorAgeMilliseconds',
  'OutgoingBytes',
  'OutgoingRecords',
  'ReadProvisionedThroughputExceeded',
  'WriteProvisionedThroughputExceeded',
];

async function summary(endpoint: Endpoint, StreamName: string): Promise<Json> {
  return (await endpoint.ok('DescribeStreamSummary', { StreamName })).StreamDescriptionSummary;
}

const account: readonly Check[] = [
  check('DescribeLimits counts shards and on-demand streams against their limits', async (endpoint) => {
    await endpoint.stream('even4', 4);
    const limits = await endpoint.ok('DescribeLimits', {});
    for (const name of ['ShardLimit', 'OpenShardCount', 'OnDemandStreamCount', 'OnDemandStreamCountLimit']) {
      assert.ok(Number.isInteger(limits[name]), name);
    }
    assert.ok(limits.OpenShardCount >= 4);
  }),
  check('DescribeAccountSettings tells of the commitment', async (endpoint) => {
    const { MinimumThroughputBillingCommitment } = await endpoint.ok('DescribeAccountSettings', {});
    const states = ['ENABLED', 'DISABLED', 'ENABLED_UNTIL_EARLIEST_ALLOWED_END'];
    assert.ok(states.includes(MinimumThroughputBillingCommitment.Status));
  }),
  // A commitment that is made costs money on AWS.
  ...refusals('UpdateAccountSettings', () => [
    [
      'an unknown state',
      { MinimumThroughputBillingCommitment: { Status: 'ON' } },
      'ValidationException',
      /\[ENABLED, DISABLED\]$/,
    ],
  ]),
];

const retention: readonly Check[] = [
  onStream('retention goes up and down', 'retention', 1, async (endpoint, { name }) => {
    await endpoint.change('IncreaseStreamRetentionPeriod', name, { StreamName: name, RetentionPeriodHours: 48 });
    assert.equal((await summary(endpoint, name)).RetentionPeriodHours, 48);
    const wrong = { StreamName: name, RetentionPeriodHours: 47 };
    await endpoint.refuses('IncreaseStreamRetentionPeriod', wrong, 'InvalidArgumentException', /can not be shorter/);
    await endpoint.change('DecreaseStreamRetentionPeriod', name, { StreamName: name, RetentionPeriodHours: 24 });
    assert.equal((await summary(endpoint, name)).RetentionPeriodHours, 24);
  }),
  ...refusals('IncreaseStreamRetentionPeriod', ({ name }) => [
    ['more than 8,760 hours', { StreamName: name, RetentionPeriodHours: 8761 }, 'InvalidArgumentException', /too long/],
  ]),
  ...refusals('DecreaseStreamRetentionPeriod', ({ name }) => [
    ['less than 24 hours', { StreamName: name, RetentionPeriodHours: 23 }, 'InvalidArgumentException', /too short/],
    [
      'more hours than there are',
      { StreamName: name, RetentionPeriodHours: 30 },
      'InvalidArgumentException',
      /can not be longer/,
    ],
  ]),
];

const encryption: readonly Check[] = [
  onStream(
    'encryption is reported with its key, by puts and gets too, until it stops',
    'encrypted',
    1,
    async (endpoint, stream) => {
      const { name } = stream;
      const input = { StreamName: name, EncryptionType: 'KMS', KeyId: KEY };
      await endpoint.change('StartStreamEncryption', name, input);
      const on = await summary(endpoint, name);
      assert.equal(on.EncryptionType, 'KMS');
      assert.match(on.KeyId, /alias\/aws\/kinesis$/);
      await endpoint.eventually(async () => {
        const { EncryptionType } = (await endpoint.put(name, 'x')) as Json;
        assert.equal(EncryptionType, 'KMS', 'PutRecord reports the encryption');
      });
      const { Records } = await endpoint.read(name, 'TRIM_HORIZON');
      assert.equal(Records.at(-1).EncryptionType, 'KMS', 'GetRecords reports the encryption');
      await endpoint.change('StopStreamEncryption', name, input);
      const off = await summary(endpoint, name);
      assert.deepEqual([off.EncryptionType, off.KeyId ?? undefined], ['NONE', undefined]);
    },
  ),
  ...refusals('StartStreamEncryption', ({ name, missing }) => [
    [
      'an unknown type',
      { StreamName: name, EncryptionType: 'AES', KeyId: KEY },
      'ValidationException',
      /'encryptionType'/,
    ],
    ['no key', { StreamName: name, EncryptionType: 'KMS' }, 'ValidationException', /'keyId'/],
    [
      'a stream that is not there',
      { StreamName: missing, EncryptionType: 'KMS', KeyId: KEY },
      'ResourceNotFoundException',
      /not found\.$/,
    ],
  ]),
];

const monitoring: readonly Check[] = [
  onStream('enhanced monitoring is switched by metric and as a whole', 'monitored', 1, async (endpoint, stream) => {
    const { name } = stream;
    const two = { StreamName: name, ShardLevelMetrics: ['IncomingBytes', 'OutgoingBytes'] };
    const answer = await endpoint.change('EnableEnhancedMonitoring', name, two);
    assert.deepEqual(answer.CurrentShardLevelMetrics ?? [], []);
    assert.deepEqual(answer.DesiredShardLevelMetrics.toSorted(), two.ShardLevelMetrics);
    const all = { StreamName: name, ShardLevelMetrics: ['ALL'] };
    await endpoint.change('EnableEnhancedMonitoring', name, all);
    const { EnhancedMonitoring } = await summary(endpoint, name);
    assert.deepEqual(EnhancedMonitoring[0].ShardLevelMetrics.toSorted(), METRICS);
    await endpoint.change('DisableEnhancedMonitoring', name, all);
    assert.deepEqual((await summary(endpoint, name)).EnhancedMonitoring, [{ ShardLevelMetrics: [] }]);
  }),
  ...refusals('EnableEnhancedMonitoring', ({ name }) => [
    [
      'an unknown metric',
      { StreamName: name, ShardLevelMetrics: ['Speed'] },
      'ValidationException',
      /'shardLevelMetrics'/,
    ],
    ['no metric', { StreamName: name, ShardLevelMetrics: [] }, 'ValidationException', /'shardLevelMetrics'/],
  ]),
];

const sizes: readonly Check[] = [
  ...refusals('UpdateMaxRecordSize', ({ arn }) => [
    ['less than 1 MiB', { StreamARN: arn, MaxRecordSizeInKiB: 1023 }, 'ValidationException', /1024$/],
    ['more than 10 MiB', { StreamARN: arn, MaxRecordSizeInKiB: 10_241 }, 'ValidationException', /10240$/],
    [
      'a stream that is not there',
      { StreamARN: `${arn}x`, MaxRecordSizeInKiB: 1024 },
      'ResourceNotFoundException',
      /not found\.$/,
    ],
  ]),
  ...refusals('UpdateStreamWarmThroughput', ({ arn }) => [
    [
      'a provisioned stream',
      { StreamARN: arn, WarmThroughputMiBps: 5 },
      'ValidationException|InvalidArgumentException',
      /ON_DEMAND/,
    ],
    [
      'a negative number',
      { StreamARN: arn, WarmThroughputMiBps: -1 },
      'ValidationException',
      /greater than or equal to 0$/,
    ],
  ]),
];

const policies: readonly Check[] = [
  onStream('a resource policy is put, given and removed', 'policy', 1, async (endpoint, { arn }) => {
    const Statement = [
      {
        Sid: 'read',
        Effect: 'Allow',
        Principal: { AWS: arn.split(':')[4] },
        Action: ['kinesis:DescribeStreamSummary', 'kinesis:GetRecords'],
        Resource: arn,
      },
    ];
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await endpoint.ok('PutResourcePolicy', { ResourceARN: arn, Policy });
    const kept = JSON.parse((await endpoint.ok('GetResourcePolicy', { ResourceARN: arn })).Policy);
    assert.equal(kept.Statement[0].Sid, 'read');
    await endpoint.ok('DeleteResourcePolicy', { ResourceARN: arn });
    await endpoint.refuses(
      'DeleteResourcePolicy',
      { ResourceARN: arn },
      'ResourceNotFoundException',
      /No resource policy/,
    );
  }),
  ...refusals('PutResourcePolicy', ({ arn }) => [
    [
      'a policy that is no JSON',
      { ResourceARN: arn, Policy: '{' },
      'InvalidArgumentException|ValidationException',
      /policy/,
    ],
    [
      'a stream that is not there',
      { ResourceARN: `${arn}x`, Policy: '{"Statement":[]}' },
      'ResourceNotFoundException',
      /not found\.$/,
    ],
  ]),
];

const tags: readonly Check[] = [
  onStream('tags of a stream are added, listed in pages and removed', 'tagged', 1, async (endpoint, { name }) => {
    await endpoint.ok('AddTagsToStream', { StreamName: name, Tags: { a: '1', b: '2', c: '' } });
    await endpoint.ok('RemoveTagsFromStream', { StreamName: name, TagKeys: ['b', 'x'] });
    const list = async (more: object): Promise<Json> =>
      await endpoint.ok('ListTagsForStream', { StreamName: name, ...more });
    assert.deepEqual(await list({ Limit: 1 }), { Tags: [{ Key: 'a', Value: '1' }], HasMoreTags: true });
    const last = { Tags: [{ Key: 'c', Value: '' }], HasMoreTags: false };
    assert.deepEqual(await list({ ExclusiveStartTagKey: 'a' }), last);
  }),
  onStream('tags are given and taken by ARN', 'tagged-by-arn', 1, async (endpoint, { arn }) => {
    await endpoint.ok('TagResource', { ResourceARN: arn, Tags: { a: '1', b: '2' } });
    await endpoint.ok('UntagResource', { ResourceARN: arn, TagKeys: ['a'] });
    const { Tags } = await endpoint.ok('ListTagsForResource', { ResourceARN: arn });
    assert.deepEqual(Tags, [{ Key: 'b', Value: '2' }]);
  }),
  onStream('a consumer has tags of its own', 'tagged-by-arn', 1, async (endpoint, { arn }) => {
    const { ConsumerARN } = await endpoint.consumer(arn, 'tagged');
    await endpoint.ok('TagResource', { ResourceARN: ConsumerARN, Tags: { own: 'x' } });
    const { Tags } = await endpoint.ok('ListTagsForResource', { ResourceARN: ConsumerARN });
    assert.deepEqual(Tags, [{ Key: 'own', Value: 'x' }]);
  }),
  ...refusals('AddTagsToStream', ({ name }) => {
    const Tags = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']));
    return [
      [
        'a foreign character',
        { StreamName: name, Tags: { 'a;b': 'v' } },
        'InvalidArgumentException',
        /invalid characters/,
      ],
      [
        '51 tags',
        { StreamName: name, Tags },
        'InvalidArgumentException|LimitExceededException|ValidationException',
        /50 tags/,
      ],
      ['no tags', { StreamName: name, Tags: {} }, 'ValidationException', /greater than or equal to 1$/],
    ];
  }),
  ...refusals('TagResource', ({ arn }) => [
    [
      'a stream that is not there',
      { ResourceARN: `${arn}x`, Tags: { a: 'b' } },
      'ResourceNotFoundException',
      /not found\.$/,
    ],
  ]),
];

/** Everything else that can be set on a stream or the account. */
export const settings: Area = {
  title: 'settings, policies and tags',
  checks: [...account, ...retention, ...encryption, ...monitoring, ...sizes, ...policies, ...tags],
};
