import { hash } from 'node:crypto';
import { assert } from '../../kernel/assert.ts';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { StreamInfo } from '../../ports/records.ts';
import type { ShardRef } from '../../ports/stream-store.ts';
import type { ShardName } from './checkpoint-format.ts';
import { ID_BYTES, IdWindow, type WindowBounds } from './id-window.ts';

/** Where the one record of an id stands. */
export interface StoredPlace {
  readonly shard: ShardName;
  readonly offset: number;
  readonly seconds: number;
  /** Where it is at hand as text. */
  readonly sequenceNumber?: string;
}

/** The id as records carry it: the first 16 bytes of SHA-256 over route, NUL and delivery id. */
export function webhookId(route: string, deliveryId: string): Uint8Array {
  return hash('sha256', `${route}\0${deliveryId}`, 'buffer').subarray(0, ID_BYTES);
}

/** What the gateway knows of delivery ids: those under way and those stored. Answers at once, never waits. */
export class DedupeModel {
  /** By route. A route's window stays when the route goes, for the case that it comes back. */
  readonly windows = new Map<string, IdWindow>();
  /** By stream: all streams that took webhooks since the start, or were covered before it. */
  readonly lanes = new Map<string, Lane>();
  readonly #pending = new Map<string, Promise<StoredPlace>>();
  readonly #shards: ShardName[] = [];
  readonly #shardNumbers = new Map<string, number>();
  /** Numbers again, by the object that names the shard: most callers have the one they had before. */
  readonly #numbersAgain = new WeakMap<ShardName, number>();
  readonly #names = new WeakMap<ShardRef, ShardName>();

  /** Ids between append and answer. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** The append under way for an id, if any. */
  pending(id: Uint8Array): Promise<StoredPlace> | undefined {
    return this.#pending.get(textOf(id));
  }

  /** Remembers the append; in the same turn as the call that asked for it. */
  begin(id: Uint8Array, stored: Promise<StoredPlace>): void {
    this.#pending.set(textOf(id), stored);
  }

  /** The append is over, well or not. */
  finish(id: Uint8Array): void {
    this.#pending.delete(textOf(id));
  }

  /** The place of an id that is in the route's window. */
  stored(route: string, id: Uint8Array, nowMs: number): StoredPlace | undefined {
    const place = this.windows.get(route)?.find(id, nowMs);
    return place === undefined ? undefined : { ...place, shard: this.shard(place.shard) };
  }

  /** Puts an id into its route's window; a route without one is left alone. */
  store(route: string, id: Uint8Array, place: StoredPlace): void {
    const { offset, seconds } = place;
    this.windows.get(route)?.add(id, { shard: this.shardNumber(place.shard), offset, seconds });
  }

  /** Makes the route's window, or changes its bounds. */
  bound(route: string, bounds: WindowBounds): void {
    const window = this.windows.get(route);
    if (window === undefined) this.windows.set(route, new IdWindow(bounds));
    else window.bound(bounds);
  }

  lane(stream: string): Lane {
    const known = this.lanes.get(stream);
    if (known !== undefined) return known;
    const lane = new Lane(stream);
    this.lanes.set(stream, lane);
    return lane;
  }

  shardNumber(shard: ShardName): number {
    const known = this.#numbersAgain.get(shard);
    if (known !== undefined) return known;
    const { stream, createdAt, generation, ordinal } = shard;
    // No stream has a slash in its name.
    const text = `${stream}/${createdAt}/${generation}/${ordinal}`;
    let number = this.#shardNumbers.get(text);
    if (number === undefined) {
      number = this.#shards.push({ stream, createdAt, generation, ordinal }) - 1;
      this.#shardNumbers.set(text, number);
    }
    this.#numbersAgain.set(shard, number);
    return number;
  }

  /** The name of a shard of the stream; the same object for the same `ref`. */
  shardName({ name, createdAt }: Pick<StreamInfo, 'name' | 'createdAt'>, ref: ShardRef): ShardName {
    let known = this.#names.get(ref);
    if (known === undefined) {
      const { generation, ordinal } = ref;
      known = { stream: name, createdAt, generation, ordinal };
      this.#names.set(ref, known);
    }
    return known;
  }

  shard(number: number): ShardName {
    const shard = this.#shards[number];
    assert(shard !== undefined, 'a shard number names a shard');
    return shard;
  }
}

/** An append's place in its lane. */
export interface Ticket {
  isDone: boolean;
  position: { readonly shard: number; readonly after: bigint } | undefined;
  next: Ticket | undefined;
}

/**
 * The appends to one stream in the order of their calls, which is the order in each shard. A shard is covered up to the
 * last append before which no other is under way: no id below that position can still be missing in a window.
 */
export class Lane {
  readonly stream: string;
  /** Covered positions by shard number. */
  readonly covered = new Map<number, bigint>();
  #head: Ticket | undefined;
  #tail: Ticket | undefined;
  #length = 0;

  constructor(stream: string) {
    this.stream = stream;
  }

  /** Appends that are under way, or done behind one that is. */
  get length(): number {
    return this.#length;
  }

  /** Queues up; in the same turn as the append's call. */
  enter(): Ticket {
    const ticket: Ticket = { isDone: false, position: undefined, next: undefined };
    if (this.#tail === undefined) this.#head = ticket;
    else this.#tail.next = ticket;
    this.#tail = ticket;
    this.#length += 1;
    return ticket;
  }

  /** The append is over; `position` is absent when nothing was stored. */
  leave(ticket: Ticket, position: Ticket['position']): void {
    ticket.isDone = true;
    ticket.position = position;
    for (let head = this.#head; head?.isDone === true; head = this.#head) {
      const { position: passed, next } = head;
      if (passed !== undefined) this.covered.set(passed.shard, passed.after);
      this.#head = next;
      this.#length -= 1;
      // One that the collector takes for old would keep all that came behind it.
      head.next = undefined;
    }
    if (this.#head === undefined) this.#tail = undefined;
  }
}

function textOf(id: Uint8Array): string {
  return asBuffer(id).toString('latin1');
}
