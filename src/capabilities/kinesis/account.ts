import type { Catalog, Json } from '../../ports/catalog.ts';
import { kinesisLimits } from './limits.ts';

const KEY = 'account/kinesis';

/** A commitment to a minimum of throughput, in ms; it ends at `endsAt`. */
interface Commitment {
  readonly startedAt: number;
  readonly endsAt?: number;
}

/** The commitment as AWS describes it at a moment; absent: there never was one. */
function describeCommitment(commitment: Commitment | undefined, now: number): Record<string, unknown> {
  if (commitment === undefined) return { Status: 'DISABLED' };
  const { startedAt, endsAt } = commitment;
  if (endsAt !== undefined && endsAt <= now) return { Status: 'DISABLED', StartedAt: startedAt, EndedAt: endsAt };
  return {
    Status: endsAt === undefined ? 'ENABLED' : 'ENABLED_UNTIL_EARLIEST_ALLOWED_END',
    StartedAt: startedAt,
    EarliestAllowedEndAt: startedAt + kinesisLimits.commitmentMs,
  };
}

/** Settings of the account: flags that other actions ask for, nothing is billed. */
export class Account {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Whether there is a commitment at the moment. */
  isCommitted(now: number): boolean {
    return this.describe(now)['Status'] !== 'DISABLED';
  }

  /** The commitment as AWS describes it. */
  describe(now: number): Record<string, unknown> {
    return describeCommitment(this.#commitment(), now);
  }

  /** Begins a commitment, or ends it: at once when it is a day old, else when it will be. Rejects with Unavailable. */
  async commit(isOn: boolean, now: number): Promise<void> {
    for (;;) {
      const entry = this.#catalog.get(KEY);
      const put = this.#changed(isOn, now);
      if (put === undefined) return;
      const op = { key: KEY, expect: entry?.revision ?? null, put: put as unknown as Json };
      if ((await this.#catalog.propose([op])).accepted) return;
    }
  }

  #commitment(): Commitment | undefined {
    return this.#catalog.get(KEY)?.value as unknown as Commitment | undefined;
  }

  /** Undefined where nothing changes. */
  #changed(isOn: boolean, now: number): Commitment | undefined {
    const commitment = this.#commitment();
    const isCommitted = this.isCommitted(now);
    if (isOn) {
      if (!isCommitted || commitment === undefined) return { startedAt: now };
      return commitment.endsAt === undefined ? undefined : { startedAt: commitment.startedAt };
    }
    if (!isCommitted || commitment === undefined || commitment.endsAt !== undefined) return undefined;
    return { ...commitment, endsAt: Math.max(now, commitment.startedAt + kinesisLimits.commitmentMs) };
  }
}
