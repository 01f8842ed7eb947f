import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCbor } from '../src/wire/aws-cbor/decode.ts';
import { CborWriter } from '../src/wire/aws-cbor/writer.ts';
import { PutBody, recordBytes, Verdict } from './records.ts';
import { wires, type Wire } from './wire.ts';

const IDS_PER_WRITER = 1000;
const { json, cbor } = wires;
type Order = 'key first' | 'data first';

/** Data as the wire writes it, byte by byte. */
interface Sent {
  readonly Data: string;
  readonly PartitionKey: string;
}

interface Input {
  readonly StreamName: string;
  readonly Records: readonly Sent[];
}

function parsed(wire: Wire, body: Buffer): Input & Sent {
  if (wire === json) return JSON.parse(body.toString()) as Input & Sent;
  const text = (value: unknown): unknown => {
    if (Buffer.isBuffer(value)) return value.toString('latin1');
    if (Array.isArray(value)) return value.map(text);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, text(one)]));
  };
  return text(decodeCbor(body)) as Input & Sent;
}

function records(wire: Wire, first: number, count: number, timeUs = 0): readonly Sent[] {
  return parsed(wire, new PutBody(wire, 's', count, false).number(first, timeUs)).Records;
}

/** An answer as a server would give it; `order` puts the key before the data or behind. */
function answer(wire: Wire, sent: readonly Sent[], order: Order): Buffer {
  const numbers = sent.map((_, index) => '4'.repeat(1 + (index % 3)));
  return (wire === json ? jsonAnswer : cborAnswer)(sent, numbers, order);
}

function jsonAnswer(sent: readonly Sent[], numbers: readonly string[], order: Order): Buffer {
  const texts = sent.map(({ Data, PartitionKey }, index) => {
    const [data, key] = [`"Data":"${Data}"`, `"PartitionKey":"${PartitionKey}"`];
    const rest = `"SequenceNumber":"${numbers[index]}"`;
    return `{${order === 'key first' ? [rest, key, data].join(',') : [data, rest, key].join(',')}}`;
  });
  return Buffer.from(`{"Records":[${texts.join(',')}],"NextShardIterator":"x","MillisBehindLatest":0}`, 'latin1');
}

function cborAnswer(sent: readonly Sent[], numbers: readonly string[], order: Order): Buffer {
  const writer = new CborWriter();
  writer.map(3);
  writer.text('Records');
  writer.list(sent.length);
  for (const [index, { Data, PartitionKey }] of sent.entries()) {
    const key = ['PartitionKey', PartitionKey];
    const isFirst = order === 'key first';
    writer.map(3);
    for (const text of ['SequenceNumber', numbers[index] ?? '', ...(isFirst ? key : []), 'Data']) writer.text(text);
    writer.bytes(Buffer.from(Data, 'latin1'));
    for (const text of isFirst ? [] : key) writer.text(text);
  }
  for (const text of ['NextShardIterator', 'x'.repeat(200), 'MillisBehindLatest']) writer.text(text);
  writer.number(0);
  return Buffer.from(writer.done());
}

function judge(wire: Wire, ...answers: readonly Buffer[]): { problems: readonly string[]; count: number } {
  const verdict = new Verdict(wire, 4 * IDS_PER_WRITER, IDS_PER_WRITER);
  const last = new Float64Array(4).fill(-1);
  for (const body of answers) verdict.take(body, last);
  return { problems: verdict.problems, count: verdict.count };
}

function changed(record: Sent, change: Partial<Sent>): Sent {
  return { ...record, ...change };
}

function replaced(text: string, at: number, character: string): string {
  return text.slice(0, at) + character + text.slice(at + 1);
}

const FORMS: readonly (readonly [wire: Wire, order: Order])[] = [
  [json, 'data first'],
  [json, 'key first'],
  [cbor, 'data first'],
  [cbor, 'key first'],
];

test('a record has 1,024 bytes, its number is its key', () => {
  for (const wire of [json, cbor]) {
    const [one, two] = records(wire, 41, 2);
    const bytes = Buffer.from(one?.Data ?? '', wire === json ? 'base64' : 'latin1');
    assert.equal(bytes.length, recordBytes);
    assert.equal(one?.PartitionKey, '000000000041');
    assert.equal(two?.PartitionKey, '000000000042');
    if (wire === json) assert.equal(bytes.toString('base64'), one?.Data, 'base64 as any server writes it');
  }
});

test('PutRecord carries one record', () => {
  for (const wire of [json, cbor]) {
    const body = parsed(wire, new PutBody(wire, 's', 1, true).number(7));
    assert.equal(body.StreamName, 's');
    assert.equal(body.PartitionKey, '000000000007');
  }
});

test('what came back as it was sent is ok, in both orders of members', () => {
  for (const [wire, order] of FORMS) {
    const answers = [0, 5].map((first) => answer(wire, records(wire, first, 5), order));
    assert.deepEqual(judge(wire, ...answers), { problems: [], count: 10 });
  }
});

test('the time of sending comes back, and where to go on', () => {
  for (const [wire, order] of FORMS) {
    const times: number[] = [];
    const verdict = new Verdict(wire, IDS_PER_WRITER, IDS_PER_WRITER);
    const body = answer(wire, records(wire, 0, 2, 987_654_321), order);
    verdict.take(body, new Float64Array(1).fill(-1), (time) => times.push(time));
    assert.deepEqual(times, [987_654_321, 987_654_321]);
    assert.deepEqual(wire.readPlace(body), { iterator: wire === json ? 'x' : 'x'.repeat(200), isAtTip: true });
    assert.equal(wire.readPlace(wire.input({ Records: [] })), undefined);
  }
});

test('an answer of PutRecords says whether all were stored', () => {
  for (const wire of [json, cbor]) {
    for (const FailedRecordCount of [0, 1]) {
      const body = wire.input({ FailedRecordCount, Records: [] });
      assert.equal(wire.isStored(body), FailedRecordCount === 0);
    }
  }
});

/** What is told; empty: the record is missing. */
const WRONG: readonly (readonly [
  string,
  (first: Sent, second: Sent, third: Sent) => readonly Sent[],
  string,
  string?,
])[] = [
  ['doubled', (first, second) => [first, second, second], 'doubled or unknown 2'],
  ['out of order', (first, second) => [second, first], 'misordered 1'],
  ['never sent', (first) => [changed(first, { Data: `999999999999${first.Data.slice(12)}` })], 'doubled or unknown'],
  ['no number', (first) => [changed(first, { Data: `x${first.Data.slice(1)}` })], 'doubled or unknown NaN'],
  ['a changed byte in the middle', (first) => [changed(first, { Data: replaced(first.Data, 700, '!') })], 'corrupt 1'],
  [
    'a changed byte at the end',
    (first) => [changed(first, { Data: replaced(first.Data, first.Data.length - 1, '!') })],
    'corrupt 1',
  ],
  ['too short', (first, _, third) => [changed(first, { Data: first.Data.slice(0, -4) }), third], 'corrupt 1', ''],
  ['too long', (first) => [changed(first, { Data: `${first.Data}AAAA` })], 'corrupt 1', ''],
  [
    "another record's key",
    (first, second) => [changed(first, { PartitionKey: second.PartitionKey })],
    'another key at 1',
  ],
  ['a shorter key', (first) => [changed(first, { PartitionKey: first.PartitionKey.slice(1) })], 'another key at 1'],
];

for (const [what, wrong, expected, inCbor = expected] of WRONG) {
  test(`told: ${what}`, () => {
    for (const [wire, order] of FORMS) {
      const sent = wrong(...(records(wire, 1, 3) as [Sent, Sent, Sent]));
      const { problems, count } = judge(wire, answer(wire, sent, order));
      const wanted = wire === cbor ? inCbor : expected;
      if (wanted === '') assert.ok(count < sent.length, `${wire.name}: ${count} records`);
      else {
        const isTold = problems.some((problem) => problem.startsWith(wanted));
        assert.ok(isTold, `${wire.name}, ${order}: ${problems.join('; ')}`);
      }
    }
  });
}
