import { promised } from './broken-promise.ts';
import type { Life } from './life.ts';
import type { Outcome } from './outcome.ts';
import type { StreamName } from './plan.ts';
import { Reading, type ReadFrom, type ReadRecord } from './reading.ts';
import type { Sent } from './sent-record.ts';
import { sequenceNumberOf, type StreamModel } from './stream-model.ts';

const PAGE = 400;
/** Pages in a row that may bring nothing before the end. */
const EMPTY_PAGES_MAX = 100;

interface Page {
  readonly Records: readonly ReadRecord[];
  /** Absent at the end of a closed shard. */
  readonly NextShardIterator?: string;
  readonly MillisBehindLatest: number;
}

/** What a reader of one shard wants. */
export interface Wanted {
  readonly stream: StreamName;
  readonly model: StreamModel;
  readonly shardId: string;
  readonly from: ReadFrom;
  readonly pages: number;
  readonly limit: number;
}

/** Reads a shard page after page; false when the node did not answer, or the stream went away. */
export async function readShard(life: Life, wanted: Wanted): Promise<boolean> {
  return await new ShardReader(life, wanted).read();
}

class ShardReader {
  readonly #life: Life;
  readonly #wanted: Wanted;
  readonly #beganAt: number;
  /** Pages in a row that brought nothing. */
  #empty = 0;
  /** Places that could not be read, with something readable between each two. */
  #holes = 0;
  #isInHole = false;

  constructor(life: Life, wanted: Wanted) {
    this.#life = life;
    this.#wanted = wanted;
    this.#beganAt = life.now;
  }

  async read(): Promise<boolean> {
    const { model, shardId, from, pages } = this.#wanted;
    let iterator = await iteratorOf(this.#life, this.#wanted, from);
    const reading = new Reading(model, shardId, from, { askedAt: this.#beganAt, now: this.#life.now });
    for (let page = 0; page < pages && iterator !== undefined && iterator !== 'end'; page += 1) {
      iterator = await this.#page(reading, iterator);
    }
    if (!model.isDeleted) reading.ends(this.#life.now);
    return iterator !== undefined;
  }

  /** Takes one page; the next iterator, `end` at the tip, undefined when the reader cannot go on. */
  async #page(reading: Reading, iterator: string): Promise<string | undefined> {
    const { model, shardId, limit } = this.#wanted;
    const askedAt = this.#life.now;
    const outcome = await this.#life.kinesis('GetRecords', { ShardIterator: iterator, Limit: limit });
    if (model.isDeleted) return undefined;
    if (outcome.kind !== 'done') return await this.#fails(reading, outcome);
    this.#isInHole = false;
    const { Records, NextShardIterator, MillisBehindLatest } = outcome.answer as Page;
    const isAtTip = NextShardIterator === undefined || MillisBehindLatest === 0;
    reading.takes({ records: Records, isAtTip, askedAt, now: this.#life.now });
    this.#empty = Records.length === 0 ? this.#empty + 1 : 0;
    promised(this.#empty < EMPTY_PAGES_MAX, `a read of ${shardId} does not come to its end`);
    return isAtTip ? 'end' : NextShardIterator;
  }

  /** Where a bit was turned the reader goes over one known record after the other: the others can be read. */
  async #fails(reading: Reading, outcome: Outcome): Promise<string | undefined> {
    const { wall, flips } = this.#life.oracle;
    const isExpired = outcome.kind === 'refused' && outcome.code === 'ExpiredIteratorException';
    promised(outcome.kind === 'unknown' || isExpired, `GetRecords was refused: ${JSON.stringify(outcome)}`);
    promised(!isExpired || wall.stepped(this.#beganAt, this.#life.now), 'an iterator expired too early');
    if (isExpired || !this.#life.isOnlyDamaged()) return undefined;
    if (!this.#isInHole) this.#holes += 1;
    this.#isInHole = true;
    promised(this.#holes <= flips, `${this.#holes} places cannot be read after ${flips} bits were turned`);
    const skipped = reading.skips();
    if (skipped === undefined) return undefined;
    const from = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: sequenceNumberOf(skipped) } as const;
    return await iteratorOf(this.#life, this.#wanted, from);
  }
}

async function iteratorOf(life: Life, { stream, model, shardId }: Wanted, from: ReadFrom): Promise<string | undefined> {
  const askedAt = life.now;
  const outcome = await life.kinesis('GetShardIterator', {
    StreamName: stream,
    ShardId: shardId,
    ShardIteratorType: from.type,
    ...(from.type === 'AT_TIMESTAMP' && { Timestamp: from.ms / 1000 }),
    ...('sequenceNumber' in from && { StartingSequenceNumber: from.sequenceNumber }),
  });
  if (outcome.kind === 'done') return (outcome.answer as { ShardIterator: string }).ShardIterator;
  // A time that was the present may be the future once the clock was set back.
  const isExcused = model.isDeleted || outcome.kind === 'unknown' || life.oracle.wall.stepped(askedAt, life.now);
  promised(isExcused, `GetShardIterator of ${shardId} was refused: ${JSON.stringify(outcome)}`);
  return undefined;
}

/**
 * Reads a whole stream and compares it with its model: everything that was promised is there, in order, and what was
 * not found will not come back. False when it could not be read.
 */
export async function lookAtStream(life: Life, name: StreamName): Promise<boolean> {
  const model = life.oracle.stream(name);
  if (model === undefined || model.isDeleted) return true;
  const since = life.now;
  const shards = await life.shards(name, model);
  if (shards === undefined || model.isDeleted) return false;
  for (const { ShardId: shardId } of shards) {
    const from = { type: 'TRIM_HORIZON' } as const;
    const wanted = { stream: name, model, shardId, from, pages: Infinity, limit: PAGE };
    if (!(await readShard(life, wanted))) return false;
    checkOrder(model.inShard(shardId));
  }
  for (const sent of model.all()) if (sent.foundAt < since) missed(life, model, sent, since);
  if (life.oracle.flips === 0) model.checkEnds(since);
  return true;
}

function missed(life: Life, model: StreamModel, sent: Sent, since: number): void {
  model.isMissing(sent, since, life.now);
  if (sent.foundAt >= 0 && !sent.isExpired && model.mayBeExpired(sent, life.now)) {
    sent.isExpired = true;
    life.simulation.tally.note('a record that was read expires');
  }
  // Its process is gone: nobody will store it any more. Who went over a damaged place may have gone over it, too.
  const isOver = sent.fate === 'trying' && sent.triedIn < life.number && model.damaged().length === 0;
  if (isOver && !model.mayBeExpired(sent, life.now)) sent.fate = 'gone';
}

/** Records of an earlier life stand before those of a later one, each sender's in the order they were sent. */
function checkOrder(shard: readonly Sent[]): void {
  let life = 0;
  const orders = new Map<string, number>();
  for (const sent of shard) {
    if (sent.sender === undefined) continue;
    promised(sent.life >= life, `${sent.text} of an earlier life stands at ${sequenceNumberOf(sent)}`);
    life = sent.life;
    const before = orders.get(sent.sender) ?? -1;
    promised(sent.order > before, `${sent.text} stands behind what its sender sent later`);
    orders.set(sent.sender, sent.order);
  }
}
