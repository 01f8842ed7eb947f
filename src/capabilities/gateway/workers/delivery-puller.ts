import { EnvironmentError } from '../../../kernel/errors.ts';
import { backoffMs } from '../../../kernel/flow/backoff.ts';
import type { Catalog } from '../../../ports/catalog.ts';
import type { HttpClient } from '../../../ports/http-client.ts';
import { Unavailable } from '../../../ports/stream-store.ts';
import type { Served } from '../handler.ts';
import { limits } from '../limits.ts';
import { acceptPulled, refuseUnread } from '../operations/accept-pulled.ts';
import { bodyBytesMax } from '../operations/accept-request.ts';
import { isKnownId } from '../operations/receive-webhook.ts';
import { GithubHook, isTooLarge, PullFailure } from '../pull/github-hook.ts';
import { MissedDeliveries } from '../pull/missed-deliveries.ts';
import type { PulledOutcome, PullEvents } from '../pull/pull-events.ts';
import { LostPull, PullLedger } from '../pull/pull-ledger.ts';
import type { PullPlan } from '../pull/pull-plan.ts';
import type { Attempt } from '../pull/read-delivery.ts';
import type { Route } from '../route.ts';

/** What a puller needs beside its hook. */
export interface PullDoors {
  readonly served: Served;
  readonly http: HttpClient;
  readonly catalog: Catalog;
}

/** What came of one hook's missed deliveries since the start. */
export type PullCounts = Record<PulledOutcome, number>;

/** How a puller fares, for people. */
export interface PullStatus {
  readonly state: 'looking' | 'waiting' | 'problem';
  readonly problem?: string;
  /** Missed deliveries that are known and not fetched yet. */
  readonly missed: number;
  /** When the whole list was looked through last since the start, in ms. */
  readonly lookedAt?: number;
  /** All that were sent before, in ms, are in or given up. */
  readonly settledTo?: number;
}

/**
 * Looks every few minutes through what GitHub keeps of one hook's deliveries, and fetches those that nobody took, the
 * oldest first. How far it is stands in the catalog, behind what is durable: after a crash some are met again, and
 * known by their ids.
 */
export class DeliveryPuller {
  readonly #plan: PullPlan;
  readonly #doors: PullDoors;
  readonly #counts: PullCounts;
  readonly #events: PullEvents;
  readonly #hook: GithubHook;
  readonly #ledger: PullLedger;
  readonly #stop = new AbortController();
  /** Attempts behind the position that are settled: guid to time. */
  readonly #settled = new Map<string, number>();
  #settledTo: number | undefined;
  #lookedAt: number | undefined;
  #savedAt = -Infinity;
  #pause = new AbortController();
  #state: PullStatus['state'] = 'waiting';
  #problem: string | undefined;
  #failures = 0;
  #missed = 0;
  #running: Promise<void> | undefined;

  constructor(plan: PullPlan, doors: PullDoors, counts: PullCounts, events: PullEvents) {
    this.#plan = plan;
    this.#doors = doors;
    this.#counts = counts;
    this.#events = events;
    this.#hook = new GithubHook(plan, doors.http, doors.served.environment.clock);
    this.#ledger = new PullLedger(plan.name, plan.hook, doors.catalog);
    this.#settledTo = this.#ledger.position.settledTo;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Looks at once, where it waits. */
  look(): void {
    this.#pause.abort();
  }

  /** Fetches no more; what is on its way is stored. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#pause.abort();
    await this.#running;
  }

  get hasEnded(): boolean {
    return this.#state === 'problem';
  }

  status(): PullStatus {
    const [problem, lookedAt, settledTo] = [this.#problem, this.#lookedAt, this.#settledTo];
    return {
      state: this.#state,
      missed: this.#missed,
      ...(problem !== undefined && { problem }),
      ...(lookedAt !== undefined && { lookedAt }),
      ...(settledTo !== undefined && { settledTo }),
    };
  }

  /** What keeps it from working, for health; a failure or two are no reason. */
  problem(): string | undefined {
    return this.hasEnded || this.#failures >= limits.pullUnhealthyFailures ? this.#problem : undefined;
  }

  async #run(): Promise<void> {
    const { clock } = this.#doors.served.environment;
    try {
      // Functions of the file are there once everything has started.
      await clock.sleep(limits.pullFirstMs, this.#pause.signal);
      while (!this.#stop.signal.aborted) {
        this.#pause = new AbortController();
        const waitMs = await this.#look();
        if (this.#stop.signal.aborted) return;
        this.#state = 'waiting';
        await clock.sleep(waitMs, this.#pause.signal);
      }
    } catch (error) {
      this.#end(error);
    }
  }

  /** Looks once; resolves with how long to wait then, in ms. */
  async #look(): Promise<number> {
    const { clock, random } = this.#doors.served.environment;
    this.#state = 'looking';
    const before = { ...this.#counts };
    try {
      const missed = await this.#list();
      await this.#settle(missed);
      this.#failures = 0;
      this.#problem = undefined;
      this.#lookedAt = clock.now();
      // Several that were started together do not come together for ever.
      const everyMs = (this.#plan.everySeconds ?? limits.pullEverySeconds) * 1000;
      return missed.isPartial ? 0 : Math.round(everyMs * (0.9 + 0.1 * random.fraction()));
    } catch (error) {
      if (this.#stop.signal.aborted && isPassing(error)) return 0;
      return this.#failed(error);
    } finally {
      this.#tell(before);
    }
  }

  /** All that nobody took since the position, as far as GitHub keeps it. */
  async #list(): Promise<MissedDeliveries> {
    const { lookedAt } = this.#ledger.position;
    const from = (this.#settledTo ?? -Infinity) - limits.pullOverlapMs;
    const missed = new MissedDeliveries(limits.pullMissedMax);
    let cursor: string | undefined;
    let earlier: string | undefined;
    for (let pages = 0; pages < limits.pullPagesMax; pages += 1) {
      const page = await this.#hook.page(cursor, this.#stop.signal);
      missed.add(page.attempts.filter(({ deliveredAt }) => deliveredAt >= from));
      const isBehind = page.attempts.some(({ deliveredAt }) => deliveredAt < from);
      if (isBehind || page.next === undefined || page.next === cursor || page.next === earlier) {
        if (!isBehind) this.#noteGap(lookedAt, missed.oldestAt);
        break;
      }
      cursor = page.next;
      // One of the cursors is kept, further and further apart: pages that lead in a circle come by it again.
      if ((pages & (pages + 1)) === 0) earlier = cursor;
    }
    return missed;
  }

  /** Where nobody looked for longer than GitHub keeps deliveries, some may be gone. */
  #noteGap(lookedAt: number | undefined, oldestAt: number | undefined): void {
    const now = this.#doors.served.environment.clock.now();
    if (lookedAt === undefined || now - lookedAt < limits.pullHistoryMs) return;
    this.#events.gap(lookedAt, oldestAt ?? now);
  }

  async #settle(missed: MissedDeliveries): Promise<void> {
    const all = missed.oldestFirst().filter(({ guid, deliveredAt }) => (this.#settled.get(guid) ?? -1) < deliveredAt);
    this.#count(all.length);
    try {
      for (const attempt of all) {
        if (!(await this.#settleOne(attempt))) return;
        this.#count(this.#missed - 1);
        this.#settled.set(attempt.guid, attempt.deliveredAt);
        this.#moveTo(attempt.deliveredAt);
        await this.#save(false);
      }
      if (!missed.isPartial && missed.newestAt !== undefined) this.#moveTo(missed.newestAt);
      await this.#save(!missed.isPartial);
    } finally {
      this.#count(0);
      this.#forgetSettled();
    }
  }

  /** False: it is to stop, and nothing became of it. */
  async #settleOne(attempt: Attempt): Promise<boolean> {
    const route = this.#route();
    if (this.#isKnown(route, attempt.guid)) return this.#became('repeated');
    const bytesMax = bodyBytesMax(this.#doors.served, route) * 2 + limits.pullAnswerBytes;
    const sent = await this.#fetch(attempt, bytesMax);
    if (sent === 'too-large') {
      refuseUnread(this.#doors.served, route, { hook: this.#plan.name, attempt });
      return this.#refused(attempt, 'RequestEntityTooLarge');
    }
    const payload = sent?.payload;
    if (sent === undefined || payload === undefined) {
      this.#events.lost(attempt.guid);
      return this.#became('lost');
    }
    return await this.#hand(attempt, { ...sent, payload });
  }

  async #fetch(attempt: Attempt, bytesMax: number): Promise<Awaited<ReturnType<GithubHook['delivery']>> | 'too-large'> {
    try {
      return await this.#hook.delivery(attempt.id, bytesMax, this.#stop.signal);
    } catch (error) {
      if (isTooLarge(error)) return 'too-large';
      throw error;
    }
  }

  async #hand(attempt: Attempt, sent: Parameters<typeof acceptPulled>[2]['sent']): Promise<boolean> {
    const { served } = this.#doors;
    const { clock, random } = served.environment;
    const { signal } = this.#stop;
    for (let tries = 1; !signal.aborted; tries += 1) {
      const route = this.#route();
      const verdict = await acceptPulled(served, route, { hook: this.#plan.name, attempt, sent, signal });
      if (verdict.kind === 'taken') return this.#became(verdict.outcome === 'duplicate' ? 'repeated' : 'stored');
      const isOver = verdict.kind === 'refused' || (verdict.kind === 'failed' && tries >= limits.pullAttempts);
      if (isOver) return this.#refused(attempt, verdict.code);
      const { cause, afterMs } = verdict.kind === 'later' ? verdict : { cause: verdict.code, afterMs: 0 };
      this.#problem = cause;
      const own = backoffMs(tries, { baseMs: limits.pullRetryBaseMs, maxMs: limits.pullRetryMaxMs }, random.fraction());
      await clock.sleep(Math.max(own, afterMs), signal);
    }
    return false;
  }

  #route(): Route {
    const route = this.#doors.served.routes().named(this.#plan.route);
    // While the file is taken over the routes may be others for a moment.
    if (route === undefined) throw new PullFailure('its route is not there');
    return route;
  }

  /** Whether the delivery has its record: then nothing has to be fetched. */
  #isKnown(route: Route, guid: string): boolean {
    if (route.stream === undefined || route.dedupe === undefined || route.idSource !== undefined) return false;
    return isKnownId(this.#doors.served, route, guid);
  }

  #refused({ guid }: Attempt, code: string): true {
    this.#events.refused(guid, code);
    return this.#became('refused');
  }

  #became(outcome: PulledOutcome): true {
    this.#counts[outcome] += 1;
    this.#events.pulled(outcome);
    return true;
  }

  #count(missed: number): void {
    this.#missed = missed;
    this.#events.waiting(missed);
  }

  /** Never past now: what is missed in front of a time that is to come would not be looked for. */
  #moveTo(deliveredAt: number): void {
    const to = Math.min(deliveredAt, this.#doors.served.environment.clock.now());
    this.#settledTo = Math.max(this.#settledTo ?? to, to);
  }

  /** Writes the position now and then, and when a look is over. */
  async #save(isOver: boolean): Promise<void> {
    const { clock } = this.#doors.served.environment;
    const { position } = this.#ledger;
    if (!isOver && clock.monotonic() - this.#savedAt < limits.pullCheckpointMs) return;
    const now = clock.now();
    const isOld = now - (position.lookedAt ?? -Infinity) >= limits.heartbeatMs;
    if (position.settledTo === this.#settledTo && !(isOver && isOld)) return;
    const lookedAt = isOver ? now : position.lookedAt;
    this.#savedAt = clock.monotonic();
    await this.#ledger.write({
      hook: this.#plan.hook,
      ...(this.#settledTo !== undefined && { settledTo: this.#settledTo }),
      ...(lookedAt !== undefined && { lookedAt }),
    });
  }

  #forgetSettled(): void {
    const now = this.#doors.served.environment.clock.now();
    const from = (this.#settledTo ?? 0) - limits.pullOverlapMs;
    for (const [guid, at] of this.#settled) if (at < from) this.#settled.delete(guid);
    // The position does not come by times that are to come: of those only some are kept, however many are told.
    const ahead = [...this.#settled].filter(([, at]) => at > now);
    const beyond = ahead.slice(0, -limits.pullAheadMax);
    for (const [guid] of beyond) this.#settled.delete(guid);
    const lastAt = ahead.reduce((last, [, at]) => Math.max(last, at), now);
    if (beyond.length > 0) this.#events.ahead(beyond.length, lastAt - now);
  }

  #failed(error: unknown): number {
    if (!isPassing(error)) throw error;
    const { random } = this.#doors.served.environment;
    const isLimit = error instanceof PullFailure && error.isLimit;
    if (!isLimit) this.#failures += 1;
    const attempt = Math.max(1, this.#failures);
    const backoff = { baseMs: limits.pullBackoffBaseMs, maxMs: limits.pullBackoffMaxMs };
    const atLeast = error instanceof PullFailure ? error.retryAfterMs : 0;
    const waitMs = Math.round(Math.max(backoffMs(attempt, backoff, random.fraction()), atLeast));
    this.#problem = error instanceof PullFailure ? error.message : 'the position could not be written';
    this.#events.failed(this.#problem, this.#failures, waitMs);
    return waitMs;
  }

  /** Tells what a look came to, where it came to something. */
  #tell(before: Readonly<PullCounts>): void {
    const { stored, repeated, refused, lost } = this.#counts;
    const found = {
      stored: stored - before.stored,
      repeated: repeated - before.repeated,
      refused: refused - before.refused,
      lost: lost - before.lost,
    };
    if (Object.values(found).some((count) => count > 0)) this.#events.looked(found);
  }

  #end(error: unknown): void {
    this.#state = 'problem';
    if (error instanceof LostPull) this.#problem = 'somebody else pulls this hook now';
    else {
      this.#problem = 'ended by a bug; its position is kept';
      this.#events.bug(error);
    }
  }
}

/** The same may work later. */
function isPassing(error: unknown): boolean {
  return error instanceof PullFailure || error instanceof Unavailable || error instanceof EnvironmentError;
}
