import type { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import { EnvironmentError, RequestError } from '../../../kernel/errors.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import type { Arrivals, OpenSource, ResumeToken, SourceStatus } from '../../../ports/source.ts';
import { Unavailable } from '../../../ports/stream-store.ts';
import { DIGEST_WORDS, writeDigest } from '../arrival-headers.ts';
import { DedupeWindow } from '../dedupe-window.ts';
import type { IngestEvents } from '../events.ts';
import { ingestLimits } from '../limits.ts';
import type { Checkpoint, Positions, SourceCounts } from '../model.ts';
import type { EventBatch } from './event-batch.ts';
import { Pending } from './pending.ts';
import { LostSource, PositionLedger } from './position-ledger.ts';
import { recover } from './recover.ts';
import type { Target } from './target.ts';
import type { WorkerDoors } from './worker-doors.ts';

/** What a worker runs. */
export interface WorkerPlan {
  readonly name: string;
  readonly target: Target;
  readonly counts: SourceCounts;
  /** What events wait in. */
  readonly memory: BufferPool;
  /** Opens the source at a place. */
  open(at: ResumeToken | undefined): Promise<OpenSource>;
}

/** Reads one source and stores what comes, one batch after the other; the next one gathers meanwhile. */
export class SourceWorker {
  readonly #plan: WorkerPlan;
  readonly #doors: WorkerDoors;
  readonly #events: IngestEvents;
  readonly #ledger: PositionLedger;
  readonly #window: DedupeWindow;
  readonly #pending: Pending;
  /** Of the event that is looked at. */
  readonly #digest = new Uint32Array(DIGEST_WORDS);
  /** Aborts reading; what was read is still stored. */
  readonly #reading = new AbortController();
  /** Aborts everything. */
  readonly #cutting = new AbortController();
  #source: OpenSource | undefined;
  #problem: string | undefined;
  #batch = 0;
  /** Everything up to here is durable. */
  #token: ResumeToken | undefined;
  #windowStarts: { readonly old: Positions; readonly young: Positions } = { old: {}, young: {} };
  #windowed = 0;
  #lastCheckpointAt = 0;
  #isDirty = false;
  #storing: Promise<void> | undefined;
  #hasRoom: (() => void) | undefined;
  #cancelIdle: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #hasEnded = false;

  constructor(plan: WorkerPlan, doors: WorkerDoors, events: IngestEvents) {
    this.#plan = plan;
    this.#doors = doors;
    this.#events = events;
    this.#ledger = new PositionLedger(plan.name, doors.catalog);
    this.#window = new DedupeWindow(ingestLimits.windowIds, doors.environment.random.bytes(8));
    this.#pending = new Pending(plan.memory, plan.target.form);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Reads no more, and stores what was read within `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    this.#reading.abort();
    const cancel = this.#doors.environment.clock.timer(withinMs, () => this.#cutting.abort());
    await this.#running;
    cancel();
  }

  async stop(): Promise<void> {
    this.#reading.abort();
    this.#cutting.abort();
    await this.#running;
  }

  status(): SourceStatus | undefined {
    return this.#source?.status();
  }

  /** It reads no more, of itself. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** It ended by a problem that only a change takes away. */
  get isBroken(): boolean {
    return this.#problem !== undefined;
  }

  /** What keeps it from working, for people. */
  problem(): string | undefined {
    const status = this.#source?.status();
    const isOut = status?.failure !== undefined && status.failures >= ingestLimits.unhealthyFailures;
    return this.#problem ?? this.#plan.target.problem() ?? (isOut ? status.failure : undefined);
  }

  async #run(): Promise<void> {
    try {
      await this.#begin();
      if (this.#source === undefined) return;
      for await (const arrivals of this.#source.arrivals(this.#reading.signal)) {
        await this.#accept(arrivals);
        this.#store();
        if (this.#pending.isFull) await this.#room();
      }
      while (this.#storing !== undefined) await this.#storing;
      await this.#checkpoint();
    } catch (error) {
      this.#end(error);
    } finally {
      this.#cancelIdle?.();
      this.#hasEnded = true;
    }
  }

  async #begin(): Promise<void> {
    const { records, environment } = this.#doors;
    const { name, target } = this.#plan;
    const startedAt = environment.clock.monotonic();
    const checkpoint = await this.#insist(async () => await this.#firstCheckpoint());
    if (checkpoint === undefined) return;
    const found = await this.#insist(
      async () => await recover(name, checkpoint, records, this.#window, this.#cutting.signal),
    );
    if (found === undefined) return;
    this.#token = found.token;
    this.#batch = found.batch;
    const isSameStream = checkpoint.stream === target.stream;
    const young = isSameStream ? checkpoint.positions : target.positions();
    this.#windowStarts = { old: isSameStream ? checkpoint.window : young, young };
    // What was found behind the checkpoint must not have to be found again.
    this.#isDirty = !isSameStream || found.batch > checkpoint.batch;
    this.#source = await this.#plan.open(found.token);
    this.#events.resumed(found.token !== undefined, found.records, startedAt);
    await this.#checkpoint();
    this.#checkpointAfter(ingestLimits.idleCheckpointMs);
  }

  /** Before the first record is written the catalog says where it will stand. */
  async #firstCheckpoint(): Promise<Checkpoint> {
    if (!this.#ledger.isEmpty) return this.#ledger.checkpoint;
    const { target } = this.#plan;
    const positions = target.positions();
    const { stream } = target;
    await this.#ledger.write({ ...(stream !== undefined && { stream }), batch: 0, positions, window: positions });
    return this.#ledger.checkpoint;
  }

  /** Repeats what the log may refuse for a while; undefined: it is to end. */
  async #insist<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.#reading.signal.aborted) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.#events.positionFailed(nameOf(error));
        await this.#doors.environment.clock.sleep(ingestLimits.storeWaitMaxMs, this.#reading.signal);
      }
    }
    return undefined;
  }

  /** Packs what is new; many small events are no work for one turn of the loop. */
  async #accept({ events, token, connection }: Arrivals): Promise<void> {
    let repeated = 0;
    for (const [index, arrival] of events.entries()) {
      if (index % ingestLimits.turnRecords === ingestLimits.turnRecords - 1) {
        await nextTurn(this.#doors.environment.clock);
      }
      const isKnown = writeDigest(arrival, this.#digest);
      if (isKnown && !this.#window.take(this.#digest, connection, arrival.key !== undefined)) repeated += 1;
      else this.#pending.add(arrival.data, isKnown ? this.#digest : undefined);
    }
    this.#plan.counts.received += events.length;
    this.#plan.counts.repeated += repeated;
    this.#events.received(events.length, repeated);
    this.#pending.end(token);
    this.#events.held(this.#pending.bytes, this.#window.size);
  }

  #store(): void {
    if (this.#storing !== undefined) return;
    this.#cancelIdle?.();
    this.#storing = this.#settled(this.#storeAll());
  }

  /** Of all that writes, one thing at a time; what came in its last moments is not forgotten. */
  async #settled(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#end(error);
    }
    this.#storing = undefined;
    this.#freeRoom();
    if (!this.#pending.isEmpty && !this.#cutting.signal.aborted) this.#store();
  }

  async #storeAll(): Promise<void> {
    while (!this.#pending.isEmpty && !this.#cutting.signal.aborted) {
      const { events, token } = this.#pending.take();
      this.#freeRoom();
      if (events.count > 0 && !(await this.#storeBatch(events))) return;
      events.release();
      this.#token = token;
      this.#isDirty = true;
      this.#source?.acknowledge(token);
      if (this.#plan.target.needsPosition || this.#isCheckpointDue()) await this.#checkpoint();
    }
    this.#checkpointAfter(ingestLimits.idleCheckpointMs);
  }

  async #storeBatch(events: EventBatch): Promise<boolean> {
    const token = this.#token;
    const mark = { batch: this.#batch + 1, ...(token !== undefined && { token }) };
    if (!(await this.#plan.target.take(events, mark, this.#cutting.signal))) return false;
    this.#batch = mark.batch;
    this.#windowed += events.count;
    return true;
  }

  async #room(): Promise<void> {
    if (this.#storing === undefined) return;
    await new Promise<void>((resolve) => {
      this.#hasRoom = resolve;
    });
  }

  #freeRoom(): void {
    if (this.#storing !== undefined && this.#pending.isFull) return;
    this.#hasRoom?.();
    this.#hasRoom = undefined;
  }

  #isCheckpointDue(): boolean {
    return this.#doors.environment.clock.monotonic() - this.#lastCheckpointAt >= ingestLimits.checkpointMs;
  }

  #checkpointAfter(ms: number): void {
    this.#cancelIdle?.();
    this.#cancelIdle = this.#doors.environment.clock.timer(ms, () => {
      if (this.#storing !== undefined) return;
      if (this.#strangers() > ingestLimits.strangersMax) this.#isDirty = true;
      this.#storing = this.#settled(this.#checkpoint());
      this.#checkpointAfter(ingestLimits.strangersLookMs);
    });
  }

  /** Records that others wrote behind the position, which a start would have to look at. */
  #strangers(): bigint {
    const { positions: before } = this.#ledger.checkpoint;
    const now = Object.entries(this.#plan.target.positions());
    return now.reduce((sum, [shard, end]) => sum + BigInt(end) - BigInt(before[shard] ?? '0'), 0n);
  }

  /** Only while no append of this source is under way: everything up to the token stands before these positions. */
  async #checkpoint(): Promise<void> {
    if (!this.#isDirty) return;
    const { target } = this.#plan;
    const positions = target.positions();
    if (this.#windowed >= ingestLimits.windowIds) {
      this.#windowStarts = { old: this.#windowStarts.young, young: positions };
      this.#windowed = 0;
    }
    const { stream } = target;
    const token = this.#token;
    this.#lastCheckpointAt = this.#doors.environment.clock.monotonic();
    try {
      await this.#ledger.write({
        ...(stream !== undefined && { stream }),
        ...(token !== undefined && { token }),
        batch: this.#batch,
        positions,
        window: this.#windowStarts.old,
      });
      this.#isDirty = false;
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#events.positionFailed(nameOf(error));
    }
  }

  #end(error: unknown): void {
    this.#reading.abort();
    this.#cutting.abort();
    if (error instanceof LostSource) {
      this.#problem = 'somebody else runs this source now';
      this.#events.fenced();
    } else if (error instanceof RequestError) this.#problem = error.message;
    else {
      this.#problem = 'ended by a bug; its position is kept';
      this.#events.bug(error);
    }
  }
}

/** The log refuses for a while; the same may work later. */
function isPassing(error: unknown): boolean {
  return error instanceof Unavailable || error instanceof EnvironmentError;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
