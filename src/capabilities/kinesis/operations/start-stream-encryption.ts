import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { addressedStream } from '../address.ts';
import { changeEncryption } from '../encryption.ts';
import type { KinesisState } from '../model.ts';
import { encryptionType, keyId, streamArn, streamId, streamName, TARGET } from '../shapes.ts';

const input = s.struct({
  StreamName: s.optional(streamName),
  EncryptionType: encryptionType,
  KeyId: keyId,
  StreamARN: s.optional(streamArn),
  StreamId: s.optional(streamId),
});

/** Says of later records that they are encrypted with a key. */
export const startStreamEncryption = operation<KinesisState>()({
  name: 'StartStreamEncryption',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Says of later records that they are encrypted with a KMS key, which is reported; they are not.',
  async handle(request, { state }) {
    const stream = addressedStream(state, request);
    await changeEncryption(state, stream, request.EncryptionType, request.KeyId);
    return undefined;
  },
});
