import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { check, onStream, refusals, type Area, type Check } from '../check.ts';
import { base64, shard, texts, type Json } from '../endpoint.ts';

const MIB = 1024 * 1024;
const BEYOND = '340282366920938463463374607431768211456';
const HASH_KEY = /'explicitHashKey' failed to satisfy constraint: Member must satisfy regular expression pattern/;

const single: readonly Check[] = [
  onStream('PutRecord answers shard and sequence number, which grows', 'numbers', 1, async (endpoint, { name }) => {
    let last = '';
    for (let count = 0; count < 20; count += 1) {
      const answer = await endpoint.put(name, `${count}`, { SequenceNumberForOrdering: last || undefined });
      const { ShardId, SequenceNumber } = answer;
      assert.equal(ShardId, shard(0));
      assert.match(SequenceNumber, /^49\d{54}$/);
      assert.ok(SequenceNumber > last, 'numbers grow');
      last = SequenceNumber;
    }
    const all = await endpoint.read(name, 'TRIM_HORIZON');
    assert.deepEqual(
      texts(all),
      Array.from({ length: 20 }, (_, count) => `${count}`),
    );
    assert.equal(all.Records.at(-1).SequenceNumber, last);
  }),
  onStream('the MD5 of the partition key chooses the shard', 'routed', 4, async (endpoint, { name }) => {
    for (const PartitionKey of ['a', 'b', 'c', 'd', 'e', 'ü', '流']) {
      const first = createHash('md5').update(PartitionKey).digest()[0] ?? 0;
      const { ShardId } = await endpoint.ok('PutRecord', { StreamName: name, PartitionKey, Data: '' });
      assert.equal(ShardId, shard(Math.floor(first / 64)), PartitionKey);
    }
  }),
  onStream('an explicit hash key chooses the shard, up to its bounds', 'routed', 4, async (endpoint, { name }) => {
    for (const [ExplicitHashKey, ordinal] of [
      ['0', 0],
      ['85070591730234615865843651857942052863', 0],
      ['85070591730234615865843651857942052864', 1],
      ['255211775190703847597530955573826158591', 2],
      ['340282366920938463463374607431768211455', 3],
    ] as const) {
      const { ShardId } = await endpoint.put(name, 'x', { ExplicitHashKey });
      assert.equal(ShardId, shard(ordinal), ExplicitHashKey);
    }
  }),
  onStream('a partition key has 256 characters, however wide', 'keys', 1, async (endpoint, { name }) => {
    const wide = ['流'.repeat(256), '"\\\u0000\u001f'.repeat(64), 'ü'];
    for (const PartitionKey of wide) await endpoint.put(name, 'x', { PartitionKey });
    const { Records } = await endpoint.read(name, 'TRIM_HORIZON');
    assert.deepEqual(
      Records.map(({ PartitionKey }: Json) => PartitionKey),
      wide,
    );
  }),
  onStream('a record is put by the ARN of its stream', 'keys', 1, async (endpoint, { arn }) => {
    await endpoint.ok('PutRecord', { StreamARN: arn, Data: '', PartitionKey: 'k' });
  }),
  check('a record has 1 MiB, key and data, until UpdateMaxRecordSize allows more', async (endpoint) => {
    const { name, arn } = await endpoint.make(endpoint.name('sizes'), 1);
    const put = (bytes: number): object => ({
      StreamName: name,
      Data: base64(Buffer.alloc(bytes - 1)),
      PartitionKey: 'k',
    });
    await endpoint.ok('PutRecord', put(MIB));
    await endpoint.refuses('PutRecord', put(MIB + 1), 'InvalidArgumentException|ValidationException', /1048576/);
    await endpoint.change('UpdateMaxRecordSize', name, { StreamARN: arn, MaxRecordSizeInKiB: 2048 });
    await endpoint.ok('PutRecord', put(2 * MIB));
    await endpoint.refuses('PutRecord', put(2 * MIB + 1), 'InvalidArgumentException|ValidationException', /2097152/);
    await endpoint.remove(name);
  }),
  onStream('DryRun puts nothing and says that it would succeed', 'dry', 1, async (endpoint, { name }) => {
    const record = { Data: 'YQ==', PartitionKey: 'k' };
    const one = { StreamName: name, ...record, DryRun: true };
    await endpoint.refuses('PutRecord', one, 'DryRunOperationException');
    const many = { StreamName: name, Records: [record], DryRun: true };
    await endpoint.refuses('PutRecords', many, 'DryRunOperationException');
    assert.deepEqual((await endpoint.read(name, 'TRIM_HORIZON')).Records, []);
  }),
  ...refusals('PutRecord', ({ name, missing }) => {
    const record = { StreamName: name, Data: 'YQ==', PartitionKey: 'a' };
    const key = (PartitionKey: string): object => ({ ...record, PartitionKey });
    const hash = (ExplicitHashKey: string): object => ({ ...record, ExplicitHashKey });
    return [
      ['a stream that is not there', { ...record, StreamName: missing }, 'ResourceNotFoundException', /not found\.$/],
      [
        'no partition key',
        { ...record, PartitionKey: undefined },
        'ValidationException|InvalidArgumentException',
        /partitionKey/i,
      ],
      ['an empty partition key', key(''), 'ValidationException', /'partitionKey'.*greater than or equal to 1$/],
      [
        'a partition key of 257 characters',
        key('流'.repeat(257)),
        'ValidationException',
        /'partitionKey'.*less than or equal to 256$/,
      ],
      ['no data', { ...record, Data: undefined }, 'ValidationException', /'data'.*must not be null$/],
      ['data that are no base64', { ...record, Data: '=' }, 'SerializationException', /can not be converted to a Blob/],
      ['data that are a number', { ...record, Data: 1 }, 'SerializationException', /can not be converted to a Blob/],
      ['a hash key with a leading zero', hash('00'), 'ValidationException', HASH_KEY],
      ['a negative hash key', hash('-1'), 'ValidationException', HASH_KEY],
      ['a hash key of 2^128', hash(BEYOND), 'InvalidArgumentException', /^Invalid ExplicitHashKey\./],
      [
        'an ordering behind nothing',
        { ...record, SequenceNumberForOrdering: '5' },
        'InvalidArgumentException',
        /^ExclusiveMinimumSequenceNumber 5 /,
      ],
    ];
  }),
];

const batched: readonly Check[] = [
  onStream('PutRecords stores 500 records, in order in each shard', 'batch', 2, async (endpoint, { name }) => {
    const Records = Array.from({ length: 500 }, (_, index) => ({
      Data: base64(`${index}`),
      PartitionKey: `k${index}`,
    }));
    const answer = await endpoint.ok('PutRecords', { StreamName: name, Records });
    assert.deepEqual([answer.FailedRecordCount, answer.Records.length], [0, 500]);
    for (const ordinal of [0, 1]) {
      const all = await endpoint.read(name, 'TRIM_HORIZON', { ShardId: shard(ordinal) });
      const expected = answer.Records.flatMap(({ ShardId }: Json, index: number) =>
        ShardId === shard(ordinal) ? [`${index}`] : [],
      );
      assert.deepEqual(texts(all), expected);
    }
  }),
  onStream('PutRecords stores nothing when one record is malformed', 'all-or-none', 1, async (endpoint, { name }) => {
    const good = { Data: 'YQ==', PartitionKey: 'k' };
    for (const bad of [{ PartitionKey: 'k' }, { Data: '?', PartitionKey: 'a' }, { Data: 'YQ==', PartitionKey: '' }]) {
      const { status, text } = await endpoint.send('PutRecords', { StreamName: name, Records: [good, bad] });
      assert.equal(status, 400, text);
    }
    assert.deepEqual((await endpoint.read(name, 'TRIM_HORIZON')).Records, []);
  }),
  ...refusals('PutRecords', ({ name, missing }) => {
    const record = { Data: 'YQ==', PartitionKey: 'a' };
    const many = (count: number): object => ({
      StreamName: name,
      Records: Array.from({ length: count }, () => record),
    });
    const second = { StreamName: name, Records: [record, { Data: '' }] };
    const hash = { StreamName: name, Records: [{ ...record, ExplicitHashKey: '01' }] };
    return [
      ['a stream that is not there', { ...many(1), StreamName: missing }, 'ResourceNotFoundException', /not found\.$/],
      ['no records', many(0), 'ValidationException', /'records'.*greater than or equal to 1$/],
      [
        '501 records',
        many(501),
        'ValidationException|InvalidArgumentException',
        /'records'.*less than or equal to 500$/,
      ],
      [
        'a record without a key',
        second,
        'ValidationException|InvalidArgumentException',
        /'records\.2\.member\.partitionKey'/,
      ],
      ['a hash key with a leading zero', hash, 'ValidationException', /'records\.1\.member\.explicitHashKey'/],
    ];
  }),
];

/** Records put. */
export const puts: Area = { title: 'puts', checks: [...single, ...batched] };
