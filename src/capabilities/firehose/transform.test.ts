import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutgoingRecord } from '../../ports/destination.ts';
import { transformAnswer } from './transform-answer.ts';
import { transformEvent, transformRecordId } from './transform-event.ts';

const ARN = 'arn:aws:firehose:us-east-1:000000000000:deliverystream/d';
const base = { at: 1_700_000_000_123, partitionKey: 'é"k', shardId: 'shardId-000000000001', index: 0 };
const records: readonly OutgoingRecord[] = [
  { ...base, data: Buffer.from('one'), sequenceNumber: '491' },
  { ...base, data: Buffer.from([0xff]), sequenceNumber: '492', subSequenceNumber: 3 },
];

test('the event of records of a stream, and of records that were put directly', () => {
  const source = { invocationId: 'i', deliveryStreamArn: ARN, region: 'us-east-1' };
  const kinesis = 'arn:aws:kinesis:us-east-1:000000000000:stream/s';
  const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());
  const shared = { partitionKey: 'é"k', shardId: base.shardId, approximateArrivalTimestamp: base.at };
  assert.deepEqual(parse(transformEvent({ ...source, sourceKinesisStreamArn: kinesis }, records)), {
    ...source,
    sourceKinesisStreamArn: kinesis,
    records: [
      {
        recordId: '491.0',
        approximateArrivalTimestamp: base.at,
        data: 'b25l',
        kinesisRecordMetadata: { ...shared, sequenceNumber: '491', subsequenceNumber: '0' },
      },
      {
        recordId: '492.3',
        approximateArrivalTimestamp: base.at,
        data: '/w==',
        kinesisRecordMetadata: { ...shared, sequenceNumber: '492', subsequenceNumber: '3' },
      },
    ],
  });
  assert.deepEqual(parse(transformEvent(source, records.slice(0, 1))), {
    ...source,
    records: [{ recordId: '491.0', approximateArrivalTimestamp: base.at, data: 'b25l' }],
  });
});

const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));

test('an answer says of each record what became of it, whatever else it says', async () => {
  const ids = records.map(transformRecordId);
  const [one, two] = ids;
  const cases: readonly (readonly [unknown, readonly string[] | string])[] = [
    [
      [
        { recordId: two, result: 'Ok', data: 'dHdv' },
        { recordId: one, result: 'Dropped' },
      ],
      ['Dropped', 'two'],
    ],
    [
      [{ recordId: one, result: 'ProcessingFailed', data: 'b25l' }],
      ['Lambda.ProcessingFailedStatus', 'Lambda.MissingRecordId'],
    ],
    [
      [
        { recordId: one, result: 'Ok', data: '' },
        { recordId: two, result: 'Ok', data: 'no base64!' },
        { recordId: 'foreign', result: 'Ok', data: '' },
        null,
        7,
      ],
      ['', 'Lambda.JsonProcessingException'],
    ],
    [
      [
        { recordId: one, result: 'Ok', data: 'b25l' },
        { recordId: one, result: 'Ok', data: 'b25l' },
        { recordId: two, result: 'ok', data: 'dHdv' },
      ],
      ['Lambda.DuplicatedRecordId', 'Lambda.JsonProcessingException'],
    ],
    [
      [
        { recordId: one, result: 'Ok' },
        { recordId: two, result: 'Ok', data: 7 },
      ],
      ['Lambda.JsonProcessingException', 'Lambda.JsonProcessingException'],
    ],
    [[], ['Lambda.MissingRecordId', 'Lambda.MissingRecordId']],
    ['none', 'Lambda.JsonProcessingException'],
    [undefined, 'Lambda.JsonProcessingException'],
  ];
  for (const [entries, expected] of cases) {
    const found = await transformAnswer(Buffer.from(JSON.stringify({ records: entries })), ids, turn);
    const told =
      'code' in found
        ? found.code
        : found.map((one) =>
            one.result === 'Ok' ? String(one.data) : one.result === 'Dropped' ? one.result : one.code,
          );
    assert.deepEqual(told, expected, JSON.stringify(entries));
  }
});

test('an answer that is no object, or no JSON, is one that says nothing', async () => {
  for (const text of ['', 'null', '7', '[]', '{', '{"records":{}}', '{"__proto__":{"records":[]}}']) {
    const found = await transformAnswer(Buffer.from(text), ['a'], turn);
    assert.ok('code' in found && found.code === 'Lambda.JsonProcessingException', text);
  }
});

test('a large answer is read in pieces, whatever it is', async () => {
  const fill = (unit: string): string => unit.repeat(1_000_000 / unit.length);
  const table: readonly (readonly [string, string, string])[] = [
    ['foreign entries', `{"records":[${fill('{},')}{"recordId":"a","result":"Dropped"}]}`, 'Dropped'],
    ['much in one', `{"records":[{"x":[${fill('[],')}0],"recordId":"a","result":"Dropped"}]}`, 'Dropped'],
    ['depth', `{"records":[{"recordId":"a","result":"Ok","data":${fill('[')}${fill(']')}}]}`, 'ProcessingFailed'],
    ['data', `{"records":[{"recordId":"a","result":"Ok","data":"${fill('QUJD')}"}]}`, 'Ok'],
  ];
  for (const [name, answer, result] of table) {
    const payload = Buffer.from(answer);
    let turns = 0;
    const counted = async (): Promise<void> => void (turns += 1);
    const found = await transformAnswer(payload, ['a'], counted);
    assert.equal('code' in found ? found.code : found[0]?.result, result, name);
    assert.ok(turns >= 2 * Math.floor(payload.length / 65_536) - 2, `${name}: ${turns} turns`);
  }
});
