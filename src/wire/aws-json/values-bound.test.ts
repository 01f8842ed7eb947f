import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCodec } from './codec.ts';
import { VALUES_MAX } from './values-bound.ts';

const codec = jsonCodec('application/json');

test('more values than any request holds are refused before they are made', () => {
  const table: readonly (readonly [what: string, json: (count: number) => string])[] = [
    ['objects', (count) => `[${'{},'.repeat(count / 2)}1]`],
    ['lists in lists', (count) => '['.repeat(count)],
    ['numbers', (count) => `[${'1,'.repeat(count)}1]`],
    ['members', (count) => `{${'"a":1,'.repeat(count)}"b":1}`],
  ];
  for (const [what, json] of table) {
    const body = Buffer.from(json(VALUES_MAX));
    assert.throws(() => codec.parse(body), { code: 'SerializationException' }, what);
  }
  assert.equal((codec.parse(Buffer.from(`[${'1,'.repeat(VALUES_MAX - 2)}1]`)) as unknown[]).length, VALUES_MAX - 1);
});

test('the largest batch is far below, also where its keys are made of commas', () => {
  const record = { Data: 'A'.repeat(10_000), PartitionKey: ','.repeat(256) };
  const body = JSON.stringify({ StreamName: 's', Records: Array.from({ length: 500 }, () => record) });
  assert.deepEqual(codec.parse(Buffer.from(body)), JSON.parse(body));
});
