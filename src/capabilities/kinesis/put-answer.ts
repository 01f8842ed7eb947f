import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { ThrottleError } from '../../kernel/errors.ts';
import { SEQUENCE_NUMBER_BYTES, sequenceNumberWriter } from '../../kernel/stream/sequence-number.ts';
import { isStored, type BatchOutcome, type RecordFailure, type StoredPart } from '../../ports/records.ts';

/** How a form writes PutRecords' answer; texts have a character for each byte. */
export interface PutWords {
  /** Bytes between two records, at the begin of what is said of each. */
  readonly separatorBytes: number;
  before(failed: number, count: number, isEncrypted: boolean): string;
  /** In front of the digits of a record's sequence number. */
  readonly beforeNumber: string;
  afterNumber(shardId: string): string;
  /** All that is said of a record that was not stored. */
  refused(code: string, message: string): Uint8Array;
  after(isEncrypted: boolean): string;
}

/** What is said of the records of one part, one after the other. */
interface Line {
  /** The record's text with a separator in front. */
  readonly text: Buffer;
  /** Moves the text to the part's next record; absent where nothing was stored. */
  readonly next: (() => void) | undefined;
}

type Refusal = (failure: RecordFailure) => ThrottleError;

/** PutRecords' answer; `refusal` is what records are told that were not stored. */
export function putAnswer(
  words: PutWords,
  { partOf, parts }: BatchOutcome,
  isEncrypted: boolean,
  refusal: Refusal,
): Uint8Array {
  const lines = parts.map((part) => lineOf(words, part, refusal));
  let bytes = 0;
  let failed = 0;
  for (const index of partOf) {
    const { text, next } = lines[index] as Line;
    bytes += text.length;
    if (next === undefined) failed += 1;
  }
  const { separatorBytes } = words;
  const head = words.before(failed, partOf.length, isEncrypted);
  const tail = words.after(isEncrypted);
  // One separator less than there are records.
  const out = Buffer.allocUnsafe(head.length + bytes - separatorBytes + tail.length);
  let at = out.write(head, 'latin1');
  for (let record = 0; record < partOf.length; record += 1) {
    const { text, next } = lines[partOf[record] as number] as Line;
    next?.();
    at += text.copy(out, at, record === 0 ? separatorBytes : 0);
  }
  out.write(tail, at, 'latin1');
  return out;
}

function lineOf(words: PutWords, part: StoredPart | RecordFailure, refusal: Refusal): Line {
  if (!isStored(part)) {
    const { code, message } = refusal(part);
    return { text: asBuffer(words.refused(code, message)), next: undefined };
  }
  const { beforeNumber } = words;
  const number = '0'.repeat(SEQUENCE_NUMBER_BYTES);
  const text = Buffer.from(`${beforeNumber}${number}${words.afterNumber(part.shard.id)}`, 'latin1');
  const write = sequenceNumberWriter(part.shard.ref, text, beforeNumber.length);
  let offset = Number(part.first);
  const next = (): void => {
    write(offset);
    offset += 1;
  };
  return { text, next };
}
