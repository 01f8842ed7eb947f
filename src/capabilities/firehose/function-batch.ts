import { decodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import { Defect } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { OutgoingRecord } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Records, StreamInfo } from '../../ports/records.ts';
import type { Offset, StoredRecord } from '../../ports/stream-store.ts';
import { EVENT_BACK, EVENT_FRONT, eventForms, type EventSource } from './function-event.ts';
import type { FunctionTarget } from './function-options.ts';
import { firehoseLimits } from './limits.ts';
import type { FailureCondition, LastCall } from './failure-document.ts';
import type { Gap, Range } from './model.ts';
import { outgoingRecords } from './outgoing.ts';

/** A part of a shard that is to leave as one event, or what remains of it; never the records themselves. */
export interface Piece extends Range {
  /** Records that were counted in it. */
  readonly records: number;
  /** About so many bytes of event. */
  readonly bytes: number;
  /** Failed calls since it began where it begins. */
  readonly tries: number;
  /** All calls so far, those for a larger piece too. */
  readonly calls: number;
  readonly last: LastCall | undefined;
  /** Set once it is to be given up: nothing of it is handed over any more. */
  readonly givenUp?: GivenUpItems;
}

/** Which records are given up, and why. */
export interface GivenUpItems {
  readonly condition: FailureCondition;
  readonly first: Item;
  readonly final: Item;
  readonly count: number;
}

/** One record of an event. */
export interface Item {
  readonly offset: Offset;
  readonly sequenceNumber: string;
  readonly at: number;
  readonly identifier: string;
}

/** A piece as it was read: what is too old for the function, and what it gets. */
export interface LoadedPiece {
  readonly aged: readonly Item[];
  readonly items: readonly Item[];
  readonly event: Uint8Array;
  readonly isDamaged: boolean;
}

/** Counts records of a shard until they fill an event. */
export class PieceGathering {
  readonly #from: Range;
  readonly #target: FunctionTarget;
  /** Where to read on. */
  to: Offset;
  records = 0;
  bytes = 0;
  /** Whether the next record would be one too many. */
  isFull = false;

  constructor(from: Omit<Range, 'to'>, target: FunctionTarget) {
    this.#from = { ...from, to: from.from };
    this.#target = target;
    this.to = from.from;
  }

  get piece(): Piece {
    const { to, records, bytes } = this;
    return { ...this.#from, to, records, bytes, tries: 0, calls: 0, last: undefined };
  }

  /** Takes what was read at `to`. */
  take(records: readonly StoredRecord[], next: Offset): void {
    for (const record of records) {
      const bytes = aboutEntryBytes(record);
      if (this.records > 0 && this.bytes + bytes > firehoseLimits.eventBytesMax) {
        this.isFull = true;
        this.to = record.offset;
        return;
      }
      this.records += 1;
      this.bytes += bytes;
      this.to = record.offset + 1n;
      this.isFull = this.records >= this.#target.batchSize;
      if (this.isFull) return;
    }
    this.to = next;
  }
}

/** Near enough: an event that comes out larger than Lambda's bound is halved. */
const ENTRY_BYTES = 700;

function aboutEntryBytes({ key, data }: Pick<StoredRecord, 'key' | 'data'>): number {
  return ENTRY_BYTES + 2 * key.length + 4 * Math.ceil(data.length / 3);
}

/** What a piece is read with. */
export interface PieceReader {
  readonly records: Records;
  readonly environment: Environment;
  readonly stream: StreamInfo;
  readonly source: Omit<EventSource, 'tries'>;
}

/** Reads a piece anew and makes the event of it. Rejects as Records.read does. */
export async function loadPiece(piece: Piece, target: FunctionTarget, reader: PieceReader): Promise<LoadedPiece> {
  const { records, environment, stream } = reader;
  const { clock } = environment;
  const form = eventForms[target.event];
  const source = { ...reader.source, tries: piece.tries };
  const [aged, items, parts]: [Item[], Item[], Buffer[]] = [[], [], []];
  let isDamaged = false;
  const options = {
    // As Lambda: what producers packed, their own libraries unpack.
    form: 'plain' as const,
    gone: ({ cause }: Gap): void => {
      isDamaged ||= cause === 'LogDamaged';
    },
    turn: async () => await nextTurn(clock),
  };
  const oldest = clock.now() - target.ageMsMax;
  for await (const some of outgoingRecords(records, stream, { ranges: [piece] }, options)) {
    const young = some.filter(({ at }) => items.length > 0 || at >= oldest);
    for (const record of some.slice(0, some.length - young.length)) aged.push(itemOf(record, ''));
    if (young.length === 0) continue;
    const front = items.length === 0 ? EVENT_FRONT : ',';
    parts.push(Buffer.from(front + young.map((record) => form.entry(record, source)).join(',')));
    for (const record of young) items.push(itemOf(record, form.identifier(record)));
  }
  parts.push(Buffer.from(EVENT_BACK));
  return { aged, items, event: Buffer.concat(parts), isDamaged };
}

/** The piece as one that is to be given up; `items` are its records, at least one. */
export function givenUp(piece: Piece, items: readonly Item[], condition: FailureCondition): Piece {
  const [first, final] = [items[0], items.at(-1)];
  if (first === undefined || final === undefined) throw new Defect('nothing can be given up');
  return { ...piece, givenUp: { condition, first, final, count: items.length } };
}

/** The piece from one of its records on. */
export function restOf(piece: Piece, items: readonly Item[], from: number): Piece {
  const first = items[from];
  return { ...piece, from: first?.offset ?? piece.to, records: items.length - from };
}

/** The piece as two, in order; of more than one record. */
export function halvesOf(piece: Piece, items: readonly Item[]): readonly [Piece, Piece] {
  const middle = Math.ceil(items.length / 2);
  const second = restOf(piece, items, middle);
  return [{ ...piece, to: second.from, records: middle }, second];
}

function itemOf({ sequenceNumber, at }: OutgoingRecord, identifier: string): Item {
  const offset = decodeSequenceNumber(sequenceNumber)?.offset;
  if (offset === undefined) throw new Defect(`${sequenceNumber} is no sequence number`);
  return { offset, sequenceNumber, at, identifier };
}
