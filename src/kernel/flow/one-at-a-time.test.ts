import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneAtATime } from './one-at-a-time.ts';

test('work waits for what was asked for before it, and is done though that fails', async () => {
  const seen: string[] = [];
  const works = new OneAtATime();
  let fail = (_error: Error): void => undefined;
  const failing = works.run(async () => {
    seen.push('first starts');
    await new Promise<void>((_resolve, reject) => (fail = reject));
  });
  const second = works.run(async () => {
    seen.push('second starts');
    return 'done';
  });
  const settled = works.settled().then(() => seen.push('settled'));
  await new Promise((resolve) => void setImmediate(resolve));
  assert.deepEqual(seen, ['first starts']);
  fail(new Error('it does not work'));
  await assert.rejects(failing, /it does not work/);
  assert.equal(await second, 'done');
  await settled;
  assert.deepEqual(seen, ['first starts', 'second starts', 'settled']);
});
