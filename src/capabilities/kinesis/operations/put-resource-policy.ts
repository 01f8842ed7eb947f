import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import { kinesisError } from '../errors.ts';
import { kinesisLimits } from '../limits.ts';
import type { KinesisState } from '../model.ts';
import { changeResource } from '../resource.ts';
import { resourceArn, streamId, TARGET } from '../shapes.ts';

const input = s.struct({ ResourceARN: resourceArn, StreamId: s.optional(streamId), Policy: s.string() });

/** Keeps the resource policy of a stream or consumer. */
export const putResourcePolicy = operation<KinesisState>()({
  name: 'PutResourcePolicy',
  target: TARGET,
  input,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ResourceInUseException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Keeps the resource policy of a stream or consumer; it allows and denies nothing.',
  async handle({ ResourceARN, Policy: policy }, { state }) {
    checkPolicy(policy);
    await changeResource(state, ResourceARN, () => ({ policy }));
    return undefined;
  },
});

/** A policy is JSON with statements. */
function checkPolicy(policy: string): void {
  if (Buffer.byteLength(policy) > kinesisLimits.policyBytesMax) {
    const sentence = `The policy is larger than ${kinesisLimits.policyBytesMax} bytes.`;
    throw kinesisError('LimitExceededException', sentence);
  }
  if (!hasStatements(policy)) {
    throw kinesisError('InvalidArgumentException', 'The policy is no valid JSON with a Statement.');
  }
}

function hasStatements(policy: string): boolean {
  try {
    const { Statement } = (JSON.parse(policy) ?? {}) as { readonly Statement?: unknown };
    return typeof Statement === 'object' && Statement !== null;
  } catch {
    return false;
  }
}
