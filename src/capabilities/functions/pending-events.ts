import { ensureInternalStream } from '../../ports/internal-stream.ts';
import { isStored, StreamNotFound, type Records } from '../../ports/records.ts';
import { Unavailable } from '../../ports/stream-store.ts';
import { functionsLimits } from './limits.ts';
import { INVOCATIONS_STREAM, pendingToHeaders, type PendingEvent } from './model.ts';

/** Room for the headers beside an event. */
const HEADER_BYTES_MAX = 4096;
const HASH_KEYS = 2n ** 128n;

/** Events that nobody waits for, in the log until they are done: first, second and third tries in a shard each. */
export class PendingEvents {
  readonly #records: Records;
  #hasStream = false;

  constructor(records: Records) {
    this.#records = records;
  }

  /** Makes the stream, or takes one of an older version over. */
  async open(): Promise<void> {
    const { invocationsRetentionMs: retentionMs } = functionsLimits;
    const stream = await ensureInternalStream(this.#records, {
      name: INVOCATIONS_STREAM,
      shardCount: functionsLimits.tries,
      retentionMs,
      maxRecordBytes: functionsLimits.asyncEventBytesMax + HEADER_BYTES_MAX,
    });
    // Older versions kept them for a day.
    if (stream.retentionMs < retentionMs) await this.#records.update(INVOCATIONS_STREAM, () => ({ retentionMs }));
    this.#hasStream = true;
  }

  /** Resolves once the event is durable. Rejects with Unavailable: it is not stored. */
  async add(event: PendingEvent, data: Uint8Array): Promise<void> {
    await this.#add(event, Math.min(event.attempt, functionsLimits.tries), data);
  }

  /** As `add`, for an event that waits for its function: behind the last tries, where no first one waits for it. */
  async putAside(event: PendingEvent, data: Uint8Array): Promise<void> {
    await this.#add(event, functionsLimits.tries, data);
  }

  async #add(event: PendingEvent, shard: number, data: Uint8Array): Promise<void> {
    if (!this.#hasStream) await this.open();
    const explicitHashKey = (BigInt(shard - 1) * HASH_KEYS) / BigInt(functionsLimits.tries) + 1n;
    const record = { partitionKey: event.function, explicitHashKey, data, headers: pendingToHeaders(event) };
    try {
      const [result] = await this.#records.append(INVOCATIONS_STREAM, [record]);
      if (result !== undefined && isStored(result)) return;
    } catch (error) {
      if (!(error instanceof StreamNotFound)) throw error;
    }
    throw new Unavailable('the event was not stored');
  }
}
