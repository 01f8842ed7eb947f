import type { Environment } from '../../ports/environment.ts';

/** Log lines and metrics of one source's worker; none holds what an event says, or an id. */
export class IngestEvents {
  readonly #environment: Environment;
  readonly #source: string;

  constructor(source: string, environment: Environment) {
    this.#environment = environment;
    this.#source = source;
  }

  received(count: number, repeated: number): void {
    const { meter } = this.#environment;
    const source = this.#source;
    meter.count('ingest_received_events_total', { source }, count);
    if (repeated > 0) meter.count('ingest_repeated_events_total', { source }, repeated);
  }

  stored(count: number, bytes: number, startedAt: number): void {
    const { meter, clock } = this.#environment;
    const source = this.#source;
    meter.count('ingest_stored_events_total', { source }, count);
    meter.count('ingest_stored_bytes_total', { source }, bytes);
    meter.observe('ingest_store_ms', { source }, clock.monotonic() - startedAt);
  }

  held(bytes: number, ids: number): void {
    const { meter } = this.#environment;
    const source = this.#source;
    meter.gauge('ingest_pending_bytes', { source }, bytes);
    meter.gauge('ingest_window_ids', { source }, ids);
  }

  resumed(hasPosition: boolean, records: number, startedAt: number): void {
    const { log, clock } = this.#environment;
    const ms = Math.round(clock.monotonic() - startedAt);
    log.info('ingest.started', { source: this.#source, hasPosition, records, ms });
  }

  storeWaits(cause: string): void {
    this.#environment.log.warn('ingest.store-waits', { source: this.#source, cause });
  }

  positionFailed(cause: string): void {
    this.#environment.log.warn('ingest.position-not-stored', { source: this.#source, cause });
  }

  tooLarge(bytes: number): void {
    const source = this.#source;
    this.#environment.meter.count('ingest_failed_events_total', { source });
    this.#environment.log.warn('ingest.event-too-large', { source, bytes });
  }

  gaveUp(cause: string): void {
    const source = this.#source;
    this.#environment.meter.count('ingest_failed_events_total', { source });
    this.#environment.log.warn('ingest.gave-up', { source, cause });
  }

  fenced(): void {
    this.#environment.log.warn('ingest.fenced', { source: this.#source });
  }

  paused(isPaused: boolean): void {
    this.#environment.log.info(isPaused ? 'ingest.paused' : 'ingest.continued', { source: this.#source });
  }

  bug(error: unknown): void {
    const cause = error instanceof Error ? error.name : typeof error;
    this.#environment.log.error('ingest.bug', { source: this.#source, cause });
  }

  gone(): void {
    this.#environment.meter.forget({ source: this.#source });
  }
}
