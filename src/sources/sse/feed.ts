import { EnvironmentError } from '../../kernel/errors.ts';
import { backoffMs } from '../../kernel/flow/backoff.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Arrival, Arrivals, OpenSource, ResumeToken, SourceDoors, SourceStatus } from '../../ports/source.ts';
import type { SseEvent } from '../../wire/sse/event.ts';
import { SseParser } from '../../wire/sse/parser.ts';
import { connect } from './connect.ts';
import { SseEvents } from './events.ts';
import { sseLimits } from './limits.ts';
import { FeedTokens, isPlaces, isSendable, newestTime, placesOf } from './position.ts';
import { RateReport } from './rate-report.ts';
import type { ReadSettings } from './read-settings.ts';
import type { SseSettings } from './settings.ts';
import { TimedPieces } from './timed-pieces.ts';

/** Why a connection is over. */
interface Failure {
  readonly cause: string;
  readonly retryAfterMs?: number;
}

/** One event stream, connected to again and again. */
export class SseFeed implements OpenSource {
  readonly #settings: SseSettings;
  readonly #doors: SourceDoors;
  readonly #environment: Environment;
  readonly #events: SseEvents;
  readonly #report: RateReport;
  readonly #tokens: FeedTokens;
  readonly #notes: readonly string[];
  /** Of what came, durable or not: what is in memory already is not asked for again. */
  #lastEventId: string;
  #retryMs: number = sseLimits.retryMs;
  #connections = 0;
  #warnedOfId = false;
  #status: {
    state: SourceStatus['state'];
    failure?: string;
    failures: number;
    skipped: number;
    tooLarge: number;
    lagMs?: number;
  } = { state: 'connecting', failures: 0, skipped: 0, tooLarge: 0 };

  constructor(read: ReadSettings, at: ResumeToken | undefined, doors: SourceDoors, environment: Environment) {
    this.#settings = read.settings;
    this.#doors = doors;
    this.#environment = environment;
    this.#events = new SseEvents(doors.name, environment);
    this.#report = new RateReport(read.settings.reportMs, environment.clock, this.#events);
    this.#tokens = new FeedTokens(read.settings.url);
    this.#lastEventId = this.#tokens.idOf(at);
    this.#notes = read.notes;
  }

  async *arrivals(signal: AbortSignal): AsyncGenerator<Arrivals, void> {
    for (const note of this.#notes) this.#events.note(note);
    this.#report.start(signal);
    while (!signal.aborted) {
      this.#status.state = 'connecting';
      const failure = yield* this.#connection(signal);
      if (signal.aborted) return;
      if (failure === undefined) {
        this.#status.state = 'ended';
        this.#events.ended();
        return;
      }
      await this.#wait(failure, signal);
    }
  }

  acknowledge(): void {
    // The server keeps nothing of what was taken: the position is sent when connecting again.
  }

  status(): SourceStatus {
    const { origin, pathname } = new URL(this.#settings.url);
    return {
      ...this.#status,
      reconnects: Math.max(0, this.#connections - 1),
      from: origin + pathname,
      ...(this.#lastEventId !== '' && { lastId: this.#lastEventId }),
    };
  }

  /** One connection; undefined: the server says that there is no more. */
  async *#connection(signal: AbortSignal): AsyncGenerator<Arrivals, Failure | undefined> {
    const { http } = this.#doors;
    const { clock } = this.#environment;
    const lastEventId = this.#lastEventId;
    const cut = new AbortController();
    const abort = (): void => cut.abort();
    signal.addEventListener('abort', abort, { once: true });
    this.#connections += 1;
    try {
      const options = { http, settings: this.#settings, lastEventId, signal: cut.signal, nowMs: clock.now() };
      const connected = await connect(options);
      if (connected.kind !== 'open') return connected.kind === 'ended' ? undefined : connected;
      this.#status.state = 'connected';
      delete this.#status.failure;
      this.#events.connected(this.status().from, lastEventId !== '');
      const pieces = new TimedPieces(connected.answer.pieces, this.#settings.readTimeoutMs, clock, cut);
      const openedAt = clock.monotonic();
      const failure = yield* this.#read(pieces, lastEventId, openedAt);
      // A feed may have nothing to say, and servers and proxies cut what is silent.
      if (clock.monotonic() - openedAt >= sseLimits.backoffMaxMs) this.#status.failures = 0;
      return failure;
    } finally {
      signal.removeEventListener('abort', abort);
      cut.abort();
    }
  }

  async *#read(pieces: TimedPieces, lastEventId: string, openedAt: number): AsyncGenerator<Arrivals, Failure> {
    const { eventBytesMax } = this.#settings;
    const { clock } = this.#environment;
    const parser = new SseParser({ eventBytesMax, lastEventId, isPosition: isSendable });
    try {
      for await (const piece of pieces) {
        const { events, tooLarge } = parser.push(piece);
        this.#retryMs = retryWithin(parser.retryMs ?? this.#retryMs);
        if (tooLarge > 0) this.#leftOut(tooLarge);
        if (parser.hasRefusedId) this.#warnOfId();
        const hasMoved = this.#moveTo(parser.lastEventId);
        const isNews = events.length > 0 || hasMoved;
        if (isNews || clock.monotonic() - openedAt >= sseLimits.settledMs) this.#status.failures = 0;
        if (!isNews) continue;
        const kept = this.#keep(events);
        yield { events: kept, token: this.#tokens.of(this.#lastEventId), connection: this.#connections };
      }
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      return { cause: pieces.isSilent ? `nothing came for ${this.#settings.readTimeoutMs} ms` : error.code };
    }
    return {
      cause: pieces.isSilent ? `nothing came for ${this.#settings.readTimeoutMs} ms` : 'the server ended the stream',
    };
  }

  #keep(events: readonly SseEvent[]): readonly Arrival[] {
    const { types, skip } = this.#settings;
    const kept: Arrival[] = [];
    let wanted = 0;
    for (const event of events) {
      if (types !== undefined && !types.has(event.type)) continue;
      wanted += 1;
      if (skip.some(([finder, text]) => finder.find(event.data) === text)) continue;
      kept.push(this.#arrival(event));
    }
    this.#report.count(wanted);
    const left = events.length - kept.length;
    if (left === 0) return kept;
    this.#status.skipped += left;
    this.#events.skipped(left);
    // The few that are kept must not keep alive all that came with them.
    return left > kept.length ? kept.map((arrival) => ({ ...arrival, data: Buffer.from(arrival.data) })) : kept;
  }

  #arrival({ data, id }: SseEvent): Arrival {
    const key = this.#settings.dedupeKey?.find(data) ?? '';
    // An empty text names no event: all that have one would count as one.
    if (key !== '') return { data, key };
    if (id === undefined || id === '') return { data };
    // A list of places differs from connection to connection: the bytes alone tell.
    return { data, id: isPlaces(id) ? '' : id };
  }

  /** Whether the position is another one. */
  #moveTo(id: string): boolean {
    if (id === this.#lastEventId) return false;
    this.#lastEventId = id;
    const time = newestTime(placesOf(id) ?? []);
    if (time !== undefined) this.#status.lagMs = Math.max(0, this.#environment.clock.now() - time);
    return true;
  }

  #warnOfId(): void {
    if (!this.#warnedOfId) this.#events.unsendableId();
    this.#warnedOfId = true;
  }

  #leftOut(count: number): void {
    this.#status.tooLarge += count;
    this.#events.tooLarge(count);
  }

  async #wait({ cause, retryAfterMs = 0 }: Failure, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#environment;
    this.#status.failures += 1;
    const { failures } = this.#status;
    const chance = random.fraction();
    const own = backoffMs(failures, { baseMs: this.#retryMs, maxMs: sseLimits.backoffMaxMs }, chance);
    // Never before the time the server names; those that were all told the same do not come together.
    const waitMs = Math.max(own, retryAfterMs === 0 ? 0 : Math.round(retryAfterMs + chance * sseLimits.retryMs));
    this.#status.state = 'waiting';
    this.#status.failure = cause;
    this.#events.disconnected(cause, failures, waitMs);
    await clock.sleep(waitMs, signal);
  }
}

/** The delay that the server asked for, in ms, as far as it makes no loop without a pause and no silence of hours. */
function retryWithin(retryMs: number): number {
  return Math.min(Math.max(retryMs, sseLimits.retryMinMs), sseLimits.backoffMaxMs);
}
