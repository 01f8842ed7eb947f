import type { Environment } from '../../ports/environment.ts';

/** Log lines and metrics of one SSE source; none holds a header, a query or what an event says. */
export class SseEvents {
  readonly #environment: Environment;
  readonly #source: string;

  constructor(source: string, environment: Environment) {
    this.#environment = environment;
    this.#source = source;
  }

  note(note: string): void {
    this.#environment.log.info('sse.option-without-effect', { source: this.#source, note });
  }

  connected(from: string, hasPosition: boolean): void {
    this.#environment.log.info('sse.connected', { source: this.#source, from, hasPosition });
  }

  disconnected(cause: string, failures: number, waitMs: number): void {
    const source = this.#source;
    this.#environment.meter.count('sse_disconnects_total', { source });
    this.#environment.log.warn('sse.disconnected', { source, cause, failures, waitMs });
  }

  ended(): void {
    this.#environment.log.warn('sse.ended', { source: this.#source });
  }

  tooLarge(count: number): void {
    const source = this.#source;
    this.#environment.meter.count('sse_too_large_events_total', { source }, count);
    this.#environment.log.warn('sse.event-too-large', { source, count });
  }

  skipped(count: number): void {
    this.#environment.meter.count('sse_skipped_events_total', { source: this.#source }, count);
  }

  unsendableId(): void {
    this.#environment.log.warn('sse.id-cannot-be-sent', { source: this.#source });
  }

  /** The line of the sample, of the time between two reports. */
  rate(count: number, fromMs: number, toMs: number): void {
    const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
    const text = `SSERate received [${count}] events between [${from}] and [${to}]`;
    this.#environment.log.info('sse.rate', { source: this.#source, text, count });
  }
}
