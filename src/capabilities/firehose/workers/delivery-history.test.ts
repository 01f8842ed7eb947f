import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Environment } from '../../../ports/environment.ts';
import type { RecordInput, Records } from '../../../ports/records.ts';
import { quietEnvironment, type QuietEnvironment } from '../../../testing/quiet-environment.ts';
import { firehoseLimits } from '../limits.ts';
import { DeliveryHistory, type HistoryEntry } from './delivery-history.ts';

const SHARD = { generation: 1, ordinal: 0 };

/** One internal stream in memory, of a log that is full where the test says so. */
class FakeLog {
  isFull = false;
  readonly #entries: Uint8Array[] = [];

  get ids(): readonly unknown[] {
    return this.#entries.map((data) => (JSON.parse(Buffer.from(data).toString()) as HistoryEntry).id);
  }

  get records(): Records {
    const known: Partial<Record<keyof Records, unknown>> = {
      describe: () => ({ retentionMs: firehoseLimits.historyMs, shards: [{}] }),
      bounds: () => ({ start: 0n, end: BigInt(this.#entries.length) }),
      read: async (_stream: unknown, _shard: unknown, from: bigint) => ({
        records: this.#entries.slice(Number(from)).map((data, index) => ({ data, offset: from + BigInt(index) })),
      }),
      append: async (_name: string, inputs: readonly RecordInput[]) =>
        inputs.map(({ data }) => (this.isFull ? { failed: 'full' } : { at: this.#entries.push(data) })),
    };
    return known as unknown as Records;
  }
}

function historyIn(log: FakeLog): { readonly history: DeliveryHistory; readonly environment: QuietEnvironment } {
  const environment = quietEnvironment();
  const doors = { records: log.records, environment: environment as Environment };
  return { history: new DeliveryHistory('d', doors), environment };
}

/** The batch with the record of that number alone. */
function entry(number: number, place = 'p'): HistoryEntry {
  const shown = { id: `${number}`, place, positions: { '1/0': `${number + 1}` } };
  return shown as Partial<HistoryEntry> as HistoryEntry;
}

async function found(history: DeliveryHistory, numbers: readonly number[]): Promise<readonly unknown[]> {
  const entries = numbers.map(async (number) => (await history.find(SHARD, BigInt(number)))?.id);
  return await Promise.all(entries);
}

test('what the log does not take of a batch is told all the same, and kept with the next, in their order', async () => {
  const log = new FakeLog();
  const { history, environment } = historyIn(log);
  await history.add(entry(0), '$direct/d');
  log.isFull = true;
  await history.add(entry(1), '$direct/d');
  await history.add(entry(2), '$direct/d');
  assert.deepEqual(await found(history, [0, 1, 2, 3]), ['0', '1', '2', undefined]);
  assert.deepEqual(log.ids, ['0']);
  log.isFull = false;
  await history.add(entry(3), '$direct/d');
  assert.deepEqual(log.ids, ['0', '1', '2', '3']);
  assert.deepEqual(await found(history, [0, 1, 2, 3, 4]), ['0', '1', '2', '3', undefined]);
  history.end();
  assert.deepEqual(environment.troubles, ['delivery.history-waits', 'delivery.history-waits']);
});

test('so much waits, the oldest goes first, and what waits at the end is told as lost', async () => {
  const log = new FakeLog();
  const { history, environment } = historyIn(log);
  const lost = (): number => environment.troubles.filter((event) => event === 'delivery.history-lost').length;
  log.isFull = true;
  const place = 'x'.repeat(firehoseLimits.historyWaitingBytesMax / 4);
  for (let number = 0; number < 10; number += 1) await history.add(entry(number, place), '$direct/d');
  assert.equal(lost(), 7);
  assert.deepEqual(await found(history, [7, 8, 9]), ['7', '8', '9']);
  history.end();
  assert.equal(lost(), 10);
  log.isFull = false;
  await history.add(entry(10), '$direct/d');
  assert.deepEqual(log.ids, ['10']);
});
