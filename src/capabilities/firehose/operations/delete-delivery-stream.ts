import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { FirehoseState } from '../model.ts';
import { deliveryStreamName, TARGET } from '../shapes.ts';

/** Deletes a delivery stream; records that are not delivered yet are dropped, as on AWS. */
export const deleteDeliveryStream = operation<FirehoseState>()({
  name: 'DeleteDeliveryStream',
  target: TARGET,
  input: s.struct({ DeliveryStreamName: deliveryStreamName, AllowForceDelete: s.optional(s.boolean()) }),
  output: s.struct({}),
  errors: ['ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Deletes a delivery stream; records that are not delivered yet are dropped, as on AWS.',
  async handle(request, { state }) {
    await state.deliveries.remove(request.DeliveryStreamName);
    return {};
  },
});
