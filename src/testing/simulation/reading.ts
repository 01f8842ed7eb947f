import { promised } from './broken-promise.ts';
import { payload, textOf } from './payload.ts';
import type { Sent } from './sent-record.ts';
import { sequenceNumberOf, type StreamModel } from './stream-model.ts';

/** A record as GetRecords gives it. */
export interface ReadRecord {
  readonly Data: string;
  readonly SequenceNumber: string;
  /** Seconds since the Unix epoch. */
  readonly ApproximateArrivalTimestamp: number;
}

/** What an iterator was asked for. */
export type ReadFrom =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'LATEST' }
  | { readonly type: 'AT_TIMESTAMP'; readonly ms: number }
  | { readonly type: 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string };

/** One page, and the virtual time at which it was asked for and given. */
export interface ReadPage {
  readonly records: readonly ReadRecord[];
  readonly isAtTip: boolean;
  readonly askedAt: number;
  readonly now: number;
}

/**
 * One client that reads a shard, page after page. What was known to stand there before a page was asked for, behind the
 * place that was reached and before the one the page reaches, must be in it, once, whole and in order.
 */
export class Reading {
  readonly #stream: StreamModel;
  readonly #shardId: string;
  readonly #from: ReadFrom;
  /** When the iterator was asked for and given, in virtual ms. */
  readonly #began: { readonly askedAt: number; readonly now: number };
  readonly #found = new Set<Sent>();
  #hasHoles = false;
  #reached = '';
  #arrivedAt = 0;

  constructor(
    stream: StreamModel,
    shardId: string,
    from: ReadFrom,
    began: { readonly askedAt: number; readonly now: number },
  ) {
    this.#stream = stream;
    this.#shardId = shardId;
    this.#from = from;
    this.#began = began;
  }

  /** Takes the next page in. Raises BrokenPromise. */
  takes(page: ReadPage): void {
    const before = this.#reached;
    for (const record of page.records) {
      const sent = this.#takeOne(record, page);
      // Where only the index was damaged the next start made it anew.
      sent.isDamaged = false;
      this.#found.add(sent);
    }
    for (const sent of this.#behind(before)) {
      // What the page goes over stands in front of its last record; at the tip it goes over what was known before.
      const isOver = sequenceNumberOf(sent) <= this.#reached || (page.isAtTip && sent.knownAt <= page.askedAt);
      if (isOver) this.#mustHave(sent, page.now);
    }
  }

  /** Nothing that became known since then stands in front of what was reached and was left out. */
  ends(now: number): void {
    // What nobody knew of was gone over, too.
    if (this.#hasHoles) return;
    for (const sent of this.#stream.inShard(this.#shardId)) {
      if (sequenceNumberOf(sent) <= this.#reached) this.#mustHave(sent, now);
    }
  }

  #mustHave(sent: Sent, now: number): void {
    const isExcused = sent.isDamaged || !this.#mustBegin(sent) || this.#stream.mayBeExpired(sent, now);
    const isFound = this.#found.has(sent) || isExcused;
    promised(isFound, `${sent.text} stands in ${this.#shardId} and was left out by a read from ${this.#from.type}`);
  }

  /** The place that was reached cannot be read: goes over the next record that is known to be there, and gives it. */
  skips(): Sent | undefined {
    const next = this.#behind(this.#reached).find((sent) => this.#mayBegin(sent));
    if (next === undefined) return undefined;
    next.isDamaged = true;
    this.#hasHoles = true;
    this.#reached = sequenceNumberOf(next);
    return next;
  }

  #behind(reached: string): readonly Sent[] {
    return this.#stream.inShard(this.#shardId).filter((sent) => sequenceNumberOf(sent) > reached);
  }

  #takeOne(record: ReadRecord, { askedAt, now }: ReadPage): Sent {
    const { SequenceNumber: sequenceNumber } = record;
    const data = Buffer.from(record.Data, 'base64').toString('latin1');
    const text = textOf(data);
    const sent = this.#stream.get(text);
    promised(sent !== undefined, `nobody sent ${text} to this ${this.#stream.name}, and it stands in it`);
    promised(data === payload(text, sent.bytes), `${text} holds other bytes than were sent`);
    promised(sequenceNumber > this.#reached, `${text} stands at ${sequenceNumber}, read after ${this.#reached}`);
    this.#reached = sequenceNumber;
    this.#stream.stands(sent, { shardId: this.#shardId, sequenceNumber }, now);
    sent.foundAt = now;
    const arrivedAt = Math.round(record.ApproximateArrivalTimestamp * 1000);
    this.#stream.arrived(sent, arrivedAt, now);
    promised(arrivedAt >= this.#arrivedAt, `${text} arrived before what stands in front of it`);
    this.#arrivedAt = arrivedAt;
    promised(this.#stream.mayBeShown(arrivedAt, askedAt, now), `${text} is older than the retention`);
    promised(this.#mayBegin(sent), `${text} was given to a read from ${this.#from.type}`);
    return sent;
  }

  /** Whether a record that is known to stand there is certainly not before the place the reading began at. */
  #mustBegin(sent: Sent): boolean {
    const from = this.#from;
    if (from.type === 'LATEST') return sent.sentAt >= this.#began.now;
    if (from.type === 'AT_TIMESTAMP') return sent.arrivedAt !== undefined && sent.arrivedAt > from.ms;
    return this.#mayBegin(sent);
  }

  /** The place is found once: what comes behind it is given, whatever a clock that was set back shows by then. */
  #cameLater({ knownAt, arrivedAt = Infinity }: Sent): boolean {
    const { askedAt } = this.#began;
    return knownAt > askedAt && this.#stream.mayArriveSince(arrivedAt, askedAt);
  }

  /** Whether it may be given at all. */
  #mayBegin(sent: Sent): boolean {
    const from = this.#from;
    switch (from.type) {
      case 'TRIM_HORIZON':
        return true;
      case 'LATEST':
        return sent.knownAt > this.#began.askedAt;
      case 'AT_TIMESTAMP':
        return (sent.arrivedAt ?? Infinity) + 1 >= from.ms || this.#cameLater(sent);
      case 'AT_SEQUENCE_NUMBER':
        return sequenceNumberOf(sent) >= from.sequenceNumber;
      default:
        return sequenceNumberOf(sent) > from.sequenceNumber;
    }
  }
}
