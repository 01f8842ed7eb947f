import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CborTime, cborOf } from '../../src/testing/cbor-of.ts';
import { decodeCbor } from '../../src/wire/aws-cbor/decode.ts';
import { register, withConsumer } from './consumer.ts';
import { subscribe, type Payload } from './event-stream.ts';
import { awsHeaders, base64, ok, withStream, type Subject } from './subject.ts';

const CBOR = 'application/x-amz-cbor-1.1';
const FIRST = 'shardId-000000000000';

interface CborAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly errorType: string | null;
  /** Undefined for an empty body. */
  readonly value: unknown;
}

async function post(subject: Subject, action: string, body: Uint8Array): Promise<CborAnswer> {
  const headers = { ...awsHeaders(`Kinesis_20131202.${action}`), 'content-type': CBOR };
  const answer = await fetch(subject.api, { method: 'POST', headers, body: Uint8Array.from(body) });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    errorType: answer.headers.get('x-amzn-errortype'),
    value: bytes.length === 0 ? undefined : decodeCbor(bytes),
  };
}

async function call(subject: Subject, action: string, input: object): Promise<CborAnswer> {
  return await post(subject, action, cborOf(input));
}

async function done<T>(answer: Promise<CborAnswer>): Promise<T> {
  const { status, type, value } = await answer;
  assert.deepEqual([status, type], [200, CBOR], JSON.stringify(value));
  return value as T;
}

/** As JSON would say it: bytes as base64, times as seconds. */
function asJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return base64(value);
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      name.endsWith('Timestamp') ? (item as number) / 1000 : asJson(item),
    ]),
  );
}

interface PutAnswer {
  readonly FailedRecordCount: number;
  readonly Records: readonly { readonly ShardId: string }[];
}

function shardsOf({ Records }: PutAnswer): readonly string[] {
  return Records.map(({ ShardId }) => ShardId);
}

const CBOR_PAYLOAD: Payload = {
  type: CBOR,
  // A copy: what is read is a part of it.
  read: (bytes) => asJson(decodeCbor(Buffer.from(bytes))),
  write: (value) => Uint8Array.from(cborOf(value)),
};

/** All that a new consumer is sent of the first shard until nothing is behind. */
async function subscribed(subject: Subject, StreamARN: string, payload?: Payload): Promise<unknown[]> {
  const { ConsumerARN } = await register(subject, StreamARN, `own-${payload === undefined ? 'json' : 'cbor'}`);
  const stream = await subscribe(subject, ConsumerARN, { Type: 'TRIM_HORIZON' }, FIRST, payload);
  const events: unknown[] = [];
  for (let behind = 1; behind > 0;) {
    const body = (await stream.next())?.body;
    behind = body.MillisBehindLatest;
    events.push({ ...body, MillisBehindLatest: behind > 0 });
  }
  stream.leave();
  return events;
}

/** The same in CBOR as in JSON. */
export function kinesisCborConformance(subject: Subject): void {
  describe('CBOR', () => {
    test('what is put in one form is read in the other', async () => {
      await withStream(subject, 1, async (StreamName) => {
        const Data = Buffer.from([0, 255, 1]);
        const single = await done(call(subject, 'PutRecord', { StreamName, Data, PartitionKey: '\u00fc' }));
        assert.deepEqual(Object.keys(single as object).sort(), ['SequenceNumber', 'ShardId']);
        const many = { StreamName, Records: [{ Data: Buffer.alloc(0), PartitionKey: 'b', ExplicitHashKey: '7' }] };
        const { FailedRecordCount } = await done<{ FailedRecordCount: number }>(call(subject, 'PutRecords', many));
        assert.equal(FailedRecordCount, 0);
        await ok(subject.kinesis('PutRecord', { StreamName, Data: base64('json'), PartitionKey: 'c' }));
        const start = { StreamName, ShardId: FIRST, ShardIteratorType: 'TRIM_HORIZON' };
        const { ShardIterator } = await done<{ ShardIterator: string }>(call(subject, 'GetShardIterator', start));
        const { Records } = await done<{ Records: readonly Record<string, unknown>[] }>(
          call(subject, 'GetRecords', { ShardIterator }),
        );
        const json = await ok<{ Records: unknown }>(subject.kinesis('GetRecords', { ShardIterator }));
        assert.deepEqual(asJson(Records), json.Records);
        assert.deepEqual(
          Records.map((record) => Buffer.from(record['Data'] as Uint8Array).toString('hex')),
          ['00ff01', '', Buffer.from('json').toString('hex')],
        );
        const at = Records[1]?.['ApproximateArrivalTimestamp'] as number;
        assert.ok(Number.isInteger(at) && Math.abs(at - Date.now()) < 600_000, `epoch ms: ${at}`);
      });
    });

    test('many records of all kinds, put in either form, are the same in both', async () => {
      await withConsumer(
        subject,
        async (StreamName, StreamARN) => {
          const records = Array.from({ length: 500 }, (_, index) => ({
            Data: Buffer.alloc((index * 97) % 3000, index),
            PartitionKey: ['k', 'ü𝕏', '"\\\n', '\0', 'k'.repeat(256)][index % 5] as string,
            ...(index % 3 === 0 && { ExplicitHashKey: String(2n ** 127n) }),
          }));
          const plain = records.filter(({ PartitionKey }) => PartitionKey.startsWith('k'));
          for (const Records of [records, plain, plain.slice(0, 1)]) {
            const [cbor, json] = [
              await done<PutAnswer>(call(subject, 'PutRecords', { StreamName, Records })),
              await ok<PutAnswer>(subject.kinesis('PutRecords', { StreamName, Records: asJson(Records) })),
            ];
            for (const { FailedRecordCount, Records: stored } of [cbor, json]) {
              assert.deepEqual([FailedRecordCount, stored.length], [0, Records.length]);
            }
            assert.deepEqual(shardsOf(cbor), shardsOf(json));
          }
          let count = 0;
          for (const ShardId of [FIRST, 'shardId-000000000001']) {
            const start = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
            const { ShardIterator } = await ok(subject.kinesis('GetShardIterator', start));
            const cbor = await done<{ Records: unknown[] }>(call(subject, 'GetRecords', { ShardIterator }));
            const json = await ok<{ Records: unknown[] }>(subject.kinesis('GetRecords', { ShardIterator }));
            assert.deepEqual(Object.keys(cbor), Object.keys(json));
            assert.deepEqual(asJson(cbor.Records), json.Records);
            count += cbor.Records.length;
          }
          assert.equal(count, 2 * (500 + plain.length + 1));
          assert.deepEqual(await subscribed(subject, StreamARN, CBOR_PAYLOAD), await subscribed(subject, StreamARN));
        },
        2,
      );
    });

    test('bodies as the Java SDK writes them, of lengths that a break tells', async () => {
      await withStream(subject, 1, async (StreamName) => {
        const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
        const name = `jStreamName${Buffer.from(cborOf(StreamName)).toString('latin1')}`;
        const members = 'dDataBhilPartitionKeyak';
        const many = latin1(`\xbfgRecords\x9f\xbf${members}\xff\xbf${members}\xff\xff${name}\xff`);
        const stored = await done<PutAnswer>(post(subject, 'PutRecords', many));
        assert.deepEqual([stored.FailedRecordCount, stored.Records.length], [0, 2]);
        const one = await done<object>(post(subject, 'PutRecord', latin1(`\xbf${name}${members}\xff`)));
        assert.deepEqual(Object.keys(one).sort(), ['SequenceNumber', 'ShardId']);
        const start = { StreamName, ShardId: FIRST, ShardIteratorType: 'TRIM_HORIZON' };
        const { ShardIterator } = await ok(subject.kinesis('GetShardIterator', start));
        const { Records } = await ok<{ Records: { Data: string; PartitionKey: string }[] }>(
          subject.kinesis('GetRecords', { ShardIterator }),
        );
        assert.deepEqual(
          Records.map(({ Data, PartitionKey }) => [Data, PartitionKey]),
          [1, 2, 3].map(() => [base64('hi'), 'k']),
        );
      });
    });

    test('times are epoch ms, with tag 1 or without', async () => {
      await withStream(subject, 1, async (StreamName) => {
        await ok(subject.kinesis('PutRecord', { StreamName, Data: base64('one'), PartitionKey: 'a' }));
        const start = { StreamName, ShardId: FIRST, ShardIteratorType: 'AT_TIMESTAMP' };
        for (const isTagged of [true, false]) {
          for (const [ms, count] of [
            [Date.now() - 60_000, 1],
            [Date.now() - 1, undefined],
          ] as const) {
            const input = { ...start, Timestamp: new CborTime(ms, isTagged) };
            const { ShardIterator } = await done<{ ShardIterator: string }>(call(subject, 'GetShardIterator', input));
            const { Records } = await done<{ Records: unknown[] }>(call(subject, 'GetRecords', { ShardIterator }));
            if (count !== undefined) assert.equal(Records.length, count);
          }
        }
      });
    });

    test('answers of the control plane say the same', async () => {
      await withStream(subject, 2, async (StreamName) => {
        for (const action of ['DescribeStream', 'DescribeStreamSummary', 'ListShards', 'ListTagsForStream']) {
          const value = await done(call(subject, action, { StreamName }));
          assert.deepEqual(asJson(value), await ok(subject.kinesis(action, { StreamName })), action);
        }
        const silent = await call(subject, 'AddTagsToStream', { StreamName, Tags: { a: 'b' } });
        assert.deepEqual([silent.status, silent.value], [200, undefined]);
      });
    });

    test('refusals come in CBOR, and bytes that are none of it are refused', async () => {
      const StreamName = subject.name('absent');
      const Data = Buffer.from('x');
      const table: readonly (readonly [action: string, input: object, code: string])[] = [
        ['DescribeStream', { StreamName }, 'ResourceNotFoundException'],
        ['PutRecord', { StreamName, Data: 'eA==', PartitionKey: 'a' }, 'SerializationException'],
        ['PutRecord', { StreamName, Data, PartitionKey: Buffer.from('a') }, 'SerializationException'],
        ['PutRecord', { StreamName, Data, PartitionKey: '' }, 'ValidationException'],
        ['PutRecords', { StreamName, Records: Buffer.from('a') }, 'SerializationException'],
        ['PutRecords', { StreamName, Records: [Buffer.from('a')] }, 'SerializationException'],
        ['AddTagsToStream', { StreamName, Tags: Buffer.from('a') }, 'SerializationException'],
        ['Nothing', {}, 'UnknownOperationException'],
      ];
      for (const [action, input, code] of table) {
        const { status, type, errorType, value } = await call(subject, action, input);
        assert.deepEqual([status, type, errorType], [400, CBOR, code], action);
        assert.equal((value as { __type: string }).__type, code);
      }
      for (const body of [
        '',
        'ff',
        '00',
        'a1',
        '9f9f9f',
        '5bffffffffffffffff',
        'a16a53747265616d4e616d65',
        'c1'.repeat(500),
      ]) {
        const { status, value } = await post(subject, 'ListStreams', Buffer.from(body, 'hex'));
        assert.deepEqual([status, (value as { __type: string }).__type], [400, 'SerializationException'], body);
      }
    });
  });
}
