import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeCbor } from '../../src/wire/aws-cbor/decode.ts';
import { CborWriter } from '../../src/wire/aws-cbor/writer.ts';
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

/** A time, to be written as the Java SDK does. */
class Time {
  readonly ms: number;
  readonly isTagged: boolean;

  constructor(ms: number, isTagged = true) {
    this.ms = ms;
    this.isTagged = isTagged;
  }
}

function write(writer: CborWriter, value: unknown): void {
  if (value instanceof Uint8Array) writer.bytes(value);
  else if (value instanceof Time) {
    if (value.isTagged) writer.time(value.ms);
    else writer.number(value.ms);
  } else if (Array.isArray(value)) {
    writer.list(value.length);
    for (const item of value) write(writer, item);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    writer.map(entries.length);
    for (const [name, item] of entries) {
      writer.text(name);
      write(writer, item);
    }
  } else writer.plain(value);
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
  const writer = new CborWriter();
  write(writer, input);
  return await post(subject, action, writer.done());
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

    test('times are epoch ms, with tag 1 or without', async () => {
      await withStream(subject, 1, async (StreamName) => {
        await ok(subject.kinesis('PutRecord', { StreamName, Data: base64('one'), PartitionKey: 'a' }));
        const start = { StreamName, ShardId: FIRST, ShardIteratorType: 'AT_TIMESTAMP' };
        for (const isTagged of [true, false]) {
          for (const [ms, count] of [
            [Date.now() - 60_000, 1],
            [Date.now() - 1, undefined],
          ] as const) {
            const input = { ...start, Timestamp: new Time(ms, isTagged) };
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
