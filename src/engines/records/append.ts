import {
  isStored,
  type BatchOutcome,
  type RecordBatch,
  type RecordFailure,
  type RecordPosition,
  type ShardInfo,
} from '../../ports/records.ts';
import type { Offset } from '../../ports/stream-store.ts';
import { Placement, UNAVAILABLE } from './placement.ts';
import type { ShardLane } from './shard-lane.ts';
import type { ViewedStream } from './stream-view.ts';

/** Bytes of entries up to which a batch is written in the turn of its call. */
const AT_ONCE_BYTES_MAX = 1024 * 1024;

/** What appends need of the streams they go to. */
export interface AppendDoors {
  /** The stream as it is now. Raises StreamNotFound. */
  stream(name: string): ViewedStream;
  /** Resolves, and never rejects, when the step of a reshard is over that closes one of the shards. */
  closing(name: string, shards: () => readonly ShardInfo[]): Promise<void> | undefined;
  isClosed(): boolean;
  lane(stream: ViewedStream, shard: ShardInfo): ShardLane;
  lend(bytes: number): Uint8Array;
  /** One turn of the loop. */
  pause(): Promise<void>;
}

/** An append that is in the log's queue; a promise in an object, since who waits for the queue waits for no disk. */
interface Queued {
  readonly outcome: Promise<BatchOutcome>;
}

/**
 * Appends in the order of calls. Most are laid out, written and queued in the turn of their call; what has to wait (for
 * the step of a reshard that closes one of its shards, or for turns of the loop between the pieces of a large batch)
 * holds up all later calls for its stream.
 */
export class Appends {
  readonly #doors: AppendDoors;
  /** The end of each stream's line, where there is one: settles when the last one in it is queued. */
  readonly #lines = new Map<string, Promise<void>>();

  constructor(doors: AppendDoors) {
    this.#doors = doors;
  }

  /** As Records.appendBatch. */
  async append(name: string, batch: RecordBatch): Promise<BatchOutcome> {
    const doors = this.#doors;
    if (this.#lines.has(name)) return await this.#inLine(name, batch);
    const stream = doors.stream(name);
    if (doors.isClosed()) return refused(batch);
    const placement = new Placement(stream, batch);
    const waits = placement.bytes > AT_ONCE_BYTES_MAX || doors.closing(name, placement.shards) !== undefined;
    if (waits) return await this.#inLine(name, batch);
    placement.fill((bytes) => doors.lend(bytes));
    return await placement.append((shard) => doors.lane(stream, shard));
  }

  /** Resolves when all appends are queued that wait in the stream's line at this moment. */
  async queued(name: string): Promise<void> {
    await this.#lines.get(name);
  }

  async #inLine(name: string, batch: RecordBatch): Promise<BatchOutcome> {
    const turn = this.#after(this.#lines.get(name), name, batch);
    const over = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#lines.set(name, over);
    void over.then(() => {
      if (this.#lines.get(name) === over) this.#lines.delete(name);
    });
    const { outcome } = await turn;
    return await outcome;
  }

  async #after(ahead: Promise<void> | undefined, name: string, batch: RecordBatch): Promise<Queued> {
    const doors = this.#doors;
    if (ahead !== undefined) {
      await ahead;
      // Those in line go on one after the other, not all in the turn of the first.
      await doors.pause();
    }
    for (;;) {
      const stream = doors.stream(name);
      if (doors.isClosed()) return { outcome: Promise.resolve(refused(batch)) };
      const placement = new Placement(stream, batch);
      const closing = doors.closing(name, placement.shards);
      if (closing !== undefined) {
        await closing;
        continue;
      }
      if (placement.bytes <= AT_ONCE_BYTES_MAX) placement.fill((bytes) => doors.lend(bytes));
      else await placement.fillInPieces(async () => await doors.pause());
      // Meanwhile the shards may be others, or about to be, and the node closed.
      const isSame = doors.closing(name, placement.shards) === undefined && placement.fits(doors.stream(name));
      if (isSame && !doors.isClosed()) return { outcome: placement.append((shard) => doors.lane(stream, shard)) };
    }
  }
}

function refused({ count }: RecordBatch): BatchOutcome {
  return { partOf: new Uint16Array(count), parts: [UNAVAILABLE] };
}

/** The outcome as one object for each record. */
export function positionsOf({ partOf, parts }: BatchOutcome): readonly (RecordPosition | RecordFailure)[] {
  const next: Offset[] = parts.map((part) => (isStored(part) ? part.first : 0n));
  return Array.from(partOf, (index) => {
    const part = parts[index];
    if (part === undefined) return UNAVAILABLE;
    if (!isStored(part)) return part;
    const offset = next[index] as Offset;
    next[index] = offset + 1n;
    const { id: shardId, ref } = part.shard;
    return { shardId, ref, offset, sequenceNumber: part.encode(offset), at: part.at };
  });
}
