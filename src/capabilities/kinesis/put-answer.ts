import type { ThrottleError } from '../../kernel/errors.ts';
import { SEQUENCE_NUMBER_BYTES, sequenceNumberWriter } from '../../kernel/stream/sequence-number.ts';
import { isStored, type BatchOutcome, type RecordFailure, type StoredPart } from '../../ports/records.ts';

const BEFORE_NUMBER = ',{"SequenceNumber":"';

/** What is said of the records of one part, one after the other. */
interface Line {
  /** The record's JSON with a comma in front. */
  readonly text: Buffer;
  /** Moves the text to the part's next record; absent where nothing was stored. */
  readonly next: (() => void) | undefined;
}

/** What a put's answer says at its end of records that are said to be encrypted. */
export const ENCRYPTED = ',"EncryptionType":"KMS"';

type Refusal = (failure: RecordFailure) => ThrottleError;

/** PutRecords' answer in UTF-8; `refusal` is what records are told that were not stored. */
export function putAnswer({ partOf, parts }: BatchOutcome, isEncrypted: boolean, refusal: Refusal): Uint8Array {
  const lines = parts.map((part) => lineOf(part, refusal));
  let bytes = 0;
  let failed = 0;
  for (const index of partOf) {
    const { text, next } = lines[index] as Line;
    bytes += text.length;
    if (next === undefined) failed += 1;
  }
  const head = `{"FailedRecordCount":${failed},"Records":[`;
  const tail = `]${isEncrypted ? ENCRYPTED : ''}}`;
  // One comma less than there are records.
  const out = Buffer.allocUnsafe(head.length + bytes - 1 + tail.length);
  let at = out.write(head);
  for (let record = 0; record < partOf.length; record += 1) {
    const { text, next } = lines[partOf[record] as number] as Line;
    next?.();
    at += text.copy(out, at, record === 0 ? 1 : 0);
  }
  out.write(tail, at);
  return out;
}

function lineOf(part: StoredPart | RecordFailure, refusal: Refusal): Line {
  if (!isStored(part)) {
    const { code, message } = refusal(part);
    return { text: Buffer.from(`,${JSON.stringify({ ErrorCode: code, ErrorMessage: message })}`), next: undefined };
  }
  // A shard's id needs no escapes.
  const text = Buffer.from(`${BEFORE_NUMBER}${'0'.repeat(SEQUENCE_NUMBER_BYTES)}","ShardId":"${part.shard.id}"}`);
  const write = sequenceNumberWriter(part.shard.ref, text, BEFORE_NUMBER.length);
  let offset = Number(part.first);
  const next = (): void => {
    write(offset);
    offset += 1;
  };
  return { text, next };
}
