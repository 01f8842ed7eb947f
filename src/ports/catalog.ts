import type { Json } from '../kernel/json.ts';

export type { Json } from '../kernel/json.ts';

/** Position in the command log of the command that wrote a key. */
export type Revision = bigint;

/**
 * One change. `expect` absent: whatever stands there; `null`: the key must not exist; a revision: exactly that one.
 */
export type CatalogOp =
  | { readonly key: string; readonly expect?: Revision | null; readonly put: Json }
  | { readonly key: string; readonly expect?: Revision | null; readonly remove: true };

/** All operations of a proposal happen, or none. */
export type Verdict =
  | { readonly accepted: true; readonly revision: Revision }
  | { readonly accepted: false; readonly conflicts: readonly string[] };

export interface CatalogEntry {
  readonly key: string;
  readonly revision: Revision;
  readonly value: Json;
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
}
