import assert from 'node:assert/strict';
import type { Put, Shard, Stored } from '../support/kinesis.ts';

/** Where a record was acknowledged, and when (`performance.now()`). */
interface Acknowledged {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly at: number;
}

/** What a kill may take with it. */
export type Durability =
  /** Nothing that was acknowledged. */
  | { readonly sync: 'always' }
  /** The end of each shard, as far as it was acknowledged within this time before the kill. */
  | { readonly sync: 'interval'; readonly windowMs: number }
  /** The end of each shard. */
  | { readonly sync: 'none' };

/** What the senders were told, over all lives of one data directory. Texts are records whole; all differ. */
export class Model {
  readonly acknowledged = new Map<string, Acknowledged>();
  /** Sent, with no answer seen: may be there or not, but not twice. */
  readonly uncertain = new Set<string>();
  /** Webhooks whose first answer was seen: delivery id to its text. */
  readonly answered = new Map<string, string>();
  /** Webhooks that were sent and got no answer: delivery id to its text. */
  readonly unanswered = new Map<string, string>();
  /** Webhooks sent again after a kill took their answer; `stored`: whose record the first try had left. */
  readonly repeats = { all: 0, stored: 0 };
  private readonly lost = new Set<string>();
  /** Texts that stood in the log when it was judged last. */
  private standing: ReadonlySet<string> = new Set();

  send(text: string): void {
    this.uncertain.add(text);
  }

  acknowledge(text: string, { ShardId, SequenceNumber }: Put): void {
    this.uncertain.delete(text);
    if (this.acknowledged.has(text)) return;
    this.acknowledged.set(text, { shardId: ShardId, sequenceNumber: SequenceNumber, at: performance.now() });
  }

  /** A webhook was answered that had no answer before. */
  repeat(text: string, isDuplicate: boolean): void {
    if (this.standing.has(text)) assert.ok(isDuplicate, `its record stood, and it was new again: ${head(text)}`);
    this.repeats.all += 1;
    if (isDuplicate) this.repeats.stored += 1;
  }

  /** Holds what stands in the log against what was told; `killedAt`: the end of the life before, `performance.now()`. */
  judge(shards: ReadonlyMap<string, readonly Stored[]>, durability: Durability, killedAt: number): void {
    const seen = new Set<string>();
    for (const [shardId, records] of shards) {
      this.judgeShard(shardId, records, seen);
      assertOrder(records);
    }
    this.standing = seen;
    const missing = [...this.acknowledged].filter(([text]) => !seen.has(text));
    if (durability.sync === 'always') assert.deepEqual(missing.slice(0, 3), [], `${missing.length} missing`);
    if (durability.sync === 'interval') {
      for (const [text, { at }] of missing) {
        assert.ok(at >= killedAt - durability.windowMs, `lost ${killedAt - at} ms after its answer: ${head(text)}`);
      }
    }
    this.assertSuffix(missing, seen);
    this.forget(missing.map(([text]) => text));
  }

  private judgeShard(shardId: string, records: readonly Stored[], seen: Set<string>): void {
    let before = -1n;
    for (const { text, sequenceNumber } of records) {
      assert.ok(!seen.has(text), `doubled: ${head(text)}`);
      seen.add(text);
      assert.ok(BigInt(sequenceNumber) > before, `sequence numbers of ${shardId} grow`);
      before = BigInt(sequenceNumber);
      assert.ok(!this.lost.has(text), `lost by an earlier kill, and back: ${head(text)}`);
      const told = this.acknowledged.get(text);
      assert.ok(told !== undefined || this.uncertain.has(text), `never sent: ${head(text)}`);
      if (told === undefined) continue;
      assert.deepEqual([shardId, sequenceNumber], [told.shardId, told.sequenceNumber], `moved: ${head(text)}`);
    }
  }

  /** What a kill took of a shard is its end: nothing acknowledged stands behind it. */
  private assertSuffix(missing: readonly (readonly [string, Acknowledged])[], seen: ReadonlySet<string>): void {
    const firstLost = new Map<string, bigint>();
    for (const [, { shardId, sequenceNumber }] of missing) {
      const number = BigInt(sequenceNumber);
      const known = firstLost.get(shardId);
      if (known === undefined || number < known) firstLost.set(shardId, number);
    }
    for (const [text, { shardId, sequenceNumber }] of this.acknowledged) {
      const lost = firstLost.get(shardId);
      if (lost === undefined || !seen.has(text)) continue;
      assert.ok(BigInt(sequenceNumber) < lost, `a gap in ${shardId}: ${head(text)} stands behind what is lost`);
    }
  }

  private forget(texts: readonly string[]): void {
    for (const text of texts) {
      this.acknowledged.delete(text);
      this.lost.add(text);
    }
    for (const [id, text] of this.answered) if (this.lost.has(text)) this.answered.delete(id);
  }
}

function head(text: string): string {
  return text.slice(0, 60).trimEnd();
}

/** One writer's records stand in the order in which it sent them. */
function assertOrder(records: readonly Stored[]): void {
  const last = new Map<string, number>();
  for (const { text } of records) {
    const [, writer, count, index] = /^([^/]+)\/(\d+)\/(\d+);/.exec(text) ?? [];
    if (writer === undefined) continue;
    const place = Number(count) * 1000 + Number(index);
    assert.ok(place > (last.get(writer) ?? -1), `misordered: ${head(text)}`);
    last.set(writer, place);
  }
}

/** The open shards own every hash key exactly once. */
export function assertTiled(shards: readonly Shard[]): void {
  const open = shards.filter(({ SequenceNumberRange }) => SequenceNumberRange.EndingSequenceNumber === undefined);
  const ranges = open.map(({ HashKeyRange: { StartingHashKey, EndingHashKey } }) => ({
    first: BigInt(StartingHashKey),
    last: BigInt(EndingHashKey),
  }));
  let next = 0n;
  for (const { first, last } of ranges.sort((a, b) => (a.first < b.first ? -1 : 1))) {
    assert.equal(first, next, 'hash keys have one owner');
    next = last + 1n;
  }
  assert.equal(next, 1n << 128n, 'hash keys have an owner up to the last');
}
