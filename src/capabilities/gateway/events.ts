import type { Environment } from '../../ports/environment.ts';
import type { HttpRequest } from '../../ports/http.ts';
import { limits } from './limits.ts';
import type { Verdict } from './verdict.ts';

/** What happened on one route since the start. */
export interface RouteCounts {
  accepted: number;
  duplicate: number;
  quarantined: number;
  answered: number;
  challenged: number;
  readonly refused: Record<string, number>;
}

/** Label of requests that met no route: their paths are the sender's and would fill the metrics. */
const NO_ROUTE = 'none';

/** Log lines and metrics of the gateway; no other names are used, and none holds a secret, a body or a header. */
export class GatewayEvents {
  readonly #environment: Environment;
  readonly #counts = new Map<string, RouteCounts>();
  readonly #refusals = new Map<string, { loggedAt: number; unlogged: number }>();
  readonly #warnedShort = new Set<string>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  counts(route: string): RouteCounts {
    const known = this.#counts.get(route);
    if (known !== undefined) return known;
    const counts: RouteCounts = { accepted: 0, duplicate: 0, quarantined: 0, answered: 0, challenged: 0, refused: {} };
    this.#counts.set(route, counts);
    return counts;
  }

  accepted(route: string, outcome: Exclude<Verdict['outcome'], 'refused'>, bytes: number, startedAt: number): void {
    const { meter, clock } = this.#environment;
    this.counts(route)[outcome] += 1;
    meter.count('gateway_requests_total', { outcome, route });
    if (outcome !== 'duplicate') meter.count('gateway_bytes_total', { route }, bytes);
    meter.observe('gateway_request_ms', { route }, clock.monotonic() - startedAt);
  }

  /** Logged at most once in ten seconds for each route and reason, with the count of those in between. */
  refused(route: string | undefined, code: string, request: HttpRequest, cause?: string): void {
    const { log, meter } = this.#environment;
    const name = route ?? NO_ROUTE;
    meter.count('gateway_requests_total', { route: name, outcome: code });
    if (route !== undefined) {
      const { refused } = this.counts(route);
      refused[code] = (refused[code] ?? 0) + 1;
    }
    this.#rarely(`${name} ${code}`, (unlogged) => {
      const { id: requestId, remoteAddress } = request;
      log.warn('gateway.refused', { route: name, code, requestId, remoteAddress, cause, unlogged });
    });
  }

  #rarely(key: string, write: (unlogged: number) => void): void {
    const now = this.#environment.clock.monotonic();
    const last = this.#refusals.get(key);
    if (last !== undefined && now - last.loggedAt < limits.refusalLogMs) {
      last.unlogged += 1;
      return;
    }
    this.#refusals.set(key, { loggedAt: now, unlogged: 0 });
    write(last?.unlogged ?? 0);
  }

  /** Records of a request that could not be kept; logged as refusals are. */
  leftOut(route: string, requestId: string, problems: readonly string[]): void {
    this.#environment.meter.count('gateway_requests_with_left_out_records_total', { route });
    this.#rarely(`${route} left-out`, (unlogged) => {
      const [summary = '', first = ''] = problems;
      this.#environment.log.warn('gateway.records-left-out', { route, requestId, summary, first, unlogged });
    });
  }

  /** A request is not in the log: refused ones of its route were too many, or too much waits. */
  notLogged(route: string, cause: 'sampled' | 'full'): void {
    this.#environment.meter.count('gateway_requests_not_logged_total', { route, cause });
  }

  /** A request of the log was sent on, or could not be. */
  redelivered(route: string, outcome: string): void {
    this.#environment.meter.count('gateway_redeliveries_total', { route, outcome });
  }

  /** Entries of the log of requests that could not be written. */
  logLost(entries: number): void {
    this.#environment.meter.count('gateway_request_log_lost_total', {}, entries);
    this.#rarely('request-log', (unlogged) => {
      this.#environment.log.warn('gateway.request-log-lost', { entries, unlogged });
    });
  }

  unverifiedRoute(route: string): void {
    this.#environment.log.warn('gateway.unverified-route', { route });
  }

  missingFunction(route: string, name: string): void {
    this.#environment.log.warn('gateway.missing-function', { route, function: name });
  }

  missingStream(route: string, stream: string): void {
    this.#environment.log.warn('gateway.missing-stream', { route, stream });
  }

  /** Gauges of one window; one warning for each route when `idsMax` makes it shorter than asked for. */
  window(route: string, ids: number, idsMax: number, realWindowMs: number, windowMs: number): void {
    const { log, meter } = this.#environment;
    meter.gauge('gateway_dedupe_ids', { route }, ids);
    meter.gauge('gateway_dedupe_window_ms', { route }, realWindowMs);
    if (realWindowMs >= windowMs) return;
    if (this.#warnedShort.has(route)) return;
    this.#warnedShort.add(route);
    log.warn('gateway.dedupe-window-short', { route, windowMs, realWindowMs, idsMax });
  }

  rebuilt(ids: number, tailRecords: number, startedAt: number): void {
    const ms = Math.round(this.#environment.clock.monotonic() - startedAt);
    this.#environment.log.info('gateway.dedupe-rebuilt', { ids, tailRecords, ms });
  }

  checkpointed(ids: number): void {
    this.#environment.meter.count('gateway_dedupe_checkpointed_ids_total', {}, ids);
  }

  checkpointFailed(error: unknown): void {
    this.#environment.meter.count('gateway_dedupe_checkpoint_failures_total');
    this.#environment.log.warn('gateway.dedupe-checkpoint-failed', { cause: nameOf(error) });
  }
}

/** The kind of an error, never its message: messages may quote what a sender sent. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
