import { createHash } from 'node:crypto';
import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import { canonicalJson } from '../../kernel/json.ts';
import type { CatalogEntry, Json } from '../../ports/catalog.ts';
import type { Clock } from '../../ports/environment.ts';
import type { Digest } from './command.ts';
import { CatalogState, type FrozenState } from './model.ts';
import { Turn } from './turn.ts';

/**
 * A snapshot is lines of JSON: one head, sessions by age, entries by key, and the SHA-256 of all bytes before its own
 * line. It is a pure function of the state: the same bytes wherever the same commands were folded.
 */
export const SNAPSHOT_FORMAT = 3;
/** The same lines, of streams that hold their shards inside; still read. */
const FORMAT_OF_WHOLE_STREAMS = 2;
/** Without leases and without a hash; still read. */
const FORMAT_WITHOUT_HASH = 1;
/** Most characters of one part, unless a single line is longer. */
const PART_CHARACTERS = 256 * 1024;
/** Bytes of lines that are read in one step. */
const STEP_BYTES = 16 * 1024;
const NEWLINE = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** What a snapshot holds. */
export interface StoredState {
  readonly state: CatalogState;
  /** Absent for snapshots of the first format. */
  readonly digest?: Digest;
}

/** The parts of a snapshot, each made in one short turn; returns the hash of their bytes. */
export async function* encodeSnapshot(frozen: FrozenState, clock: Clock): AsyncGenerator<Uint8Array, string> {
  const hash = createHash('sha256');
  const turn = new Turn(clock);
  let text = '';
  await turn.next();
  for (const line of lines(frozen)) {
    text += line;
    if (text.length < PART_CHARACTERS && !turn.isOver) continue;
    const part = encoder.encode(text);
    hash.update(part);
    text = '';
    yield part;
    await turn.next();
  }
  hash.update(text);
  const hex = hash.digest('hex');
  yield encoder.encode(`${text}${hashLine(hex)}`);
  return hex;
}

/** The state a snapshot holds. EnvironmentError when this release cannot read it. */
export async function decodeSnapshot(bytes: Uint8Array, clock: Clock): Promise<StoredState> {
  try {
    const reading = new SnapshotReading(asBuffer(bytes));
    const turn = new Turn(clock);
    while (reading.step()) if (turn.isOver) await turn.next();
    return reading.result();
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

function* lines({ next, clock, sessions, entries, entryCount }: FrozenState): Generator<string> {
  const head = { v: SNAPSHOT_FORMAT, next: next.toString(), clock, sessions: sessions.length, entries: entryCount };
  yield `${canonicalJson(head)}\n`;
  for (const [id, { opened, sequence, at }] of sessions) {
    yield `${canonicalJson([id, opened.toString(), sequence, at])}\n`;
  }
  for (const block of entries) for (const entry of block) yield entryLine(entry);
}

function entryLine({ key, revision, value, lease }: CatalogEntry): string {
  const held = lease === undefined ? [] : [{ o: lease.owner, t: lease.untilMs }];
  return `${canonicalJson([key, revision.toString(), value, ...held])}\n`;
}

function hashLine(hex: string): string {
  return `{"sha256":"${hex}"}\n`;
}

/** Reads a snapshot in steps of a few lines. */
class SnapshotReading {
  readonly #bytes: Buffer;
  readonly #state = new CatalogState();
  readonly #hash = createHash('sha256');
  /** Where the lines end; what follows is the line of the hash, if there is one. */
  readonly #end: number;
  #at: number;
  readonly #head: Head;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#at = bytes.indexOf(NEWLINE) + 1;
    this.#head = JSON.parse(decoder.decode(bytes.subarray(0, this.#at))) as Head;
    const { v, next, clock } = this.#head;
    if (![SNAPSHOT_FORMAT, FORMAT_OF_WHOLE_STREAMS, FORMAT_WITHOUT_HASH].includes(v)) throw new Error('another format');
    this.#end = v === FORMAT_WITHOUT_HASH ? bytes.length : bytes.length - hashLine('').length - 64;
    this.#hash.update(bytes.subarray(0, this.#at));
    this.#state.next = BigInt(next);
    this.#state.clock = clock;
  }

  /** Takes some lines more; false when there are none. */
  step(): boolean {
    if (this.#at >= this.#end) return false;
    const newline = this.#bytes.lastIndexOf(NEWLINE, Math.min(this.#at + STEP_BYTES, this.#end) - 1);
    const stop = newline >= this.#at ? newline : this.#bytes.indexOf(NEWLINE, this.#at);
    if (stop < 0 || stop >= this.#end) throw new Error('a line is cut');
    const some = this.#bytes.subarray(this.#at, stop + 1);
    this.#at = stop + 1;
    this.#hash.update(some);
    const texts = decoder.decode(some).split('\n');
    for (const text of texts.slice(0, -1)) this.#line(text);
    return true;
  }

  result(): StoredState {
    const state = this.#state;
    const { v, sessions, entries } = this.#head;
    if (state.sessions.size !== sessions || state.entries.size !== entries) throw new Error('lines are missing');
    if (v === FORMAT_WITHOUT_HASH) return { state };
    const hash = this.#hash.digest('hex');
    if (decoder.decode(this.#bytes.subarray(this.#end)) !== hashLine(hash)) throw new Error('the hash differs');
    return { state, digest: { at: state.next, format: v, hash } };
  }

  #line(text: string): void {
    const { sessions } = this.#state;
    if (sessions.size < this.#head.sessions) {
      const [id, opened, sequence, at] = JSON.parse(text) as [string, string, number, number];
      sessions.set(id, { opened: BigInt(opened), sequence, at });
      return;
    }
    const [key, revision, value, held] = JSON.parse(text) as [string, string, Json, { o: string; t: number }?];
    const lease = held === undefined ? {} : { lease: { owner: held.o, untilMs: held.t } };
    this.#state.entries.set({ key, revision: BigInt(revision), value, ...lease });
  }
}
