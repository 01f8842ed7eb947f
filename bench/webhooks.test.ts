import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveryId, WebhookBody, WebhookVerdict, type ReadRecord } from './webhooks.ts';

function stored(number: number): ReadRecord {
  return { PartitionKey: deliveryId(number), Data: new WebhookBody().number(number).toString('base64') };
}

function problems(count: number, records: readonly ReadRecord[]): readonly string[] {
  const verdict = new WebhookVerdict(count);
  for (const record of records) verdict.take(record);
  return verdict.problems();
}

test('a body names its webhook, and is JSON of 2,048 bytes', () => {
  const body = new WebhookBody();
  assert.equal((JSON.parse(body.number(9).toString()) as { id: string }).id, deliveryId(9));
  assert.equal((JSON.parse(body.number(123_456).toString()) as { id: string }).id, deliveryId(123_456));
  assert.equal(body.number(1).length, 2048);
});

test('webhooks that stand once, whole, in any order: no problem', () => {
  assert.deepEqual(problems(3, [stored(3), stored(1), stored(2)]), []);
});

const WRONG: readonly (readonly [string, readonly ReadRecord[], readonly string[]])[] = [
  ['missing', [stored(1)], ['1 missing']],
  ['doubled', [stored(1), stored(2), stored(1)], ['doubled 1']],
  ['never answered', [stored(1), stored(2), stored(3)], [`unknown ${deliveryId(3)}`]],
  ['under no id', [stored(1), stored(2), { ...stored(1), PartitionKey: 'x' }], ['unknown x']],
  ['under another id', [stored(1), { ...stored(1), PartitionKey: deliveryId(2) }], ['corrupt 2']],
  ['cut', [stored(1), { ...stored(2), Data: stored(2).Data.slice(0, -4) }], ['corrupt 2']],
];

for (const [what, records, said] of WRONG) {
  test(`two webhooks, ${what}`, () => assert.deepEqual(problems(2, records), said));
}

test('of many problems the first are told', () => {
  const none = Array.from({ length: 9 }, () => ({ ...stored(1), PartitionKey: 'x' }));
  assert.equal(problems(1, none).length, 6);
});
