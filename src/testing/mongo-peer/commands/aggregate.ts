import { ChangeStream, isChangeStream, type Scope } from '../change-stream.ts';
import { cursorAnswer } from '../cursors.ts';
import { unsupported } from '../errors.ts';
import { pipeline } from '../pipeline.ts';
import { numberOf, wholeNumber } from '../values.ts';
import { checkFields, collectionOf, documentIn, documentsIn, type Call, type Command } from './command.ts';
import { openList } from './find.ts';

/** Documents of a collection through stages, or a change stream. */
export const aggregate: Command = {
  fields: ['pipeline', 'cursor', 'allowDiskUse', 'bypassDocumentValidation'],
  run(call) {
    const { body, database, state } = call;
    const stages = documentsIn(body, 'pipeline');
    const options = documentIn(body, 'cursor');
    checkFields(options, ['batchSize'], 'aggregate.cursor');
    if (isChangeStream(stages)) return openStream(call, stages, options['batchSize']);
    if (typeof body['aggregate'] !== 'string') throw unsupported('an aggregation without a collection');
    const name = collectionOf(call, 'aggregate');
    const documents = pipeline(state.store.find(database, name, {}), stages);
    return openList(call, `${database}.${name}`, documents, options['batchSize']);
  },
};

function openStream(
  call: Call,
  stages: ReturnType<typeof documentsIn>,
  batchSize: unknown,
): ReturnType<Command['run']> {
  const { body, database, state } = call;
  const isWhole = Number(numberOf(body['aggregate']) ?? 0) === 1;
  const name = isWhole ? '$cmd.aggregate' : collectionOf(call, 'aggregate');
  const isAll = documentIn(stages[0] ?? {}, '$changeStream')['allChangesForCluster'] === true;
  const scope: Scope = isAll ? {} : isWhole ? { database } : { database, collection: name };
  const stream = new ChangeStream(state.log, state.store, scope, `${database}.${name}`, stages);
  const batch = stream.first(batchSize === undefined ? Infinity : wholeNumber(batchSize, 'batchSize'));
  return cursorAnswer(batch, 'firstBatch', stream.namespace, batch.isOver ? 0n : state.cursors.add(stream));
}
