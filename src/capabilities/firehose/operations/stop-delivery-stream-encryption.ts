import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { changeEncryption } from '../encryption.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, TARGET } from '../shapes.ts';

/** Says of later records that they are not encrypted; DISABLED when the answer comes. */
export const stopDeliveryStreamEncryption = operation<FirehoseState>()({
  name: 'StopDeliveryStreamEncryption',
  target: TARGET,
  input: s.struct({ DeliveryStreamName: deliveryStreamName }),
  output: s.struct({}),
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Says of later records that they are not encrypted.',
  async handle(request, { state }) {
    await changeEncryption(state, request.DeliveryStreamName, undefined);
    return {};
  },
});
