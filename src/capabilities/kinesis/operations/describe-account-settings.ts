import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { KinesisState } from '../model.ts';
import { commitment, TARGET } from '../shapes.ts';

const output = s.struct({ MinimumThroughputBillingCommitment: s.optional(commitment) });

/** Describes the settings of the account. */
export const describeAccountSettings = operation<KinesisState>()({
  name: 'DescribeAccountSettings',
  target: TARGET,
  input: s.struct({}),
  output,
  errors: ['LimitExceededException'],
  plane: 'control',
  doc: 'Describes the settings of the account: whether it is committed to a minimum of throughput.',
  async handle(_, { state }) {
    return { MinimumThroughputBillingCommitment: state.account.describe(state.environment.clock.now()) };
  },
});
