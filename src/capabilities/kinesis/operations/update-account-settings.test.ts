import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalid, openBench, type Answer } from '../harness.fixture.ts';
import { describeAccountSettings } from './describe-account-settings.ts';
import { updateAccountSettings } from './update-account-settings.ts';

const START = 1_700_000_000;
const HOUR = 3600;

test('a commitment lasts a day at least: a transcript', async () => {
  const { call, environment } = await openBench();
  const said = async (answer: Promise<Answer>): Promise<unknown[]> => {
    const { Status, StartedAt, EndedAt, EarliestAllowedEndAt } = (await answer).MinimumThroughputBillingCommitment;
    const hours = (at: number | undefined): number | undefined => (at === undefined ? at : (at - START) / HOUR);
    return [Status, hours(StartedAt), hours(EarliestAllowedEndAt), hours(EndedAt)];
  };
  const update = async (Status: string): Promise<unknown[]> =>
    await said(call(updateAccountSettings, { MinimumThroughputBillingCommitment: { Status } }));
  const pass = (hours: number): void => environment.advance(hours * HOUR * 1000);
  const until = 'ENABLED_UNTIL_EARLIEST_ALLOWED_END';
  assert.deepEqual(await update('DISABLED'), ['DISABLED', undefined, undefined, undefined]);
  assert.deepEqual(await update('ENABLED'), ['ENABLED', 0, 24, undefined]);
  pass(1);
  assert.deepEqual(await update('ENABLED'), ['ENABLED', 0, 24, undefined]);
  assert.deepEqual(await update('DISABLED'), [until, 0, 24, undefined]);
  assert.deepEqual(await update('ENABLED'), ['ENABLED', 0, 24, undefined], 'the end is taken back');
  assert.deepEqual(await update('DISABLED'), [until, 0, 24, undefined]);
  pass(23);
  assert.deepEqual(await said(call(describeAccountSettings, {})), ['DISABLED', 0, undefined, 24]);
  assert.deepEqual(await update('DISABLED'), ['DISABLED', 0, undefined, 24]);
  assert.deepEqual(await update('ENABLED'), ['ENABLED', 24, 48, undefined]);
  pass(30);
  assert.deepEqual(await update('DISABLED'), ['DISABLED', 24, undefined, 54], 'old enough to end at once');
});

test('refusals', async () => {
  const { refusal } = await openBench();
  const name = 'minimumThroughputBillingCommitment';
  assert.equal(await refusal(updateAccountSettings, {}), invalid(null, name, 'not be null'));
  const wrong = { MinimumThroughputBillingCommitment: { Status: 'ON' } };
  const set = 'satisfy enum value set: [ENABLED, DISABLED]';
  assert.equal(await refusal(updateAccountSettings, wrong), invalid('ON', `${name}.status`, set));
});
