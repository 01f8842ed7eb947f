import type { Environment } from '../../../ports/environment.ts';

/** What came of a delivery that nobody had taken. */
export type PulledOutcome = 'stored' | 'repeated' | 'refused' | 'lost';

/** Log lines and metrics of one hook's puller; none holds a header, a body or a token. */
export class PullEvents {
  readonly #environment: Environment;
  readonly #hook: string;

  constructor(hook: string, environment: Environment) {
    this.#environment = environment;
    this.#hook = hook;
  }

  pulled(outcome: PulledOutcome): void {
    this.#environment.meter.count('gateway_pulled_deliveries_total', { hook: this.#hook, outcome });
  }

  waiting(count: number): void {
    this.#environment.meter.gauge('gateway_pull_waiting', { hook: this.#hook }, count);
  }

  /** One line for each look that found something. */
  looked(counts: Readonly<Record<PulledOutcome, number>>): void {
    this.#environment.log.info('gateway.pulled', { hook: this.#hook, ...counts });
  }

  refused(deliveryId: string, code: string): void {
    this.#environment.log.warn('gateway.pulled-refused', { hook: this.#hook, deliveryId, code });
  }

  lost(deliveryId: string): void {
    this.#environment.log.warn('gateway.pulled-lost', { hook: this.#hook, deliveryId });
  }

  /** GitHub's list does not go back to where the last look ended. */
  gap(fromMs: number, toMs: number): void {
    const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
    this.#environment.log.warn('gateway.pull-gap', { hook: this.#hook, from, to });
  }

  /** So many attempts will be met anew at the next look: more than are remembered have times that are to come. */
  ahead(count: number, aheadMs: number): void {
    this.#environment.log.warn('gateway.pull-ahead', { hook: this.#hook, count, aheadMs });
  }

  failed(cause: string, failures: number, waitMs: number): void {
    const hook = this.#hook;
    this.#environment.meter.count('gateway_pull_failures_total', { hook });
    this.#environment.log.warn('gateway.pull-failed', { hook, cause, failures, waitMs });
  }

  paused(isPaused: boolean): void {
    this.#environment.log.info(isPaused ? 'gateway.pull-paused' : 'gateway.pull-continued', { hook: this.#hook });
  }

  bug(error: unknown): void {
    const cause = error instanceof Error ? error.name : typeof error;
    this.#environment.log.error('gateway.pull-bug', { hook: this.#hook, cause });
  }

  gone(): void {
    this.#environment.meter.forget({ hook: this.#hook });
  }
}
