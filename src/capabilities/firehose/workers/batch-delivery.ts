import { DeliveryError } from '../../../kernel/errors.ts';
import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { KeptMessages } from '../../../kernel/flow/kept-messages.ts';
import { isUnanswered, type Delivered, type FailurePath, type OutgoingRecord } from '../../../ports/destination.ts';
import { mayPass } from '../../../ports/records.ts';
import type { Failure } from '../error-lines.ts';
import { firehoseLimits } from '../limits.ts';
import type { DeliveryStream, Gap, Intent, LossCause, Outcome, Range, Target } from '../model.ts';
import type { PlacedRecord } from '../outgoing.ts';
import { batchOf, destinationOf, errorTarget, failuresOf, openTarget } from '../targets.ts';
import { Arrivals, type Arrival } from './arrivals.ts';
import { attemptBytes } from './attempt-bytes.ts';
import { BatchRecords, countGone, isDeliverable, type BatchSource } from './batch-records.ts';
import type { DeliveryNotes } from './delivery-notes.ts';
import { ErrorOutput } from './error-output.ts';
import { FailedRecords } from './failed-records.ts';
import { PlacedFailures } from './placed-failures.ts';
import type { WorkerDoors } from './worker.ts';

/** What a batch is delivered with. */
export interface BatchDoors extends Omit<WorkerDoors, 'eventBytes' | 'functions'> {
  readonly notes: DeliveryNotes;
  readonly source: BatchSource;
  /** As it is now. */
  readonly delivery: () => DeliveryStream;
  /** No attempt is to be begun any more, but a first one. */
  readonly stopped: AbortSignal;
  /** What is under way is to end. */
  readonly cut: AbortSignal;
  /** The batch was found under way at a start: an attempt may have been made of which nobody knows. */
  readonly isRepeated: boolean;
  /** Who asked for it is told of what cannot be got over, where there is no error output: it is not waited for. */
  readonly isReplay?: true;
  /** So many records in all are sent again, or about to be, that may have arrived; resolves once that is kept. */
  readonly repeats: (records: number) => Promise<void>;
  /** An attempt ended, one way or the other. */
  readonly attempted: () => void;
  /** So many records of the batch are gone. */
  readonly lost: (records: number, cause: LossCause) => void;
}

/** What came of a batch, with all that its history keeps. */
export interface BatchOutcome extends Outcome {
  readonly attempts: number;
  /** Records that were sent again since the node began with the batch, while the attempt before may have arrived. */
  readonly duplicates: number;
  /** Where a person finds the lines about what failed, and about what was gone. */
  readonly failedAt?: string;
  readonly unprocessedAt?: string;
  readonly lostAt?: string;
  /**
   * The stored records that the destination did not take, whole or in part, and those that could not be processed; of
   * more stretches than are remembered, one more.
   */
  readonly failedRanges: readonly Range[];
  readonly unprocessedRanges: readonly Range[];
  /** What was gone. */
  readonly gaps: readonly Gap[];
  /** What of the source a function made into nothing, between what it made something of. */
  readonly droppedRanges: readonly Range[];
  /** Of each place where records arrived at several. */
  readonly arrivals: readonly Arrival[];
}

/** `plan again`: it goes by other options; undefined: it is not over. */
type Came = BatchOutcome | 'plan again' | undefined;

/** Records that are to be attempted, with why the attempt before did not do; undefined: all of the batch. */
type Pending = PlacedFailures | undefined;

/**
 * Attempts one batch until each of its records has arrived, or a line about it stands in the error output. Where both
 * fail, it tries the one and the other until one works.
 */
export class BatchDelivery {
  readonly #doors: BatchDoors;
  readonly #intent: Intent;
  readonly #records: BatchRecords;
  #pending: Pending;
  /** Why the latest attempt failed as a whole. */
  #whole: Failure | undefined;
  readonly #givenUp = new PlacedFailures();
  /** Why records were given up, over all attempts. */
  readonly #lastWords = new KeptMessages(firehoseLimits.keptMessageCharactersMax);
  /** Places of the records that the attempt was given, in its order; and as far as a pass has come that goes on. */
  #given: number[] = [];
  #giving: readonly number[] = [];
  /** Places of records with which requests began that failed. */
  readonly #starts = new Set<number>();
  #givenCount = 0;
  #attempts = 0;
  #waitedMs = 0;
  #isGivenUp = false;
  /** Of the latest attempt: all of it, or so many of the records that are to be attempted again. */
  #mayHaveArrived: boolean;
  #unanswered = 0;
  #arrived = 0;
  #duplicates = 0;
  #place: string | undefined;
  readonly #arrivals = new Arrivals();

  constructor(intent: Intent, doors: BatchDoors) {
    this.#intent = intent;
    this.#doors = doors;
    this.#records = new BatchRecords(intent, doors.source, doors);
    this.#mayHaveArrived = doors.isRepeated;
  }

  /** Resolves with what came of it; undefined: it was stopped. */
  async run(): Promise<Came> {
    const { notes, environment, stopped, cut, memory } = this.#doors;
    for (notes.attempts = 0; !stopped.aborted || notes.attempts === 0;) {
      const ends = notes.attempts === 0 ? cut : stopped;
      const round = async (): Promise<{ readonly came: Came }> => ({ came: await this.#round() });
      const made = await memory.forAttempt(this.#holdsBytes(), ends, round);
      if (made === undefined) return undefined;
      if (made.came !== undefined) return made.came;
      const ms = this.#backoffMs();
      this.#waitedMs += ms;
      notes.waitsFor(ms);
      await environment.clock.sleep(ms, stopped);
    }
    return undefined;
  }

  /** What a round holds at most. */
  #holdsBytes(): number {
    const { groupBytes, isProcessed: hasLines } = this.#records;
    return attemptBytes(this.#doors, this.#intent, { target: this.#target(), groupBytes, hasLines });
  }

  /** One attempt with the destination, and with the error output where that is due. */
  async #round(): Promise<Came> {
    if (await this.#isDone()) return await this.#finish();
    if (!(await this.#countRepeat())) return undefined;
    const error = await this.#attempt();
    if (error !== undefined && !error.retryable) {
      if (this.#isPlannedByOldOptions()) return 'plan again';
      this.#isGivenUp = this.#failures() !== undefined;
      if (!this.#isGivenUp && this.#doors.isReplay === true) throw error;
    }
    const { retryMs = Infinity } = this.#failures() ?? {};
    const isOver = (this.#pending?.size === 0 && this.#whole === undefined) || this.#isGivenUp;
    if (isOver || this.#waitedMs >= retryMs) return await this.#finish();
    return undefined;
  }

  /** Where all of it is gone, or was given up before, there is nothing to attempt. */
  async #isDone(): Promise<boolean> {
    return this.#pending?.size === 0 || !(await this.#records.hasAny());
  }

  async #attempt(): Promise<DeliveryError | undefined> {
    const { notes, environment } = this.#doors;
    const { clock } = environment;
    const [at, startedAt] = [clock.now(), clock.monotonic()];
    this.#attempts += 1;
    try {
      const delivered = await this.#deliver();
      this.#checkAllTaken(delivered);
      this.#take(delivered);
      const { refused = [], status } = delivered;
      const records = this.#givenCount - refused.length;
      notes.attempted({ at, ms: clock.monotonic() - startedAt, status, records, refused });
      return undefined;
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      const { code, message } = error;
      this.#mayHaveArrived = isUnanswered(error.cause) || this.#doors.cut.aborted;
      this.#whole = { code, message, attempts: this.#attempts, at: clock.now() };
      notes.attempted({ at, ms: clock.monotonic() - startedAt, error, mayHaveArrived: this.#mayHaveArrived });
      notes.failed(error);
      return error;
    } finally {
      [this.#given, this.#giving] = [[], []];
      this.#doors.attempted();
    }
  }

  /** Without an error output there is no other place for what a destination refuses: all of it is attempted again. */
  #checkAllTaken({ refused: [first] = [] }: Delivered): void {
    if (first === undefined || this.#failures() !== undefined) return;
    throw new DeliveryError(first.code, first.message, true);
  }

  async #deliver(): Promise<Delivered> {
    const { identity, cut } = this.#doors;
    const open = openTarget(this.#doors, this.#target(), this.#doors.delivery().settings);
    try {
      const isPart = this.#arrived + this.#givenUp.size > 0;
      const told = { ...batchOf(this.#doors.delivery(), identity, this.#intent), ...(isPart && { isPart }) };
      const startsRequest = (index: number): boolean => this.#starts.has(this.#giving[index] ?? -1);
      const batch = { ...told, ...(this.#starts.size > 0 && { startsRequest }), records: () => this.#give() };
      return await open.deliver(batch, this.#intent.place, cut);
    } finally {
      await open.close();
    }
  }

  /** The records to be attempted, counted from 0. */
  async *#give(): AsyncGenerator<readonly OutgoingRecord[]> {
    const isNoted = this.#failures() !== undefined;
    const pending = this.#pending;
    const given: number[] = [];
    this.#giving = given;
    let [count, isAnyThere] = [0, false];
    for await (const some of this.#records.pass()) {
      const there = some.filter(isDeliverable);
      isAnyThere ||= there.length > 0;
      const wanted = pending === undefined ? there : there.filter(({ index }) => pending.has(index));
      for (const record of wanted) {
        if (isNoted) given.push(record.index);
        record.index = count++;
      }
      if (wanted.length > 0) yield wanted;
    }
    // A destination may read in several passes, and leave one early: what a whole one gave is what it speaks of.
    this.#given = given;
    this.#givenCount = count;
    this.#noteLoss();
    // They were there when it was looked for them: an object, or a request, without any would tell nothing.
    if (!isAnyThere) throw new DeliveryError('RecordsGone', 'records went meanwhile', true);
  }

  #take(delivered: Delivered): void {
    const { place, refused = [], requestStarts = [] } = delivered;
    for (const index of requestStarts) this.#starts.add(this.#given[index] ?? -1);
    const at = this.#doors.environment.clock.now();
    const [pending, givenUp] = [new PlacedFailures(), new PlacedFailures()];
    // What the attempt before said of them is over, and what of it was kept.
    const words = new KeptMessages(firehoseLimits.keptMessageCharactersMax);
    this.#pending = pending;
    this.#unanswered = 0;
    let last: Failure | undefined;
    for (const one of refused) {
      const message = (one.retryable ? words : this.#lastWords).of(one.code, one.message);
      // Mostly many fail for one reason.
      const isSame = last?.code === one.code && last.message === message;
      const failure: Failure = isSame ? (last as Failure) : { code: one.code, message, attempts: this.#attempts, at };
      last = failure;
      const known = this.#given[one.index];
      if (known === undefined) continue;
      if (one.retryable && one.mayHaveArrived === true) this.#unanswered += 1;
      (one.retryable ? pending : givenUp).add(known, failure);
    }
    this.#givenUp.merge(givenUp);
    this.#arrived += this.#givenCount - refused.length;
    if (this.#givenCount > refused.length) this.#place = place;
    this.#arrivals.add(delivered, this.#given);
    this.#whole = undefined;
    this.#mayHaveArrived = false;
    const [first] = refused;
    if (first !== undefined) this.#doors.notes.refused(refused.length, first);
  }

  /** Writes about what failed and what is gone; undefined: that failed. */
  async #finish(): Promise<BatchOutcome | undefined> {
    const { notes, cut, delivery } = this.#doors;
    const target = errorTarget(this.#doors.destinations, this.#target());
    this.#noteLoss();
    // Nothing is given up where there is no error output; what is gone is told in the log and by health.
    if (target === undefined) return await this.#outcome(NONE_FAILED, NONE_FAILED, undefined);
    const output = new ErrorOutput(this.#doors, { delivery: delivery(), intent: this.#intent, target, cut });
    try {
      const failed = await this.#writeFailed(output);
      const unprocessed = await this.#writeUnprocessed(output);
      const { gaps } = this.#records;
      const gone = gaps.length === 0 ? undefined : await output.writeGone(gaps);
      return await this.#outcome(failed, unprocessed, gone);
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      notes.failed(error);
      return undefined;
    }
  }

  async #writeFailed(output: ErrorOutput): Promise<FailedOutput> {
    const path = this.#failures();
    if (path === undefined) return NONE_FAILED;
    const [pending, whole] = [this.#pending, this.#whole];
    const isAll = pending === undefined && whole !== undefined;
    if (!isAll && this.#givenUp.size === 0 && (pending?.size ?? 0) === 0) return NONE_FAILED;
    const failureOf = (record: PlacedRecord): Failure | undefined => {
      // What could not be processed was not given to the destination: it has lines of its own, as has what is gone.
      if (!isDeliverable(record)) return undefined;
      const { index: place } = record;
      return (
        this.#givenUp.get(place) ?? (isAll ? whole : pending?.has(place) ? (whole ?? pending.get(place)) : undefined)
      );
    };
    // Retention may have taken them since: an object without lines would tell nothing.
    if (!(await this.#records.some((record) => failureOf(record) !== undefined))) return NONE_FAILED;
    const failed = new FailedRecords();
    const failure = (record: PlacedRecord): Failure | undefined => {
      const found = failureOf(record);
      if (found !== undefined) failed.add(record, this.#isStored);
      return found;
    };
    const { place } = await output.writeFailed(this.#records, path, failure);
    return { failed, place };
  }

  /** What a function could not process goes the same way, whatever became of the rest. */
  async #writeUnprocessed(output: ErrorOutput): Promise<FailedOutput> {
    if (this.#records.unprocessed === 0) return NONE_FAILED;
    const failed = new FailedRecords();
    const { place } = await output.writeUnprocessed(this.#records, (record) => failed.add(record, this.#isStored));
    return { failed, place };
  }

  async #outcome(failed: FailedOutput, unprocessed: FailedOutput, gone: Delivered | undefined): Promise<BatchOutcome> {
    const { place: failedAt } = failed;
    const { origins, gaps, dropped } = this.#records;
    return {
      place: this.#place,
      records: this.#arrived,
      failed: failed.failed.count + unprocessed.failed.count,
      lost: countGone(gaps),
      duplicates: this.#duplicates,
      arrivals: await this.#arrivals.of(this.#intent, this.#records),
      attempts: this.#attempts,
      ...(failedAt !== undefined && { failedAt }),
      ...(unprocessed.place !== undefined && { unprocessedAt: unprocessed.place }),
      ...(gone !== undefined && { lostAt: gone.place }),
      ...(origins !== undefined && { origins }),
      failedRanges: failed.failed.ranges,
      unprocessedRanges: unprocessed.failed.ranges,
      gaps,
      droppedRanges: origins === undefined ? [] : dropped,
    };
  }

  /** Whether its records stand in a stream: those of a replay can stand in an object. */
  get #isStored(): boolean {
    return this.#intent.ranges.length > 0;
  }

  /** A repeated attempt sends records again that may have arrived; false: that cannot be kept, so none may be made. */
  async #countRepeat(): Promise<boolean> {
    const { notes } = this.#doors;
    const target = this.#target();
    const destination = destinationOf(this.#doors.destinations, target);
    const { recordCount, leavingCount = recordCount } = this.#intent;
    const records = this.#mayHaveArrived ? (this.#pending?.size ?? leavingCount) : this.#unanswered;
    if (records > 0 && destination.overwrites?.(target.options as never) !== true) {
      try {
        await this.#doors.repeats(this.#duplicates + records);
      } catch (error) {
        // What is known of the batch is kept: begun anew, it would send all of it again.
        if (!mayPass(error)) throw error;
        notes.failed(error);
        return false;
      }
      this.#duplicates += records;
      notes.repeated(records);
    }
    this.#unanswered = 0;
    return true;
  }

  #noteLoss(): void {
    this.#doors.lost(this.#records.missing, this.#records.cause);
  }

  /** What cannot arrive as it was planned, and left nothing behind, goes by the options as they are now. */
  #isPlannedByOldOptions(): boolean {
    const isNewest = this.#target() === this.#doors.delivery().target;
    return !isNewest && this.#doors.delivery().version !== this.#intent.version && this.#arrived === 0;
  }

  #target(): Target {
    const { target } = this.#doors.delivery();
    const isSame = target.kind === this.#intent.target.kind;
    return isSame && destinationOf(this.#doors.destinations, target).usesNewestOptions === true
      ? target
      : this.#intent.target;
  }

  #failures(): FailurePath | undefined {
    return failuresOf(this.#doors.destinations, this.#target());
  }

  /** Never beyond the end of the time there is for retries. */
  #backoffMs(): number {
    const { backoffBaseMs: baseMs, backoffMaxMs: maxMs } = firehoseLimits;
    const { backoff = { baseMs, maxMs }, retryMs = Infinity } = this.#failures() ?? {};
    const { notes, environment } = this.#doors;
    const ms = backoffMs(notes.attempts, backoff, environment.random.fraction());
    const leftMs = retryMs - this.#waitedMs;
    return leftMs > 0 ? Math.min(ms, leftMs) : ms;
  }
}

interface FailedOutput {
  readonly failed: Pick<FailedRecords, 'count' | 'ranges'>;
  /** Where a person finds the lines about them. */
  readonly place?: string;
}

const NONE_FAILED: FailedOutput = { failed: new FailedRecords() };
