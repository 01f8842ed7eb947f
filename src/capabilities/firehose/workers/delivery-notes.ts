import { DeliveryError, messageOf } from '../../../kernel/errors.ts';
import type { Refused } from '../../../ports/destination.ts';
import type { Environment } from '../../../ports/environment.ts';
import { mayPass } from '../../../ports/records.ts';
import { firehoseEvents } from '../events.ts';
import { firehoseLimits } from '../limits.ts';
import type { LossCause } from '../model.ts';

/** One attempt, as it ended. */
export interface Attempt {
  /** When it began, in ms. */
  readonly at: number;
  /** How long it took, in ms. */
  readonly ms: number;
  readonly outcome: 'delivered' | 'partly' | 'failed' | 'unknown';
  /** What the destination answered, for people: an HTTP status. */
  readonly status?: number;
  /** Records that arrived, and those that were refused. */
  readonly records: number;
  readonly refused: number;
  readonly code?: string;
  readonly message?: string;
}

/** What is known of an attempt when it ends. */
export interface AttemptEnd {
  readonly at: number;
  readonly ms: number;
  readonly status?: number | undefined;
  readonly records?: number;
  readonly refused?: readonly Refused[];
  readonly error?: DeliveryError;
  readonly mayHaveArrived?: boolean;
}

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
  #log: readonly Attempt[] = [];
  /** On the clock that never steps back. */
  #nextAt: number | undefined;

  constructor(delivery: string, environment: Environment) {
    this.#delivery = delivery;
    this.#environment = environment;
  }

  /** Why the last attempt failed, while it is being repeated. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The last attempts, the newest first. */
  get log(): readonly Attempt[] {
    return this.#log;
  }

  /** How long until the next attempt, in ms; undefined while none is waited for. */
  get nextInMs(): number | undefined {
    if (this.#nextAt === undefined) return undefined;
    return Math.max(0, Math.ceil(this.#nextAt - this.#environment.clock.monotonic()));
  }

  /** An attempt ended. */
  attempted(end: AttemptEnd): void {
    const { at, ms, status, records = 0, refused = [], error } = end;
    const [first] = refused;
    const reason = error ?? first;
    const attempt: Attempt = {
      at,
      ms: Math.round(ms),
      outcome: outcomeOf(end),
      records,
      refused: refused.length,
      ...(status !== undefined && { status }),
      ...(reason !== undefined && { code: reason.code, message: shortened(reason.message) }),
    };
    this.#nextAt = undefined;
    this.#log = [attempt, ...this.#log].slice(0, firehoseLimits.attemptsShown);
  }

  /** The next attempt comes after so long. */
  waitsFor(ms: number): void {
    this.#nextAt = this.#environment.clock.monotonic() + ms;
  }

  /** Records were not taken while others were. */
  refused(records: number, { code, message }: Refused): void {
    const { log, meter } = this.#environment;
    const delivery = this.#delivery;
    this.attempts += 1;
    this.#failure = shortened(message);
    meter.count(firehoseEvents.attemptsFailed, { delivery });
    log.warn(firehoseEvents.refused, { delivery, records, code, message: shortened(message) });
  }

  /** Records are sent again that may have arrived. */
  repeated(records: number): void {
    this.#environment.meter.count(firehoseEvents.duplicates, { delivery: this.#delivery }, records);
  }

  /** An attempt failed. */
  failed(error: unknown): void {
    const { log, meter } = this.#environment;
    const delivery = this.#delivery;
    const message = shortened(messageOf(error));
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
    this.#nextAt = undefined;
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

function outcomeOf({ records = 0, refused = [], error, mayHaveArrived = false }: AttemptEnd): Attempt['outcome'] {
  if (error !== undefined) return mayHaveArrived ? 'unknown' : 'failed';
  if (refused.length === 0) return 'delivered';
  if (records > 0) return 'partly';
  return refused.some((one) => one.mayHaveArrived === true) ? 'unknown' : 'failed';
}

function shortened(text: string): string {
  return text.length > MESSAGE_MAX ? `${text.slice(0, MESSAGE_MAX)}...` : text;
}
