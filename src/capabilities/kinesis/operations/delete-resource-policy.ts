import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { KinesisState } from '../model.ts';
import { changeResource, policyNotFound } from '../resource.ts';
import { resourceArn, streamId, TARGET } from '../shapes.ts';

const input = s.struct({ ResourceARN: resourceArn, StreamId: s.optional(streamId) });

/** Removes the resource policy of a stream or consumer. */
export const deleteResourcePolicy = operation<KinesisState>()({
  name: 'DeleteResourcePolicy',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Removes the resource policy of a stream or consumer.',
  async handle({ ResourceARN }, { state }) {
    await changeResource(state, ResourceARN, ({ policy }) => {
      if (policy === undefined) throw policyNotFound(ResourceARN);
      return { policy: null };
    });
    return undefined;
  },
});
