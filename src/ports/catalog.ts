import type { Json } from '../kernel/json.ts';

export type { Json } from '../kernel/json.ts';

/** Position in the command log of the command that wrote a key; of a lease its token: where it was acquired. */
export type Revision = bigint;

/** What is asked for a lease. */
export interface LeaseRequest {
  /** Names one life of one holder, of up to 256 characters: nobody else, and no later start, has the same. */
  readonly owner: string;
  /** From 1 ms to a day, counted by the log's clock. */
  readonly ttlMs: number;
}

/**
 * One change. `expect` absent: whatever stands there, but not a lease that runs; `null`: the key must not exist; a
 * revision: exactly that one. `lease` acquires or, for the owner of a lease that runs, renews; it is refused while
 * another owner's lease runs. `keep` changes nothing: it only states what must be so, such as a lease's token.
 */
export type CatalogOp =
  | { readonly key: string; readonly expect?: Revision | null; readonly put: Json }
  | { readonly key: string; readonly expect?: Revision | null; readonly remove: true }
  | { readonly key: string; readonly expect?: Revision | null; readonly lease: LeaseRequest }
  | { readonly key: string; readonly expect: Revision | null; readonly keep: true };

/** All operations of a proposal happen, or none. */
export type Verdict =
  | { readonly accepted: true; readonly revision: Revision }
  | { readonly accepted: false; readonly conflicts: readonly string[] };

/** Who has a key, and the log time in ms from which on somebody else may. */
export interface Lease {
  readonly owner: string;
  readonly untilMs: number;
}

/** What stands under a key: a value, or a lease with `value` null. */
export interface CatalogEntry {
  readonly key: string;
  readonly revision: Revision;
  readonly value: Json;
  readonly lease?: Lease;
}

/**
 * A lease from its holder's side. It spares double work; safety comes from its token, which each commit that needs
 * the lease must name.
 */
export interface HeldLease {
  /** Larger than that of any earlier lease of the key; the same for as long as it is held. */
  readonly token: Revision;
  /** Put into a proposal, makes it fail once the lease is somebody else's. */
  readonly guard: CatalogOp;
  /** How long work may still go on, in ms; 0 once somebody else might have the lease. */
  leftMs(): number;
  /** False when the lease is lost. Rejects with Unavailable: then the time left is what it was. */
  renew(): Promise<boolean>;
  /** Gives it up, so that nobody has to wait for its end; a lost one is fine. Rejects with Unavailable. */
  release(): Promise<void>;
}

/** The control plane: a deterministic fold over the command log. Keys are `kind/name`. */
export interface Catalog {
  /** Answers only after the own command was read back from the log. Rejects with Unavailable. */
  propose(ops: readonly CatalogOp[]): Promise<Verdict>;
  /** Local view. */
  get(key: string): CatalogEntry | undefined;
  /** Local view of all keys that start with `prefix`, sorted by code unit. */
  list(prefix: string): readonly CatalogEntry[];
  /** Resolves when the local view holds everything accepted before the call: a strong read. */
  sync(): Promise<void>;
  /** Calls `changed` after each change of a key under `prefix`; the returned function ends it. */
  watch(prefix: string, changed: (key: string) => void): () => void;
  /** Acquires the lease of `key` for `ttlMs`; undefined while somebody else has it. Rejects with Unavailable. */
  hold(key: string, ttlMs: number): Promise<HeldLease | undefined>;
}
