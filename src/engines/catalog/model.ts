import type { CatalogEntry, CatalogOp, Json, Revision } from '../../ports/catalog.ts';
import type { Offset } from '../../ports/stream-store.ts';
import type { Command } from './command.ts';
import { SortedKeys } from './sorted-keys.ts';

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

/**
 * The catalog's state: a pure function of the commands folded into it, in order. Neither clock nor chance nor locale
 * has a part in it, so that every process that folds the same commands holds the same bytes.
 */
export class CatalogState {
  readonly keys = new SortedKeys();
  readonly entries = new Map<string, CatalogEntry>();
  /** In the order of their last commands. */
  readonly sessions = new Map<string, Session>();
  /** First offset not folded yet. */
  next: Offset = 0n;
  /** Log time: the latest time any command carried, in ms. */
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
    if (op.expect === undefined) return true;
    return (this.entries.get(op.key)?.revision ?? null) === op.expect;
  }

  #fits(ops: readonly CatalogOp[]): boolean {
    const after = new Map(ops.map((op) => [op.key, !('remove' in op)]));
    let count = this.entries.size;
    for (const [key, stays] of after) count += Number(stays) - Number(this.entries.has(key));
    return count <= KEYS_MAX || count <= this.entries.size;
  }

  #change(offset: Offset, ops: readonly CatalogOp[]): string[] {
    const changed = new Set<string>();
    for (const op of ops) {
      const exists = this.entries.has(op.key);
      if ('remove' in op) {
        if (!exists) continue;
        this.entries.delete(op.key);
        this.keys.remove(op.key);
      } else {
        this.put(op.key, offset, op.put);
      }
      changed.add(op.key);
    }
    return [...changed];
  }

  /** Sets an entry as it stands in a snapshot. */
  put(key: string, revision: Revision, value: Json): void {
    if (!this.entries.has(key)) this.keys.add(key);
    this.entries.set(key, { key, revision, value });
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
