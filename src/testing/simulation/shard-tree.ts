import { HASH_KEY_END } from '../../kernel/stream/hash-key.ts';
import { promised } from './broken-promise.ts';

/** A shard as ListShards describes it. */
export interface ListedShard {
  readonly ShardId: string;
  readonly ParentShardId?: string;
  readonly AdjacentParentShardId?: string;
  readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  readonly SequenceNumberRange: { readonly StartingSequenceNumber: string; readonly EndingSequenceNumber?: string };
}

interface KnownShard {
  readonly id: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly parents: readonly string[];
  /** When it was first listed, in virtual ms. */
  readonly knownAt: number;
  /** Since when it is known to be closed, in virtual ms, and its last sequence number. */
  closed: { readonly at: number; readonly sequenceNumber: string } | undefined;
}

/** The shards of a stream as they were listed so far: ranges and parents stay, a closed shard stays closed. */
export class ShardTree {
  readonly #shards = new Map<string, KnownShard>();

  get(id: string): KnownShard | undefined {
    return this.#shards.get(id);
  }

  /**
   * A power cut may have taken reshards that were heard of at `since` or later: at the moment from which on a start
   * answers, it shows the reshards that it finished itself, and they wait for a sync as everybody's changes do.
   */
  mayLose(since: number): void {
    for (const shard of this.#shards.values()) {
      if (shard.knownAt >= since) this.#shards.delete(shard.id);
      if (shard.closed !== undefined && shard.closed.at >= since) shard.closed = undefined;
    }
  }

  /** Takes a list of shards in, the hidden ones left out. Raises BrokenPromise where it contradicts an earlier one. */
  learn(listed: readonly ListedShard[], now: number): void {
    for (const shard of listed) this.#learnOne(shard, now);
    const ids = new Set(listed.map(({ ShardId }) => ShardId));
    for (const { ShardId, ParentShardId } of listed) if (ParentShardId !== undefined) this.#checkChild(ShardId, ids);
    checkOpen(listed);
  }

  #learnOne(listed: ListedShard, now: number): void {
    const id = listed.ShardId;
    const start = BigInt(listed.HashKeyRange.StartingHashKey);
    const end = BigInt(listed.HashKeyRange.EndingHashKey);
    const parents = [listed.ParentShardId, listed.AdjacentParentShardId].filter((parent) => parent !== undefined);
    const shard = this.#shards.get(id) ?? { id, start, end, parents, knownAt: now, closed: undefined };
    promised(shard.start === start && shard.end === end, `${id} owns other hash keys than before`);
    promised(shard.parents.join() === parents.join(), `${id} has other parents than before`);
    const sequenceNumber = listed.SequenceNumberRange.EndingSequenceNumber;
    promised(shard.closed?.sequenceNumber === sequenceNumber || shard.closed === undefined, `${id} ends elsewhere`);
    if (sequenceNumber !== undefined) shard.closed ??= { at: now, sequenceNumber };
    this.#shards.set(id, shard);
  }

  /** A parent that is hidden by now is closed, whether anybody saw it or not. */
  #checkChild(id: string, listed: ReadonlySet<string>): void {
    const shard = this.#shards.get(id);
    const parents = (shard?.parents ?? []).flatMap((parent) => this.#shards.get(parent) ?? []);
    // One that was hidden before anybody saw it says nothing.
    if (shard === undefined || parents.length === 0 || parents.length < shard.parents.length) return;
    const isInside = parents.some(({ start, end }) => start <= shard.start && end >= shard.end);
    const isWhole = shard.start === least(parents) && shard.end === greatest(parents);
    promised(isInside || isWhole, `${id} owns hash keys that its parents did not own`);
    for (const parent of parents) {
      const isClosed = parent.closed !== undefined || !listed.has(parent.id);
      promised(isClosed, `${id} is open beside its parent ${parent.id}`);
    }
  }
}

function least(shards: readonly KnownShard[]): bigint {
  return shards.reduce((least, { start }) => (start < least ? start : least), HASH_KEY_END);
}

function greatest(shards: readonly KnownShard[]): bigint {
  return shards.reduce((greatest, { end }) => (end > greatest ? end : greatest), 0n);
}

/** The open shards own every hash key once. */
function checkOpen(listed: readonly ListedShard[]): void {
  const ranges = listed
    .filter(({ SequenceNumberRange }) => SequenceNumberRange.EndingSequenceNumber === undefined)
    .map(({ HashKeyRange: range }) => [BigInt(range.StartingHashKey), BigInt(range.EndingHashKey)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  let next = 0n;
  for (const [start, end] of ranges) {
    promised(start === next, `no open shard, or two, own the hash key ${next}`);
    next = end + 1n;
  }
  promised(next === HASH_KEY_END, `no open shard owns the hash key ${next}`);
}
