import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import { kinesis, type Put } from '../../support/kinesis.ts';
import type { Stored } from './transcript.ts';

const BATCH = 20;
const PAUSE_MS = 200;

/** Puts numbered records until it is stopped; `stored` holds what was answered. */
export interface Writer {
  readonly stored: ReadonlyMap<string, Stored>;
  /** Rejects with what ended the writing early. */
  stop(): Promise<void>;
}

/** Starts to put about 100 records a second, under keys that spread over all shards. */
export function startWriter(api: string, stream: string): Writer {
  const stored = new Map<string, Stored>();
  const ending = new AbortController();
  const done = write(api, stream, stored, ending.signal);
  // Seen by whoever stops the writer.
  done.catch(() => undefined);
  return {
    stored,
    async stop() {
      ending.abort();
      await done;
    },
  };
}

async function write(api: string, stream: string, stored: Map<string, Stored>, ending: AbortSignal): Promise<void> {
  for (let next = 0; !ending.aborted; next += BATCH) {
    const data = Array.from({ length: BATCH }, (_, index) => String(next + index));
    const records = data.map((text) => ({ PartitionKey: text, Data: Buffer.from(text).toString('base64') }));
    const answer = await kinesis(api, 'PutRecords', { StreamName: stream, Records: records });
    for (const [index, { ShardId, SequenceNumber }] of (answer as { Records: readonly Put[] }).Records.entries()) {
      stored.set(data[index] ?? '', { shard: ShardId, sequenceNumber: SequenceNumber });
    }
    await sleep(PAUSE_MS, undefined, { signal: ending }).catch(() => undefined);
  }
}
