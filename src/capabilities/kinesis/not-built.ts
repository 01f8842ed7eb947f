import { RequestError } from '../../kernel/errors.ts';
import * as s from '../../kernel/schema/declare.ts';
import { operation, type Operation } from '../../ports/operation.ts';
import type { KinesisState } from './model.ts';
import { TARGET } from './shapes.ts';

const QUEUES = [
  'AcknowledgeDeadLetterQueueRecords',
  'AcknowledgeQueueRecords',
  'CreateQueue',
  'DeleteQueue',
  'DescribeQueue',
  'ListQueues',
  'ReceiveDeadLetterQueueRecords',
  'ReceiveQueueRecords',
  'RestoreDeadLetterQueueRecords',
  'UpdateDeadLetterQueueRecordsVisibility',
  'UpdateQueue',
  'UpdateQueueRecordsVisibility',
];
const CHANNELS = ['CreateChannel', 'DeleteChannel', 'DescribeChannel', 'ListChannels', 'UpdateChannel'];
const STRATEGY = ['UpdateStreamRecordDistributionStrategy'];

/** Actions of the current model that say so instead of doing anything, whatever they are asked. */
export const notBuilt: readonly Operation<KinesisState>[] = [
  ...QUEUES.map((name) => refusing(name, 'Queues')),
  ...CHANNELS.map((name) => refusing(name, 'Channels')),
  ...STRATEGY.map((name) => refusing(name, 'Record distribution strategies')),
];

/** The code is the one that AWS answers where it does not have an action. */
function refusing(name: string, what: string): Operation<KinesisState> {
  return operation<KinesisState>()({
    name,
    target: TARGET,
    input: s.any(),
    errors: [],
    plane: 'control',
    isNotBuilt: true,
    doc: `${what} are not built yet.`,
    async handle() {
      throw new RequestError('UnknownOperationException', `${what} are not built yet: ${name} does nothing.`);
    },
  });
}
