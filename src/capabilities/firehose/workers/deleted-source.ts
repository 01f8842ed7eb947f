import { isStored, type Records, type StreamInfo } from '../../../ports/records.ts';
import { positionKey, Unavailable, type Offset, type ShardRef } from '../../../ports/stream-store.ts';
import { countOf, type Range } from '../model.ts';
import { DeletedShards } from './deleted-shards.ts';
import type { DeliveryNotes } from './delivery-notes.ts';
import { goneEntry } from './transform-piece.ts';
import type { WorkerDoors } from './worker.ts';

type ShardPlace = Pick<ShardRef, 'generation' | 'ordinal'>;

/** What is told of a deleted source with. */
export interface DeletedSourceDoors extends Pick<WorkerDoors, 'environment'> {
  readonly records: Pick<Records, 'append' | 'bounds' | 'describe'>;
  readonly notes: DeliveryNotes;
  /** The internal stream that takes what was transformed. */
  readonly into: string;
  /** Nothing is left to be told of a shard. */
  readonly tellsOf: (key: string) => void;
}

/**
 * Tells of records that went with their stream before they were transformed: an entry for those of each shard, behind
 * what was made of the others.
 */
export class DeletedSource {
  /** Shards of which it is told, until the catalog knows them no more. */
  readonly told = new Set<string>();
  readonly #doors: DeletedSourceDoors;
  readonly #shards: DeletedShards;
  #pendingFrom: Offset | undefined;

  constructor(doors: DeletedSourceDoors) {
    this.#doors = doors;
    this.#shards = new DeletedShards(doors.records);
  }

  /** Below this place of the internal stream stands nothing that is just being told; undefined: nothing is. */
  get pendingFrom(): Offset | undefined {
    return this.#pendingFrom;
  }

  /** Notes how far shards have come. */
  see(stream: Pick<StreamInfo, 'shards'>): void {
    this.#shards.see(stream);
  }

  /** Whether shards of another stream were seen, and not told of. */
  hasOthers(stream: StreamInfo): boolean {
    const { lost, settled } = this.#shards.look({ positions: {} }, stream);
    return lost.length + settled.length > 0;
  }

  /** Tells of what is over, by the positions of what is gone. Rejects as Records.append does. */
  async tell(
    positions: Readonly<Record<string, string>>,
    stream: StreamInfo | undefined,
    isBusy: (shard: ShardPlace) => boolean,
  ): Promise<void> {
    const { lost, settled } = this.#shards.look({ positions }, stream);
    for (const range of lost) if (!isBusy(range)) await this.#tellOf(range);
    for (const key of settled) this.#settle(key);
    this.#pendingFrom = undefined;
  }

  /** The catalog has these positions: of what it does not have nobody asks again. */
  saved(positions: Readonly<Record<string, string>>): void {
    for (const key of this.told) if (positions[key] === undefined) this.told.delete(key);
  }

  async #tellOf(range: Range): Promise<void> {
    const { records, environment, notes, into } = this.#doors;
    const [shard] = records.describe(into)?.shards ?? [];
    this.#pendingFrom ??= shard === undefined ? undefined : records.bounds(shard).end;
    const { entry } = goneEntry({ ...range, cause: 'StreamDeleted' }, environment.clock.now());
    const [result] = await records.append(into, [entry]);
    if (result === undefined || !isStored(result)) throw new Unavailable('what was lost cannot be written');
    this.#settle(positionKey(range));
    notes.lost(countOf(range), 'StreamDeleted');
  }

  #settle(key: string): void {
    this.told.add(key);
    this.#shards.forget([key]);
    this.#doors.tellsOf(key);
  }
}
