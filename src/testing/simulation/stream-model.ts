import { BrokenPromise, promised } from './broken-promise.ts';
import type { Fate, Place, Sending, Sent } from './sent-record.ts';
import { ShardTree } from './shard-tree.ts';
import type { RetentionHistory, WallHistory } from './timeline.ts';

/** Whole milliseconds are shown of times that are not. */
const ROUNDING_MS = 1;

/**
 * One stream as clients know it: what they sent, what they were told, what they read. Everything that is found out goes
 * through here, and raises BrokenPromise where it contradicts what was known.
 */
export class StreamModel {
  readonly name: string;
  readonly tree = new ShardTree();
  readonly retention: RetentionHistory;
  /** Somebody began to delete it: nothing is promised any more. */
  isDeleted = false;
  readonly #wall: WallHistory;
  readonly #sent = new Map<string, Sent>();
  /** What is known to stand in each shard, in order. */
  readonly #shards = new Map<string, Sent[]>();
  /** Who was ever known to stand at a place: nobody else may stand there later. */
  readonly #holders = new Map<string, Sent>();

  constructor(name: string, wall: WallHistory, retention: RetentionHistory) {
    this.name = name;
    this.#wall = wall;
    this.retention = retention;
  }

  /** Records known to be stored. */
  get acknowledged(): number {
    return [...this.#sent.values()].filter(isPlaced).length;
  }

  all(): IterableIterator<Sent> {
    return this.#sent.values();
  }

  get(text: string): Sent | undefined {
    return this.#sent.get(text);
  }

  /** What could not be read after a bit was turned. */
  damaged(): readonly Sent[] {
    return [...this.#sent.values()].filter(({ isDamaged }) => isDamaged);
  }

  /** What is known to stand in a shard, in order. */
  inShard(shardId: string): readonly Sent[] {
    return this.#shards.get(shardId) ?? [];
  }

  /** A record is about to be sent, for the first time or again. */
  sends(sending: Sending, now: number): Sent {
    const known = this.#sent.get(sending.text);
    if (known !== undefined) {
      known.triedIn = sending.life;
      known.mayMove ||= this.mayBeExpired(known, now);
      if (known.fate === 'gone' || known.fate === 'refused') known.fate = 'trying';
      return known;
    }
    const sent: Sent = {
      ...sending,
      order: this.#sent.size,
      sentAt: now,
      floor: this.#ends(),
      triedIn: sending.life,
      mayMove: false,
      fate: 'trying',
      knownAt: Infinity,
      foundAt: -1,
      arrivedAt: undefined,
      isDamaged: false,
      isExpired: false,
      isDelivered: false,
      mayRepeat: false,
      doubt: undefined,
    };
    this.#sent.set(sending.text, sent);
    return sent;
  }

  /** The answer said that it is not stored. */
  refuses(sent: Sent): void {
    promised(typeof sent.fate !== 'object', `${sent.text} stands, and was refused`);
    sent.fate = 'refused';
  }

  /** It stands there: an answer said so, or it was read. */
  stands(sent: Sent, place: Place, now: number): void {
    const { text } = sent;
    if (typeof sent.fate === 'object') {
      const { shardId, sequenceNumber } = sent.fate;
      if (shardId === place.shardId && sequenceNumber === place.sequenceNumber) return;
      promised(sent.mayMove, `${text} stands at ${describePlace(sent.fate)} and at ${describePlace(place)}`);
      this.#takeOut(sent, shardId);
    }
    const { fate } = sent;
    promised(fate !== 'refused', `${text} was refused and stands at ${describePlace(place)}`);
    promised(fate !== 'gone', `${text} was not there before and stands at ${describePlace(place)}`);
    this.#checkShard(sent, place);
    this.#checkHolder(sent, place);
    sent.fate = place;
    sent.knownAt = now;
    this.#insert(sent, place);
  }

  /**
   * The power was cut where answers do not wait for syncs: what was told after `since` may be gone. Returns how many
   * records that are.
   */
  mayLose(since: number, now: number): number {
    let count = 0;
    for (const sent of this.#sent.values()) {
      sent.mayRepeat = true;
      const { fate, knownAt } = sent;
      if (typeof fate === 'object' && knownAt <= since) continue;
      sent.isDelivered = false;
      if (typeof fate !== 'object') continue;
      this.#takeOut(sent, fate.shardId);
      sent.doubt = { place: fate, knownAt, cutAt: now };
      sent.knownAt = Infinity;
      // Its id may be gone with it.
      sent.mayMove ||= sent.sender === undefined;
      count += 1;
    }
    this.tree.mayLose(since);
    this.retention.mayLose(since, now);
    return count;
  }

  /** A power cut takes the end of what was written: nothing stands that was sent after something lost was known. */
  checkEnds(since: number): void {
    const lost = [...this.#sent.values()].filter(({ fate, doubt }) => fate === 'gone' && doubt !== undefined);
    for (const sent of this.#sent.values()) {
      if (sent.sender === undefined || sent.foundAt < since) continue;
      const hole = lost.find(({ doubt }) => doubt !== undefined && isBetween(sent.sentAt, doubt.knownAt, doubt.cutAt));
      promised(hole === undefined, `a power cut took ${hole?.text} and left ${sent.text}, which was sent later`);
    }
  }

  /** A whole look at the stream, begun at `since`, has not found it. */
  isMissing(sent: Sent, since: number, now: number): void {
    if (sent.isDamaged || this.mayBeExpired(sent, now)) return;
    const isPromised = typeof sent.fate === 'object' ? sent.knownAt <= since : sent.isDelivered;
    promised(!isPromised, `${sent.text} stood at ${describeFate(sent.fate)} and is missing`);
  }

  /** Whether the clock may have shown since then that its time is over. */
  mayBeExpired(sent: Sent, now: number): boolean {
    const arrivedAt = sent.arrivedAt ?? this.#wall.min(sent.sentAt, Math.min(now, sent.knownAt));
    const oldest = this.#wall.max(sent.sentAt, now) - this.retention.min(sent.sentAt, now);
    return arrivedAt - ROUNDING_MS <= oldest;
  }

  /** The same of any of its records. */
  mayAnyBeExpired(now: number): boolean {
    return [...this.#sent.values()].some((sent) => this.mayBeExpired(sent, now));
  }

  /** Whether a record that arrived then may still be shown to who asked at `since`. */
  mayBeShown(arrivedAt: number, since: number, now: number): boolean {
    return arrivedAt + ROUNDING_MS >= this.#wall.min(since, now) - this.retention.max(since, now);
  }

  /** Whether the clock may have shown this arrival time after `since`. */
  mayArriveSince(arrivedAt: number, since: number): boolean {
    return arrivedAt + ROUNDING_MS >= this.#wall.min(since, Infinity);
  }

  /** It was read with this arrival time. */
  arrived(sent: Sent, arrivedAt: number, now: number): void {
    if (sent.arrivedAt !== undefined) {
      promised(sent.arrivedAt === arrivedAt, `${sent.text} arrived at ${sent.arrivedAt}, then at ${arrivedAt}`);
      return;
    }
    const from = this.#wall.min(sent.sentAt, Math.min(now, sent.knownAt)) - ROUNDING_MS;
    const isPossible = arrivedAt >= from && arrivedAt <= this.#wall.max(0, now) + ROUNDING_MS;
    promised(isPossible, `${sent.text} arrived at ${arrivedAt}, sent after ${from}`);
    sent.arrivedAt = arrivedAt;
  }

  #checkShard({ text, hashKey, sentAt, floor }: Sent, { shardId, sequenceNumber }: Place): void {
    const shard = this.tree.get(shardId);
    if (shard !== undefined) {
      promised(hashKey >= shard.start && hashKey <= shard.end, `${text} stands in ${shardId}, which has not its key`);
      const isOpen = shard.closed === undefined || sentAt < shard.closed.at;
      promised(isOpen, `${text} was stored in ${shardId} after it was closed`);
      const isInside = shard.closed === undefined || sequenceNumber <= shard.closed.sequenceNumber;
      promised(isInside, `${text} stands behind the end of ${shardId}`);
    }
    const before = floor.get(shardId);
    const isBehind = before === undefined || before < sequenceNumber;
    promised(isBehind, `${text} stands in front of what stood there when it was sent`);
  }

  #checkHolder(sent: Sent, place: Place): void {
    const name = describePlace(place);
    const holder = this.#holders.get(name) ?? sent;
    promised(holder === sent, `${sent.text} stands at ${name}, where ${holder.text} stood`);
    this.#holders.set(name, sent);
    const { doubt } = sent;
    const isSame = doubt === undefined || describePlace(doubt.place) === name;
    promised(
      isSame || sent.mayMove,
      `${sent.text} stood at ${doubt && describePlace(doubt.place)}, and now at ${name}`,
    );
  }

  #insert(sent: Sent, { shardId, sequenceNumber }: Place): void {
    const shard = this.#shards.get(shardId) ?? [];
    this.#shards.set(shardId, shard);
    let at = shard.length;
    while (at > 0 && sequenceNumberOf(shard[at - 1]) >= sequenceNumber) at -= 1;
    if (sequenceNumberOf(shard[at]) === sequenceNumber) {
      throw new BrokenPromise(`${sent.text} and ${shard[at]?.text} both stand at ${sequenceNumber}`);
    }
    shard.splice(at, 0, sent);
  }

  /** What was expired can be stored again. */
  #takeOut(sent: Sent, shardId: string): void {
    const shard = this.#shards.get(shardId) ?? [];
    shard.splice(shard.indexOf(sent), 1);
    sent.fate = 'trying';
    sent.arrivedAt = undefined;
  }

  /** The last known sequence number of each shard. */
  #ends(): ReadonlyMap<string, string> {
    return new Map(Array.from(this.#shards, ([id, shard]) => [id, sequenceNumberOf(shard.at(-1))] as const));
  }
}

/** Its sequence number, or an empty text. */
export function sequenceNumberOf(sent: Sent | undefined): string {
  return typeof sent?.fate === 'object' ? sent.fate.sequenceNumber : '';
}

function isPlaced(sent: Sent): boolean {
  return typeof sent.fate === 'object';
}

function describeFate(fate: Fate): string {
  return typeof fate === 'object' ? describePlace(fate) : 'some place';
}

function describePlace({ shardId, sequenceNumber }: Place): string {
  return `${shardId}:${sequenceNumber}`;
}

function isBetween(at: number, from: number, to: number): boolean {
  return at > from && at < to;
}
