import * as s from '../../../kernel/schema/declare.ts';
import { operation } from '../../../ports/operation.ts';
import type { KinesisState } from '../model.ts';
import { commitment, TARGET } from '../shapes.ts';

const input = s.struct({
  MinimumThroughputBillingCommitment: s.struct({ Status: s.string({ values: ['ENABLED', 'DISABLED'] }) }),
});

const output = s.struct({ MinimumThroughputBillingCommitment: s.optional(commitment) });

/** Begins or ends the account's commitment to a minimum of throughput. */
export const updateAccountSettings = operation<KinesisState>()({
  name: 'UpdateAccountSettings',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'LimitExceededException', 'ValidationException'],
  plane: 'control',
  doc: 'Begins or ends the commitment to a minimum of throughput, which lasts a day at least; nothing is billed.',
  async handle({ MinimumThroughputBillingCommitment: { Status } }, { state }) {
    const now = state.environment.clock.now();
    await state.account.commit(Status === 'ENABLED', now);
    return { MinimumThroughputBillingCommitment: state.account.describe(now) };
  },
});
