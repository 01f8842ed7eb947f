import { DeliveryError } from '../../../kernel/errors.ts';
import type { Environment } from '../../../ports/environment.ts';
import { mayPass } from '../../../ports/records.ts';
import { firehoseEvents } from '../events.ts';
import { firehoseLimits } from '../limits.ts';

/** Why records went before they were delivered. */
export type LossCause = 'RetentionExceeded' | 'StreamDeleted' | 'LogDamaged';

/** Causes can quote keys of a thousand characters. */
const MESSAGE_MAX = 300;

/** What goes wrong while one thing after the other is delivered: told in the log, counted, and kept for health. */
export class DeliveryNotes {
  readonly #delivery: string;
  readonly #environment: Environment;
  /** Failed attempts since the last that succeeded. */
  attempts = 0;
  #failure: string | undefined;
  #lostAt = -Infinity;

  constructor(delivery: string, environment: Environment) {
    this.#delivery = delivery;
    this.#environment = environment;
  }

  /** Why the last attempt failed, while it is being repeated. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** An attempt failed. */
  failed(error: unknown): void {
    const { log, meter } = this.#environment;
    const delivery = this.#delivery;
    const whole = error instanceof Error ? error.message : String(error);
    const message = whole.length > MESSAGE_MAX ? `${whole.slice(0, MESSAGE_MAX)}...` : whole;
    this.attempts += 1;
    this.#failure = message;
    meter.count(firehoseEvents.attemptsFailed, { delivery });
    if (error instanceof DeliveryError || mayPass(error))
      log.warn(firehoseEvents.failed, { delivery, attempt: this.attempts, message });
    else log.error(firehoseEvents.bug, { delivery, message, stack: error instanceof Error ? error.stack : undefined });
  }

  /** An attempt has to wait for something: told once, not each time it is looked for. */
  waits(message: string): void {
    this.attempts += 1;
    if (this.#failure === message) return;
    this.#failure = message;
    this.#environment.log.warn(firehoseEvents.failed, { delivery: this.#delivery, attempt: this.attempts, message });
  }

  /** An attempt succeeded. */
  succeeded(): void {
    this.attempts = 0;
    this.#failure = undefined;
  }

  /** Records are gone that were not delivered. */
  lost(records: number, error: LossCause): void {
    const { clock, log, meter } = this.#environment;
    const delivery = this.#delivery;
    this.#lostAt = clock.monotonic();
    log.error(firehoseEvents.lost, { delivery, records, error });
    meter.count(firehoseEvents.recordsLost, { delivery }, records);
  }

  /** What is wrong, for people. */
  problems(): string[] {
    const problems: string[] = [];
    if (this.#failure !== undefined && this.attempts >= firehoseLimits.unhealthyAttempts) {
      problems.push(`delivery ${this.#delivery}: ${this.#failure}`);
    }
    if (this.#environment.clock.monotonic() - this.#lostAt < firehoseLimits.lossShownMs) {
      problems.push(`delivery ${this.#delivery}: records were gone before they were delivered`);
    }
    return problems;
  }
}
