import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { failureRecord } from './failure-record.ts';

test('what was sent and answered stands in the record as it came; what is no JSON is a text', async () => {
  const pending = { function: 'f', requestId: 'r', attempt: 3, acceptedAt: 0, dueAt: 0 };
  const deep = `${'{"a":'.repeat(5000)}1.50${'}'.repeat(5000)}`;
  const table: readonly (readonly [answered: string | undefined, written: string])[] = [
    ['{"a": 10000000000000000001}', '{"a": 10000000000000000001}'],
    [deep, deep],
    ['<html>"no"', JSON.stringify('<html>"no"')],
    ['', '""'],
    [undefined, '""'],
  ];
  for (const [answered, written] of table) {
    const record = await failureRecord(
      {
        pending,
        condition: 'RetriesExhausted',
        arn: 'arn',
        failure: { type: 'E', message: '' },
        event: Buffer.from(deep),
        payload: answered === undefined ? undefined : Buffer.from(answered),
        now: 0,
      },
      quietEnvironment().clock,
    );
    const text = Buffer.from(record).toString();
    assert.ok(text.includes(`"requestPayload":${deep},`));
    assert.ok(text.endsWith(`"responsePayload":${written}}`), text.slice(-100));
    JSON.parse(text);
  }
});
