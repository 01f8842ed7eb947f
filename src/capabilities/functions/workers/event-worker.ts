import { RequestError, ThrottleError, messageOf } from '../../../kernel/errors.ts';
import { backoffMs } from '../../../kernel/flow/backoff.ts';
import { functionArn, isInternal } from '../../../kernel/names.ts';
import type { Catalog } from '../../../ports/catalog.ts';
import type { Invocation } from '../../../ports/functions.ts';
import { isStored, mayPass } from '../../../ports/records.ts';
import { Unavailable, type StoredRecord } from '../../../ports/stream-store.ts';
import { DoneAtStop } from '../done-at-stop.ts';
import { EventPositions } from '../event-positions.ts';
import { functionsEvents } from '../events.ts';
import { failureRecord, type FailedEvent } from '../failure-record.ts';
import { functionsLimits as limits } from '../limits.ts';
import {
  INVOCATIONS_STREAM,
  pendingFromHeaders,
  type EventRules,
  type FunctionsState,
  type PendingEvent,
} from '../model.ts';
import { EventLane, type LossCause } from './event-lane.ts';

type Failure = Invocation['failure'];

/** How a try ended that did not succeed. */
interface Failed {
  readonly failure: Failure;
  readonly payload: Uint8Array | undefined;
}

/**
 * Runs the events that nobody waits for: each at least once, again after it failed, at last to the stream for failures.
 * An event leaves its shard only after what came of it is durable; a crash repeats the others.
 */
export class EventWorker {
  readonly #state: FunctionsState;
  readonly #positions: EventPositions;
  readonly #doneAtStop: DoneAtStop;
  readonly #stop = new AbortController();
  /** One signal for each sleeper: the platform warns of one that many wait for. */
  readonly #sleepers = new Set<AbortController>();
  #lanes: readonly EventLane[] = [];
  #failure: string | undefined;
  #lost = 0;
  #reading: Promise<unknown> | undefined;

  constructor(state: FunctionsState, catalog: Catalog) {
    this.#state = state;
    this.#positions = new EventPositions(state, catalog, (error) => this.#note(error));
    this.#doneAtStop = new DoneAtStop(catalog, (error) => this.#note(error));
  }

  /** Begins once there is a stream of events; a second call changes nothing. */
  start(): void {
    const { records, environment } = this.#state;
    const stream = records.describe(INVOCATIONS_STREAM);
    if (this.#reading !== undefined || stream === undefined) return;
    this.#lanes = stream.shards.map((shard) => {
      const from = this.#positions.of(shard);
      const serve = async (record: StoredRecord): Promise<boolean> => await this.#serve(record);
      const moved = (): void => {
        this.#positions.moved(shard, lane.position);
        environment.meter.gauge(functionsEvents.eventsWaiting, {}, this.#waiting);
      };
      const lost = this.#gone.bind(this);
      const parts = { records, environment, stream, shard, serve, lost, moved, stopped: this.#stop.signal };
      const lane: EventLane = new EventLane(parts, from, this.#doneAtStop.of(shard));
      return lane;
    });
    this.#reading = Promise.all(this.#lanes.map(async (lane) => await this.#read(lane)));
  }

  /** Events that are not done. */
  get #waiting(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  }

  /** For `/admin/functions`; `lost`: since the start. */
  describe(): object {
    return { waiting: this.#waiting, lost: this.#lost };
  }

  problems(): string[] {
    return this.#failure === undefined ? [] : [`events of functions: ${this.#failure}`];
  }

  /** Waits for the runs under way; what waits for its time stays in the log. */
  async drain(withinMs: number): Promise<void> {
    this.#stop.abort();
    for (const sleeper of this.#sleepers) sleeper.abort();
    for (const lane of this.#lanes) lane.wake();
    if (this.#reading === undefined) return;
    await this.#reading;
    const ended = new AbortController();
    const settled = Promise.all(this.#lanes.map(async (lane) => await lane.settle()));
    await Promise.race([settled, this.#state.environment.clock.sleep(withinMs, ended.signal)]);
    ended.abort();
    await this.#positions.store();
    await this.#doneAtStop.store(this.#lanes.map((lane) => [lane.shard, lane.done(limits.openNamedMax)]));
  }

  async stop(): Promise<void> {
    await this.drain(0);
  }

  async #read(lane: EventLane): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await lane.run();
      } catch (error) {
        this.#note(error);
        await this.#sleep(limits.idleMs);
      }
    }
  }

  /** Whether the event is done for good: only then it leaves its shard. Never rejects. */
  async #serve(record: StoredRecord): Promise<boolean> {
    const pending = this.#pendingOf(record);
    if (pending === undefined) return true;
    try {
      return await this.#serveEvent(pending, Buffer.from(record.data));
    } catch (error) {
      // One that cannot be dealt with must keep no other from its turn, nor the node from starting.
      this.#note(error);
      return this.#stop.signal.aborted ? false : this.#dropped(pending, 'Defect', undefined, shortMessageOf(error));
    }
  }

  /** Undefined: there is nothing that could be run. */
  #pendingOf({ key, headers }: StoredRecord): PendingEvent | undefined {
    try {
      return pendingFromHeaders(headers);
    } catch {
      this.#gone(1, 'LogDamaged', Buffer.from(key).toString());
      return undefined;
    }
  }

  async #serveEvent(pending: PendingEvent, event: Uint8Array): Promise<boolean> {
    const { clock } = this.#state.environment;
    const waitMs = pending.dueAt - clock.now();
    // A clock that was set back must not make it longer.
    if (waitMs > 0) await this.#sleep(Math.min(waitMs, HOUR_MS));
    const failed = this.#isTooOld(pending) ? UNTRIED : await this.#try(pending, event);
    if (failed === 'stopped') return false;
    if (failed === 'absent') return await this.#putAside(pending, event);
    return failed === undefined || (await this.#afterFailure(pending, event, failed));
  }

  /**
   * Undefined: it succeeded. While all processes are busy, or the function is not there, it waits as long as an event
   * may be old.
   */
  async #try(pending: PendingEvent, event: Uint8Array): Promise<Failed | 'stopped' | 'absent' | undefined> {
    const { functions, environment } = this.#state;
    const { requestId } = pending;
    for (let busy = 1; !this.#stop.signal.aborted; busy += 1) {
      if (!functions.has(pending.function)) {
        return this.#isTooOld(pending) ? UNTRIED : 'absent';
      }
      try {
        const { failure, payload } = await functions.invoke(pending.function, event, { requestId, isChecked: true });
        if (failure === undefined) return undefined;
        // A node that stops may be why it failed: the next start tries it again, and this try does not count.
        return this.#stop.signal.aborted ? 'stopped' : { failure, payload };
      } catch (error) {
        if (this.#stop.signal.aborted) return 'stopped';
        if (error instanceof RequestError) {
          return { failure: { type: error.code, message: error.message }, payload: undefined };
        }
        if (!(error instanceof ThrottleError)) this.#note(error);
        if (this.#isTooOld(pending)) return UNTRIED;
        const { backoffBaseMs: baseMs, backoffMaxMs: maxMs } = limits;
        const waitMs = backoffMs(busy, { baseMs, maxMs }, environment.random.fraction());
        await this.#sleep(waitMs);
      }
    }
    return 'stopped';
  }

  /** It makes room for others, and looks for its function again after a while: nothing was tried. */
  async #putAside(pending: PendingEvent, event: Uint8Array): Promise<boolean> {
    const { events, environment } = this.#state;
    const later = { ...pending, dueAt: environment.clock.now() + limits.absentMs };
    return await this.#untilStored(async () => await events.putAside(later, event));
  }

  /** The next try, or the record of its failure, is durable before the event is done. */
  async #afterFailure(pending: PendingEvent, event: Uint8Array, { failure, payload }: Failed): Promise<boolean> {
    const { events, environment, identity } = this.#state;
    const now = environment.clock.now();
    const { retries = limits.retries, retryAfterSeconds = limits.retryAfterSeconds } = this.#rulesOf(pending);
    const isTooOld = this.#isTooOld(pending);
    if (!isTooOld && pending.attempt <= retries) {
      const seconds = retryAfterSeconds[pending.attempt - 1] ?? retryAfterSeconds.at(-1) ?? 0;
      const next = { ...pending, attempt: pending.attempt + 1, dueAt: now + seconds * 1000 };
      environment.meter.count(functionsEvents.eventsRetried, { function: pending.function });
      return await this.#untilStored(async () => await events.add(next, event));
    }
    const condition = isTooOld ? 'EventAgeExceeded' : 'RetriesExhausted';
    const arn = functionArn(identity.region, identity.account, pending.function);
    return await this.#giveUp({ pending, condition, arn, failure, event, payload, now });
  }

  #isTooOld(pending: PendingEvent): boolean {
    const { maximumEventAgeSeconds = limits.eventAgeSeconds } = this.#rulesOf(pending);
    return this.#state.environment.clock.now() - pending.acceptedAt > maximumEventAgeSeconds * 1000;
  }

  #rulesOf(pending: PendingEvent): EventRules {
    return pending.rules ?? this.#state.functions.get(pending.function)?.options ?? {};
  }

  async #giveUp(failed: FailedEvent): Promise<boolean> {
    const { records, environment } = this.#state;
    const { pending, condition, failure } = failed;
    const stream = this.#rulesOf(pending).onFailure;
    const dropped = (reason: string): true => this.#dropped(pending, condition, failure, reason);
    if (stream === undefined) return dropped('it has no onFailure');
    // Of one that an earlier build accepted.
    if (isInternal(stream)) return dropped(`${stream} is a stream of millrace itself`);
    const max = records.describe(stream)?.maxRecordBytes ?? 0;
    if (max === 0) return dropped(`there is no stream ${stream}`);
    const data = await failureRecord(failed, environment.clock);
    if (data.length + pending.requestId.length > max) return dropped(`its record is larger than ${stream} takes`);
    let isThere = true;
    const isKept = await this.#untilStored(async () => {
      // It may be deleted while this is tried again and again.
      isThere = records.describe(stream) !== undefined;
      if (!isThere) return;
      const [result] = await records.append(stream, [{ partitionKey: pending.requestId, data }]);
      if (result === undefined || !isStored(result)) throw new Unavailable('the failure was not stored');
    });
    if (!isThere) return dropped(`there is no stream ${stream}`);
    if (isKept) environment.meter.count(functionsEvents.eventsFailed, { function: pending.function });
    return isKept;
  }

  /** Nothing is left of it but a line in the log. */
  #dropped({ function: name, requestId }: PendingEvent, condition: string, failure: Failure, reason: string): true {
    const error = failure?.type.slice(0, limits.messageCharactersMax);
    const { log, meter } = this.#state.environment;
    meter.count(functionsEvents.eventsFailed, { function: name });
    log.error(functionsEvents.dropped, { function: name, requestId, condition, error, reason });
    return true;
  }

  /** Nothing is left of them, not even whom to tell: the log, the metric and the admin route do. */
  #gone(events: number, cause: LossCause, name?: string): void {
    const { log, meter } = this.#state.environment;
    this.#lost += events;
    meter.count(functionsEvents.eventsLost, { cause }, events);
    log.error(functionsEvents.lost, { events, cause, function: name });
  }

  /** False: the node stops before. */
  async #untilStored(store: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await store();
        this.#failure = undefined;
        return true;
      } catch (error) {
        this.#note(error);
        if (this.#stop.signal.aborted) return false;
        await this.#sleep(limits.idleMs);
      }
    }
  }

  /** Until the time is over, or the node stops. */
  async #sleep(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const sleeper = new AbortController();
    this.#sleepers.add(sleeper);
    await this.#state.environment.clock.sleep(ms, sleeper.signal);
    this.#sleepers.delete(sleeper);
  }

  #note(error: unknown): void {
    const { log } = this.#state.environment;
    const message = shortMessageOf(error);
    this.#failure = message;
    if (mayPass(error)) log.warn(functionsEvents.workerFailed, { message });
    else log.error(functionsEvents.bug, { message, stack: error instanceof Error ? error.stack : undefined });
  }
}

const HOUR_MS = 3_600_000;
/** It became too old before this try. */
const UNTRIED: Failed = { failure: undefined, payload: undefined };

function shortMessageOf(error: unknown): string {
  return messageOf(error).slice(0, limits.messageCharactersMax);
}
