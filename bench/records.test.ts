import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PutBody, recordBytes, Verdict } from './records.ts';

const IDS_PER_WRITER = 1000;

interface Sent {
  readonly Data: string;
  readonly PartitionKey: string;
}

function records(first: number, count: number, timeUs = 0): readonly Sent[] {
  const body = new PutBody('s', count, false).number(first, timeUs);
  return (JSON.parse(body.toString()) as { Records: readonly Sent[] }).Records;
}

/** An answer as a server would give it; `order` puts the key before the data or behind. */
function answer(sent: readonly Sent[], order: 'key first' | 'data first' = 'data first'): Buffer {
  const texts = sent.map(({ Data, PartitionKey }, index) => {
    const [data, key] = [`"Data":"${Data}"`, `"PartitionKey":"${PartitionKey}"`];
    const rest = `"SequenceNumber":"${'4'.repeat(1 + (index % 3))}"`;
    return `{${order === 'key first' ? [rest, key, data].join(',') : [data, rest, key].join(',')}}`;
  });
  return Buffer.from(`{"Records":[${texts.join(',')}],"NextShardIterator":"x"}`, 'latin1');
}

function judge(...answers: readonly Buffer[]): { problems: readonly string[]; count: number } {
  const verdict = new Verdict(4 * IDS_PER_WRITER, IDS_PER_WRITER);
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

test('a record has 1,024 bytes, its number is its key', () => {
  const [one, two] = records(41, 2);
  assert.equal(Buffer.from(one?.Data ?? '', 'base64').length, recordBytes);
  assert.equal(one?.PartitionKey, '000000000041');
  assert.equal(two?.PartitionKey, '000000000042');
  assert.equal(Buffer.from(one?.Data ?? '', 'base64').toString('base64'), one?.Data, 'base64 as any server writes it');
});

test('PutRecord carries one record', () => {
  const body = JSON.parse(new PutBody('s', 1, true).number(7).toString()) as Sent & { StreamName: string };
  assert.equal(body.StreamName, 's');
  assert.equal(body.PartitionKey, '000000000007');
});

test('what came back as it was sent is ok, in both orders of members', () => {
  for (const order of ['data first', 'key first'] as const) {
    assert.deepEqual(judge(answer(records(0, 5), order), answer(records(5, 5), order)), { problems: [], count: 10 });
  }
});

test('the time of sending comes back', () => {
  const times: number[] = [];
  const verdict = new Verdict(IDS_PER_WRITER, IDS_PER_WRITER);
  verdict.take(answer(records(0, 2, 987_654_321)), new Float64Array(1).fill(-1), (time) => times.push(time));
  assert.deepEqual(times, [987_654_321, 987_654_321]);
});

const [first, second, third] = records(1, 3) as [Sent, Sent, Sent];
const WRONG: readonly (readonly [string, readonly Sent[], string])[] = [
  ['doubled', [first, second, second], 'doubled or unknown 2'],
  ['out of order', [second, first], 'misordered 1'],
  ['never sent', [changed(first, { Data: `999999999999${first.Data.slice(12)}` })], 'doubled or unknown'],
  ['no number', [changed(first, { Data: `x${first.Data.slice(1)}` })], 'doubled or unknown NaN'],
  ['a changed byte in the middle', [changed(first, { Data: replaced(first.Data, 700, '!') })], 'corrupt 1'],
  ['a changed byte at the end', [changed(first, { Data: replaced(first.Data, 1365, '!') })], 'corrupt 1'],
  ['too short', [changed(first, { Data: first.Data.slice(0, -4) }), third], 'corrupt 1'],
  ['too long', [changed(first, { Data: `${first.Data}AAAA` })], 'corrupt 1'],
  ["another record's key", [changed(first, { PartitionKey: second.PartitionKey })], 'another key at 1'],
];

for (const [what, sent, expected] of WRONG) {
  test(`told: ${what}`, () => {
    for (const order of ['data first', 'key first'] as const) {
      const { problems } = judge(answer(sent, order));
      assert.ok(
        problems.some((problem) => problem.startsWith(expected)),
        `${order}: ${problems.join('; ')}`,
      );
    }
  });
}
