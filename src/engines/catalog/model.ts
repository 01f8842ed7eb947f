import type { CatalogEntry, CatalogOp } from '../../ports/catalog.ts';
import type { Offset } from '../../ports/stream-store.ts';
import type { Command } from './command.ts';
import { SortedEntries } from './sorted-entries.ts';

/** Most keys the catalog holds: it is the control plane, not a store for records. */
export const KEYS_MAX = 100_000;
/** Most sessions remembered; the one silent for longest goes first. */
export const SESSIONS_MAX = 10_000;
/** Log time after which a silent session is forgotten, in ms. */
export const SESSION_SILENT_MS = 24 * 3_600_000;

/** What one command did. `expired`: its session is not known any more, so nothing was done. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly changed: readonly string[] }
  | { readonly kind: 'conflicts'; readonly conflicts: readonly string[] }
  | { readonly kind: 'duplicate' | 'expired' | 'full' };

/** What is remembered of a session: where it was opened, its highest sequence, and the log time of its last command. */
export interface Session {
  readonly opened: Offset;
  readonly sequence: number;
  readonly at: number;
}

/** The state at one place of the log: it stays as it is while folding goes on. */
export interface FrozenState {
  readonly next: Offset;
  readonly clock: number;
  readonly sessions: readonly (readonly [id: string, session: Session])[];
  readonly entryCount: number;
  readonly entries: readonly (readonly CatalogEntry[])[];
}

/**
 * The catalog's state: a pure function of the commands folded into it, in order. Neither clock nor chance nor locale
 * has a part in it, so that every process that folds the same commands holds the same bytes.
 */
export class CatalogState {
  readonly entries = new SortedEntries();
  /** In the order of their last commands. */
  readonly sessions = new Map<string, Session>();
  /** First offset not folded yet. */
  next: Offset = 0n;
  /** Log time: the latest time any command carried, in ms. It never goes back, as the writers' clocks may. */
  clock = 0;

  /** Folds the next command. */
  apply(offset: Offset, at: number, command: Command): Outcome {
    this.next = offset + 1n;
    this.clock = Math.max(this.clock, at);
    const known = this.sessions.get(command.session);
    const outcome = this.#judge(offset, command, known);
    const lives = outcome.kind !== 'expired' && outcome.kind !== 'duplicate';
    if (lives) this.#remember(offset, command);
    this.#forgetSilent();
    return outcome;
  }

  /** A view of the state as it is now: cheap, since entries never change. */
  freeze(): FrozenState {
    const { next, clock } = this;
    return {
      next,
      clock,
      sessions: [...this.sessions],
      entryCount: this.entries.size,
      entries: this.entries.freeze(),
    };
  }

  #judge(offset: Offset, command: Command, known: Session | undefined): Outcome {
    // Only an opening may start a session: anything later is a late copy from one that was forgotten.
    if (command.sequence !== 1 && (known === undefined || known.opened !== command.opened)) return { kind: 'expired' };
    if (known !== undefined && command.sequence <= known.sequence) return { kind: 'duplicate' };
    const conflicts = command.ops.filter((op) => !this.#holds(op)).map((op) => op.key);
    if (conflicts.length > 0) return { kind: 'conflicts', conflicts: [...new Set(conflicts)] };
    if (!this.#fits(command.ops)) return { kind: 'full' };
    return { kind: 'accepted', changed: this.#change(offset, command.ops) };
  }

  #holds(op: CatalogOp): boolean {
    const entry = this.entries.get(op.key);
    if (op.expect !== undefined && (entry?.revision ?? null) !== op.expect) return false;
    if ('lease' in op) return entry === undefined || this.#mayLease(entry, op.lease.owner);
    // A lease that runs is touched only by who names its token.
    return op.expect !== undefined || !this.#runs(entry);
  }

  #mayLease(entry: CatalogEntry, owner: string): boolean {
    return entry.lease !== undefined && (entry.lease.owner === owner || !this.#runs(entry));
  }

  /** Whether a lease stands there that has not come to its end by the log's clock. */
  #runs(entry: CatalogEntry | undefined): boolean {
    return entry?.lease !== undefined && entry.lease.untilMs > this.clock;
  }

  #fits(ops: readonly CatalogOp[]): boolean {
    const after = new Map<string, boolean>();
    for (const op of ops) if (!('keep' in op)) after.set(op.key, !('remove' in op));
    let count = this.entries.size;
    for (const [key, stays] of after) count += Number(stays) - Number(this.entries.get(key) !== undefined);
    return count <= KEYS_MAX || count <= this.entries.size;
  }

  #change(offset: Offset, ops: readonly CatalogOp[]): string[] {
    const changed = new Set<string>();
    for (const op of ops) {
      const { key } = op;
      if ('keep' in op) continue;
      if ('put' in op) this.entries.set({ key, revision: offset, value: op.put });
      else if ('lease' in op) this.entries.set(this.#leased(offset, key, op.lease.owner, op.lease.ttlMs));
      else if (this.entries.get(key) === undefined) continue;
      else this.entries.remove(key);
      changed.add(key);
    }
    return [...changed];
  }

  /** A renewal keeps the token and never shortens; everything else begins a new lease under a new token. */
  #leased(offset: Offset, key: string, owner: string, ttlMs: number): CatalogEntry {
    const entry = this.entries.get(key);
    const untilMs = this.clock + ttlMs;
    if (entry?.lease?.owner === owner && this.#runs(entry)) {
      return { ...entry, lease: { owner, untilMs: Math.max(untilMs, entry.lease.untilMs) } };
    }
    return { key, revision: offset, value: null, lease: { owner, untilMs } };
  }

  #remember(offset: Offset, command: Command): void {
    this.sessions.delete(command.session);
    if (command.ends) return;
    const { session, sequence, opened = offset } = command;
    this.sessions.set(session, { opened, sequence, at: this.clock });
  }

  #forgetSilent(): void {
    for (const [id, session] of this.sessions) {
      const silent = session.at < this.clock - SESSION_SILENT_MS;
      if (!silent && this.sessions.size <= SESSIONS_MAX) return;
      this.sessions.delete(id);
    }
  }
}
