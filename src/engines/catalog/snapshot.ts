import { EnvironmentError } from '../../kernel/errors.ts';
import type { Json } from '../../ports/catalog.ts';
import { canonicalJson } from '../../kernel/json.ts';
import { CatalogState } from './model.ts';

/**
 * A snapshot is lines of JSON: one head, then sessions by age, then entries by key. It is a pure function of the state:
 * the same bytes wherever the same commands were folded.
 */
const FORMAT = 1;
/** Entries written between two pauses; keeps a turn of the event loop short. */
const SLICE_ENTRIES = 250;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The state as bytes. The state must not change meanwhile; `pause` is awaited between slices of the work. */
export async function encodeSnapshot(state: CatalogState, pause: () => Promise<void>): Promise<Uint8Array> {
  const parts = [encoder.encode(head(state))];
  for (let index = 0; index < state.keys.size; index += SLICE_ENTRIES) {
    await pause();
    let text = '';
    for (const key of state.keys.slice(index, SLICE_ENTRIES)) {
      const entry = state.entries.get(key);
      if (entry !== undefined) text += `${canonicalJson([key, entry.revision.toString(), entry.value])}\n`;
    }
    parts.push(encoder.encode(text));
  }
  return join(parts);
}

/** The state a snapshot holds. EnvironmentError when this release cannot read it. */
export function decodeSnapshot(bytes: Uint8Array): CatalogState {
  const state = new CatalogState();
  try {
    const [first = '', ...lines] = decoder.decode(bytes).split('\n');
    const start = JSON.parse(first) as Head;
    if (start.v !== FORMAT) throw new Error('another format');
    for (const line of lines.slice(0, start.sessions)) {
      const [id, opened, sequence, at] = JSON.parse(line) as [string, string, number, number];
      state.sessions.set(id, { opened: BigInt(opened), sequence, at });
    }
    for (const line of lines.slice(start.sessions, start.sessions + start.entries)) {
      const [key, revision, value] = JSON.parse(line) as [string, string, Json];
      state.put(key, BigInt(revision), value);
    }
    state.next = BigInt(start.next);
    state.clock = start.clock;
    if (state.entries.size !== start.entries) throw new Error('lines are missing');
    return state;
  } catch (error) {
    throw new EnvironmentError('EOTHER', 'the snapshot of the catalog is not readable by this release', error);
  }
}

interface Head {
  readonly v: number;
  readonly next: string;
  readonly clock: number;
  readonly sessions: number;
  readonly entries: number;
}

function head(state: CatalogState): string {
  const start = {
    v: FORMAT,
    next: state.next.toString(),
    clock: state.clock,
    sessions: state.sessions.size,
    entries: state.keys.size,
  };
  let text = `${canonicalJson(start)}\n`;
  for (const [id, session] of state.sessions) {
    text += `${canonicalJson([id, session.opened.toString(), session.sequence, session.at])}\n`;
  }
  return text;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
