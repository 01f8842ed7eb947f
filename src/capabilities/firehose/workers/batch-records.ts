import type { StreamInfo } from '../../../ports/records.ts';
import { type Gap, type Intent, type LossCause } from '../model.ts';
import { isFirstOfStored, outgoingRecords, type PlacedRecord } from '../outgoing.ts';
import type { WorkerDoors } from './worker.ts';

/** The stream that a batch is read from. */
export interface BatchSource {
  /** Name of the stream. */
  readonly stream: string;
  /** Whether producers may have packed several records into one: only those of a stream do. */
  readonly unpack: boolean;
}

/** The records of one intent, read anew from the log by each pass, and what of them is gone. */
export class BatchRecords {
  readonly #doors: Pick<WorkerDoors, 'records' | 'environment'>;
  readonly #intent: Intent;
  readonly #source: BatchSource;
  #gaps: readonly Gap[] = [];
  #missing = 0;

  constructor(intent: Intent, source: BatchSource, doors: Pick<WorkerDoors, 'records' | 'environment'>) {
    this.#intent = intent;
    this.#source = source;
    this.#doors = doors;
  }

  /** What the latest whole pass did not find. */
  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** How many records of the plan the latest whole pass did not find. */
  get missing(): number {
    return this.#missing;
  }

  /** Why, as far as one word can say it. */
  get cause(): LossCause {
    return this.#gaps.find(({ cause }) => cause !== 'RetentionExceeded')?.cause ?? 'RetentionExceeded';
  }

  /** One pass. */
  async *pass(): AsyncGenerator<readonly PlacedRecord[]> {
    const { environment, records } = this.#doors;
    const gaps: Gap[] = [];
    const gone = (gap: Gap): void => void gaps.push(gap);
    const turn = async (): Promise<void> => await new Promise((resolve) => environment.clock.soon(resolve));
    const { stream, unpack } = this.#source;
    let stored = 0;
    for await (const some of outgoingRecords(records, this.#stream(stream), this.#intent, { unpack, gone, turn })) {
      for (const record of some) if (isFirstOfStored(record)) stored += 1;
      yield some;
    }
    this.#gaps = gaps;
    this.#missing = Math.max(0, this.#intent.recordCount - stored);
  }

  /** Whether there is anything left to deliver. */
  async hasAny(): Promise<boolean> {
    for await (const some of this.pass()) if (some.length > 0) return true;
    return false;
  }

  #stream(name: string): StreamInfo | undefined {
    return this.#doors.records.describe(name);
  }
}

/** Numbers of records that these gaps hold. */
export function countGone(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, { from, to }) => sum + Number(to - from), 0);
}
