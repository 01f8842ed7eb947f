import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ThrottleError } from '../../kernel/errors.ts';
import { encodeSequenceNumber, sequenceNumberEncoder } from '../../kernel/stream/sequence-number.ts';
import type { BatchOutcome, ShardInfo } from '../../ports/records.ts';
import { decodeCbor } from '../../wire/aws-cbor/decode.ts';
import { plainCbor } from '../../testing/plain-cbor.ts';
import { formOf } from './form.ts';
import { putAnswer } from './put-answer.ts';

const sentence = 'Rate exceeded for "shard" in stream ü.';
const refusal = (): ThrottleError => new ThrottleError('ProvisionedThroughputExceededException', sentence);

const shape = fc.record({
  firsts: fc.array(fc.option(fc.nat(Number.MAX_SAFE_INTEGER - 1000)), { minLength: 1, maxLength: 6 }),
  places: fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
});

/** An outcome over shards of which those without a first offset stored nothing. */
function outcome(firsts: readonly (number | null)[], places: readonly number[]): BatchOutcome {
  const parts = firsts.map((first, ordinal) => {
    if (first === null) return { failed: 'unavailable' } as const;
    const ref = { stream: 'a', generation: 7, ordinal };
    const shard = { id: `shardId-${String(ordinal).padStart(12, '0')}`, ref } as ShardInfo;
    return { shard, first: BigInt(first), at: 1, encode: sequenceNumberEncoder(ref) };
  });
  return { partOf: Uint16Array.from(places, (place) => place % firsts.length), parts };
}

/** The answer as plain code would make it. */
function plainly({ partOf, parts }: BatchOutcome): unknown {
  const taken = parts.map(() => 0n);
  const Records = Array.from(partOf, (index) => {
    const part = parts[index];
    if (part === undefined || 'failed' in part) return { ErrorCode: refusal().code, ErrorMessage: sentence };
    const offset = part.first + (taken[index] as bigint);
    taken[index] = (taken[index] as bigint) + 1n;
    return { SequenceNumber: encodeSequenceNumber(part.shard.ref, offset), ShardId: part.shard.id };
  });
  return { FailedRecordCount: Records.filter((record) => 'ErrorCode' in record).length, Records };
}

test('any outcome is answered record by record, in the order of the batch', () => {
  fc.assert(
    fc.property(shape, ({ firsts, places }) => {
      const given = outcome(firsts, places);
      for (const isEncrypted of [false, true]) {
        const wanted = { ...(plainly(given) as object), ...(isEncrypted && { EncryptionType: 'KMS' }) };
        const [json, cbor] = (['text', 'binary'] as const).map((form) => {
          return putAnswer(formOf({ form }).put, given, isEncrypted, refusal);
        });
        assert.equal(Buffer.from(json ?? []).toString(), JSON.stringify(wanted));
        assert.deepEqual(plainCbor(decodeCbor(cbor ?? Buffer.alloc(0))), wanted);
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});
