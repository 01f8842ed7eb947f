import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordInput, Records } from '../../ports/records.ts';
import { quietEnvironment, type QuietEnvironment } from '../../testing/quiet-environment.ts';
import { FunctionLogs, type LogEntry } from './function-logs.ts';
import { functionsLimits } from './limits.ts';

interface Bench {
  readonly logs: FunctionLogs;
  readonly environment: QuietEnvironment;
  /** Request ids of each append. */
  readonly appended: readonly string[][];
  /** Lets the appends end that wait, or those of them from one on. */
  readonly release: (from?: number) => void;
}

/** Logs over a stream that takes what `takes` says. */
function openLogs(takes: (id: string) => boolean = () => true, isHeld = false): Bench {
  const appended: string[][] = [];
  const held: (() => void)[] = [];
  const append = async (_stream: string, records: readonly RecordInput[]): Promise<unknown[]> => {
    const ids = records.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as LogEntry).requestId);
    appended.push(ids);
    if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
    if (ids.includes('broken')) throw new Error('the disk is full');
    return ids.map((id) => (takes(id) ? { shardId: 's', sequenceNumber: '1' } : { failed: 'full' }));
  };
  const environment = quietEnvironment();
  const logs = new FunctionLogs({ append } as unknown as Records, environment);
  const release = (from = 0): void => {
    for (const one of held.splice(from)) one();
  };
  return { logs, environment, appended, release };
}

function entry(requestId: string, text = ''): LogEntry {
  return { function: 'f', requestId, durationMs: 1, memoryBytesPeak: 1, lines: [text] };
}

const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));

test('entries of some time are written at once, in their order', async () => {
  const { logs, appended } = openLogs();
  for (const id of ['a', 'b', 'c']) await logs.keep(entry(id));
  assert.deepEqual(appended, [], 'no run waits');
  await turn();
  await turn();
  assert.deepEqual(appended, [['a', 'b', 'c']]);
  await logs.keep(entry('d'));
  await logs.settle();
  await turn();
  await logs.settle();
  assert.deepEqual(appended, [['a', 'b', 'c'], ['d']]);
});

test('many entries, or large ones, do not wait for the time', async () => {
  const { logs, appended } = openLogs();
  const { logGatherRecords, logGatherBytes } = functionsLimits;
  for (let count = 0; count <= logGatherRecords; count += 1) await logs.keep(entry(String(count)));
  assert.deepEqual(
    appended.map(({ length }) => length),
    [logGatherRecords],
  );
  await logs.keep(entry('large', 'x'.repeat(logGatherBytes)));
  assert.deepEqual(
    appended.map(({ length }) => length),
    [logGatherRecords, 2],
  );
});

test('a run waits when more entries wait for the disk than may', async () => {
  const { logs, release } = openLogs(undefined, true);
  const { logPendingBytesMax } = functionsLimits;
  let kept = 0;
  const large = 'x'.repeat(logPendingBytesMax / 4);
  const runs = [1, 2, 3, 4, 5].map(async (id) => {
    await logs.keep(entry(String(id), large));
    kept += 1;
  });
  await turn();
  assert.equal(kept, 3);
  release();
  await Promise.all(runs);
  assert.equal(kept, 5);
});

test('what was written behind a slow write is remembered no more', async () => {
  const { logs, release, appended } = openLogs(undefined, true);
  for (let sent = 0; sent < 1000; sent += 1) {
    await logs.keep(entry(String(sent)));
    void logs.settle();
  }
  assert.equal(appended.length, 1000);
  release(1);
  await turn();
  const seen = { isSettled: false };
  void logs.settle().then(() => (seen.isSettled = true));
  release();
  for (let steps = 0; steps < 50 && !seen.isSettled; steps += 1) await Promise.resolve();
  assert.ok(seen.isSettled);
});

test('each entry that is lost is told', async () => {
  const { logs, environment } = openLogs((id) => id !== 'refused');
  for (const id of ['a', 'refused', 'b']) await logs.keep(entry(id));
  await logs.settle();
  assert.deepEqual(environment.troubles, ['function.log-lost']);
  for (const id of ['a', 'broken']) await logs.keep(entry(id));
  await logs.settle();
  assert.deepEqual(environment.troubles, Array(3).fill('function.log-lost'));
});
