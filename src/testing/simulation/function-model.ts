import { promised } from './broken-promise.ts';
import { payload, textOf } from './payload.ts';
import type { Sent } from './sent-record.ts';
import { sequenceNumberOf, type StreamModel } from './stream-model.ts';

/** One record as a function got it. */
export interface HandedRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly data: string;
}

/** What a function may be told: every record of its stream, in order per shard, none before those in front of it. */
export class FunctionModel {
  readonly #stream: StreamModel;
  readonly #taken = new Set<Sent>();
  /** Shards whose event is under way, in this life. */
  readonly #busy = new Set<string>();
  /** Something was lost, or nobody knows: the order of what is there says nothing. */
  readonly #isUnsure: () => boolean;

  constructor(stream: StreamModel, isUnsure: () => boolean) {
    this.#stream = stream;
    this.#isUnsure = isUnsure;
  }

  /** Records that the function took. */
  get taken(): number {
    return this.#taken.size;
  }

  has(sent: Sent): boolean {
    return this.#taken.has(sent);
  }

  /** A process ended, and with it whatever was under way. */
  begins(): void {
    this.#busy.clear();
  }

  /** An event came; the records of it. Raises BrokenPromise. */
  gets(records: readonly HandedRecord[], now: number): readonly Sent[] {
    const [first] = records;
    promised(first !== undefined, 'a function got an empty event');
    const { shardId } = first;
    promised(!this.#busy.has(shardId), `two events of ${shardId} are under way`);
    this.#busy.add(shardId);
    let before = '';
    const found = records.map((record) => {
      promised(record.shardId === shardId, `an event of ${shardId} holds a record of ${record.shardId}`);
      promised(before < record.sequenceNumber, `an event of ${shardId} is not in order`);
      before = record.sequenceNumber;
      return this.#recordOf(record, now);
    });
    this.#checkFront(shardId, first.sequenceNumber, now);
    for (const parent of this.#stream.tree.get(shardId)?.parents ?? []) this.#checkFront(parent, undefined, now);
    return found;
  }

  /** The answer was sent: the function took these. */
  answers(shardId: string, taken: readonly Sent[]): void {
    this.#busy.delete(shardId);
    for (const sent of taken) this.#taken.add(sent);
  }

  #recordOf({ data, shardId, sequenceNumber }: HandedRecord, now: number): Sent {
    const sent = this.#stream.get(textOf(data));
    promised(sent !== undefined, `nobody sent ${textOf(data)}, and a function got it`);
    promised(data === payload(sent.text, sent.bytes), `a function got ${sent.text} with other bytes`);
    promised(sent.fate !== 'refused', `${sent.text} was refused, and a function got it`);
    promised(
      sent.fate !== 'gone' || sent.mayRepeat || sent.mayMove,
      `${sent.text} was not stored, and a function got it`,
    );
    if (typeof sent.fate === 'object' && !sent.mayMove) this.#stream.stands(sent, { shardId, sequenceNumber }, now);
    return sent;
  }

  /** All that is known to stand in front of it was taken before. */
  #checkFront(shardId: string, before: string | undefined, now: number): void {
    if (this.#isUnsure()) return;
    for (const sent of this.#stream.inShard(shardId)) {
      if (before !== undefined && sequenceNumberOf(sent) >= before) return;
      const isOver = this.#taken.has(sent) || this.#stream.mayBeExpired(sent, now);
      promised(isOver, `${sent.text} stands in front, and a function got what stands behind it first`);
    }
  }
}
