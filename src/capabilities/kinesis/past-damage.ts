import { RequestError } from '../../kernel/errors.ts';
import { encodeSequenceNumber } from '../../kernel/stream/sequence-number.ts';
import type { ShardInfo } from '../../ports/records.ts';
import { Damaged, type Slice } from '../../ports/stream-store.ts';

/** What was read; where the log is damaged the reader is told where to go on: InternalFailure. */
export async function sayingWhereToGoOn(shard: ShardInfo, reading: Promise<Slice>): Promise<Slice> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    const next = encodeSequenceNumber(shard.ref, error.next);
    const place = `Records of ${shard.id} in front of sequence number ${next} cannot be read: the disk does not hold`;
    const sentence = `${place} what was written. A reader goes on behind them with AT_SEQUENCE_NUMBER ${next}.`;
    throw new RequestError('InternalFailure', sentence, 500);
  }
}
