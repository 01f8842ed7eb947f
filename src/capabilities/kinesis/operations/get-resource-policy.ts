import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { KinesisState } from '../model.ts';
import { addressedResource, keptOf, policyNotFound } from '../resource.ts';
import { resourceArn, streamId, TARGET } from '../shapes.ts';

const input = s.struct({ ResourceARN: resourceArn, StreamId: s.optional(streamId) });

const output = s.struct({ Policy: s.string() });

/** Gives the resource policy of a stream or consumer as it was put. */
export const getResourcePolicy = operation<KinesisState>()({
  name: 'GetResourcePolicy',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Gives the resource policy of a stream or consumer as it was put.',
  async handle({ ResourceARN }, { state }) {
    const { policy } = keptOf(addressedResource(state, ResourceARN));
    if (policy === undefined) throw policyNotFound(ResourceARN);
    return { Policy: policy };
  },
});
