import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { changeEncryption, requestedKey } from '../encryption.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, encryptionInput, TARGET } from '../shapes.ts';

const input = s.struct({
  DeliveryStreamName: deliveryStreamName,
  DeliveryStreamEncryptionConfigurationInput: s.optional(encryptionInput),
});

/** Says of later records that they are encrypted; ENABLED when the answer comes. */
export const startDeliveryStreamEncryption = operation<FirehoseState>()({
  name: 'StartDeliveryStreamEncryption',
  target: TARGET,
  input,
  output: s.struct({}),
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Says of later records that they are encrypted with a key, which is reported; they are not.',
  async handle(request, { state }) {
    const key = requestedKey(request.DeliveryStreamEncryptionConfigurationInput);
    await changeEncryption(state, request.DeliveryStreamName, key);
    return {};
  },
});
