import type { Catalog, CatalogOp, HeldLease, Revision } from '../../ports/catalog.ts';
import type { Environment } from '../../ports/environment.ts';

/** Part of a lease's time that its holder leaves unused, for clocks that do not run alike. */
const MARGIN = 0.2;

/**
 * Acquires the lease of `key` for a holder that nobody else can be taken for; undefined while somebody else has it.
 * The holder's time is counted from before the command was sent, so it ends before the log's clock can say so.
 */
export async function holdLease(
  catalog: Pick<Catalog, 'get' | 'propose'>,
  { clock, random }: Pick<Environment, 'clock' | 'random'>,
  key: string,
  ttlMs: number,
): Promise<HeldLease | undefined> {
  const owner = random.uuid();
  const sentAt = clock.monotonic();
  const { accepted } = await catalog.propose([{ key, lease: { owner, ttlMs } }]);
  const entry = catalog.get(key);
  if (!accepted || entry?.lease?.owner !== owner) return undefined;
  return new LeaseOfHolder({ catalog, clock, key, owner, ttlMs }, entry.revision, sentAt);
}

interface Terms {
  readonly catalog: Pick<Catalog, 'get' | 'propose'>;
  readonly clock: Environment['clock'];
  readonly key: string;
  readonly owner: string;
  readonly ttlMs: number;
}

class LeaseOfHolder implements HeldLease {
  readonly token: Revision;
  readonly guard: CatalogOp;
  readonly #terms: Terms;
  /** Monotonic time at which work must have stopped. */
  #deadline: number;
  #isOver = false;

  constructor(terms: Terms, token: Revision, sentAt: number) {
    this.#terms = terms;
    this.token = token;
    this.guard = { key: terms.key, expect: token, keep: true };
    this.#deadline = sentAt + terms.ttlMs * (1 - MARGIN);
  }

  leftMs(): number {
    return this.#isOver ? 0 : Math.max(0, this.#deadline - this.#terms.clock.monotonic());
  }

  async renew(): Promise<boolean> {
    if (this.#isOver) return false;
    const { catalog, clock, key, owner, ttlMs } = this.#terms;
    const sentAt = clock.monotonic();
    const { accepted } = await catalog.propose([{ key, expect: this.token, lease: { owner, ttlMs } }]);
    const entry = accepted ? catalog.get(key) : undefined;
    const isMine = entry?.lease?.owner === owner;
    if (isMine && entry.revision === this.token) {
      this.#deadline = Math.max(this.#deadline, sentAt + ttlMs * (1 - MARGIN));
      return !this.#isOver;
    }
    this.#isOver = true;
    // It had come to its end: what was acquired anew has another token, which no work under way knows.
    if (isMine) await this.#giveUp(entry.revision);
    return false;
  }

  async release(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#giveUp(this.token);
  }

  async #giveUp(token: Revision): Promise<void> {
    await this.#terms.catalog.propose([{ key: this.#terms.key, expect: token, remove: true }]);
  }
}
