import { DeliveryError } from '../../kernel/errors.ts';
import type { Batch, OutgoingRecord } from '../../ports/destination.ts';
import { idOf, type RequestPart } from './request-plan.ts';

type Group = readonly OutgoingRecord[];

/** Reads parts of a batch, one after the other in one pass; only a part that lies behind begins another pass. */
export class RecordCursor {
  readonly #batch: Batch;
  readonly #turn: () => Promise<void>;
  #pass: AsyncIterator<Group> | undefined;
  #group: Group = [];
  /** Place of the group's first record. */
  #at = 0;

  /** `turn` lets the loop turn: what is only passed over may come without waiting. */
  constructor(batch: Batch, turn: () => Promise<void>) {
    this.#batch = batch;
    this.#turn = turn;
  }

  /** The records of a part. DeliveryError `HttpEndpoint.RecordsChanged`: the batch does not hold them any more. */
  async *read({ from, to, firstId, lastId }: RequestPart): AsyncGenerator<Group> {
    if (this.#pass === undefined || from < this.#at) await this.#begin();
    for (let at = from; at < to;) {
      while (this.#at + this.#group.length <= at) await this.#next();
      const some = this.#group.slice(at - this.#at, to - this.#at);
      at += some.length;
      check(at - some.length === from, some[0], firstId);
      check(at === to, some.at(-1), lastId);
      yield some;
    }
  }

  async close(): Promise<void> {
    this.#group = [];
    await this.#pass?.return?.();
    this.#pass = undefined;
  }

  async #begin(): Promise<void> {
    await this.close();
    this.#pass = this.#batch.records()[Symbol.asyncIterator]();
    this.#at = 0;
  }

  async #next(): Promise<void> {
    this.#at += this.#group.length;
    await this.#turn();
    const next = await this.#pass?.next();
    if (next === undefined || next.done === true) throw changed();
    this.#group = next.value;
  }
}

/** Retention may take records between two passes, and then others stand at their places. */
function check(isEdge: boolean, record: OutgoingRecord | undefined, id: string): void {
  if (isEdge && (record === undefined || idOf(record) !== id)) throw changed();
}

function changed(): DeliveryError {
  return new DeliveryError('HttpEndpoint.RecordsChanged', 'records were removed while they were sent', true);
}
