import type { Environment } from '../../../ports/environment.ts';
import type { HttpAnswer, HttpBody, HttpRequest } from '../../../ports/http.ts';
import { ensureInternalStream } from '../../../ports/internal-stream.ts';
import { InputBatch, isStored, mayPass, type RecordInput, type Records } from '../../../ports/records.ts';
import type { RequestLogOptions } from '../config.ts';
import type { GatewayEvents } from '../events.ts';
import { limits } from '../limits.ts';
import { headersForLog, queryForLog } from '../request-log/masked.ts';
import { encodeRequest } from '../request-log/request-entry.ts';
import type { Route } from '../route.ts';
import type { Verdict } from '../verdict.ts';

/** The internal stream of requests. */
export const REQUESTS_STREAM = '$requests';
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const NOTHING = new Uint8Array();

/** A request that was answered. */
export interface AnsweredRequest {
  readonly route: Pick<Route, 'key' | 'secrets' | 'stream' | 'quarantine'>;
  readonly request: Pick<HttpRequest, 'id' | 'method' | 'path' | 'query' | 'headers' | 'remoteAddress'>;
  readonly verdict: Omit<Verdict, 'route'>;
  /** As it was sent; absent: it was not read. */
  readonly body: Uint8Array | undefined;
  readonly answer: HttpAnswer;
  readonly redeliveryOf?: string | undefined;
}

/**
 * Keeps requests in `$requests`. An entry follows its answer: nobody waits for it, and a crash may take those of the
 * last moments, whose records are durable all the same. At the bound of what waits entries are left out and counted.
 */
export class RequestLog {
  readonly #records: Records;
  readonly #environment: Environment;
  readonly #events: GatewayEvents;
  #options: RequestLogOptions | undefined;
  #pending: RecordInput[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  #isStopped = false;
  #cancelTimer: (() => void) | undefined;
  /** Refused requests that were kept in this minute, by route. */
  readonly #refused = new Map<string, number>();
  #minute = 0;

  constructor(records: Records, environment: Environment, events: GatewayEvents) {
    this.#records = records;
    this.#environment = environment;
    this.#events = events;
  }

  /** Undefined: nothing is kept from now on. */
  use(options: RequestLogOptions | undefined): void {
    this.#options = options;
  }

  /** Never throws, and never waits. */
  note(answered: AnsweredRequest): void {
    const options = this.#options;
    if (options === undefined || this.#isStopped) return;
    const { key } = answered.route;
    const isRefused = answered.verdict.outcome === 'refused';
    const isTooMuch = isRefused && this.#isSampledOut(key, options.refusedPerMinute);
    if (isTooMuch || this.#pendingBytes >= limits.logPendingBytesMax) {
      this.#events.notLogged(key, isTooMuch ? 'sampled' : 'full');
      return;
    }
    const data = entryOf(answered, isRefused ? limits.refusedBodyBytesMax : options.bodyBytesMax, this.#environment);
    // The stream has one shard: nothing is gained by looking where the key belongs.
    this.#pending.push({ partitionKey: answered.request.id, explicitHashKey: 0n, data });
    this.#pendingBytes += data.length;
    this.#cancelTimer ??= this.#environment.clock.timer(limits.logDelayMs, () => void this.flush());
  }

  /** Writes what waits; resolves when it is durable, or known to be lost. */
  async flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (this.#writing !== undefined) await this.#writing;
    if (this.#pending.length === 0) return;
    this.#writing = this.#write(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /** Writes what waits, and what came while it did; takes nothing more, and leaves no timer. */
  async stop(): Promise<void> {
    await this.flush();
    this.#isStopped = true;
    await this.flush();
  }

  async #write(inputs: readonly RecordInput[]): Promise<void> {
    let lost = inputs.length;
    try {
      await this.#prepare();
      const { parts } = await this.#records.appendBatch(REQUESTS_STREAM, new InputBatch(inputs));
      if (parts.every(isStored)) lost = 0;
    } catch (error) {
      if (!mayPass(error)) throw error;
    }
    if (lost > 0) this.#events.logLost(lost);
  }

  /** Made with the first entry; its retention follows the options. */
  async #prepare(): Promise<void> {
    const wanted = this.#options?.retentionHours;
    const retentionMs = (wanted ?? limits.logRetentionHours) * HOUR_MS;
    const shape = { shardCount: 1, retentionMs, maxRecordBytes: limits.logRecordBytes };
    const stream = await ensureInternalStream(this.#records, { name: REQUESTS_STREAM, ...shape });
    // Where nothing is kept from now on, what was kept stays as long as it was to.
    if (wanted !== undefined && stream.retentionMs !== retentionMs)
      await this.#records.update(REQUESTS_STREAM, () => ({ retentionMs }));
  }

  #isSampledOut(route: string, perMinute: number): boolean {
    const minute = Math.floor(this.#environment.clock.monotonic() / MINUTE_MS);
    if (minute !== this.#minute) this.#refused.clear();
    this.#minute = minute;
    const count = (this.#refused.get(route) ?? 0) + 1;
    this.#refused.set(route, count);
    return count > perMinute;
  }
}

function entryOf(
  { route, request, verdict, body = NOTHING, answer, redeliveryOf }: AnsweredRequest,
  bodyBytesMax: number,
  { clock }: Environment,
): Uint8Array {
  const { id, method, path, query, headers, remoteAddress } = request;
  const isWhole = body.length <= bodyBytesMax && body.length === verdict.bytes;
  const { outcome, status, code, reason, problems, deliveryId, shardId, sequenceNumber, records, bytes } = verdict;
  const head = {
    id,
    at: new Date(clock.now() - verdict.latencyMs).toISOString(),
    route: route.key,
    outcome,
    status,
    code,
    reason,
    problems,
    deliveryId,
    stream: shardId === undefined ? undefined : streamOf(route, verdict),
    shardId,
    sequenceNumber,
    records,
    method,
    path,
    query: queryForLog(query, route.secrets),
    remoteAddress,
    bytes,
    latencyMs: Math.round(verdict.latencyMs * 1000) / 1000,
    answer: answerText(answer.body),
    isWhole,
    redeliveryOf,
  };
  const kept = isWhole ? body : body.subarray(0, bodyBytesMax);
  return encodeRequest(head, headersForLog(headers, route.secrets), kept);
}

function streamOf({ stream, quarantine }: AnsweredRequest['route'], { outcome }: Pick<Verdict, 'outcome'>): string {
  return (outcome === 'quarantined' ? quarantine : stream) ?? '';
}

/** The beginning of an answer; a stream of bytes has none that stands still. */
function answerText(body: HttpBody): string {
  if (typeof body === 'string') return body.slice(0, limits.answerCharactersMax);
  const first =
    body instanceof Uint8Array ? body : Array.isArray(body) ? (body as readonly Uint8Array[])[0] : undefined;
  return first === undefined ? '' : Buffer.from(first.subarray(0, limits.answerCharactersMax)).toString();
}
