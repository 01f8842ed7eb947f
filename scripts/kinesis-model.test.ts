import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { capabilities } from '../src/registry.ts';
import { differences } from './model-differences.ts';
import { knownServices } from './reference/known-actions.ts';
import type { ModelAction } from './service-model.ts';

const model = JSON.parse(readFileSync('test/fixtures/kinesis-model.json', 'utf8')) as Record<string, ModelAction>;
const TARGET = 'Kinesis_20131202';
const operations = capabilities.flatMap((one) => one.operations).filter((one) => one.target === TARGET);
const built = operations.filter(({ isNotBuilt }) => isNotBuilt !== true);

/** Where we differ on purpose: path and what the model has there. */
const KNOWN: readonly string[] = [
  // Without a strategy that needs none every record has a partition key.
  'PutRecord.input.PartitionKey is optional',
  'PutRecords.input.Records[].PartitionKey is optional',
  // Clients know a shard's end by the number that is not there.
  'SubscribeToShard.events.SubscribeToShardEvent.ContinuationSequenceNumber is required',
];

test('the reference knows the actions of the model, and each is served or says that it is not built', () => {
  const names = Object.keys(model).sort();
  assert.equal(names.length, 57);
  assert.deepEqual(operations.map(({ name }) => name).sort(), names);
  const known = knownServices.find(({ target }) => target === TARGET)?.groups.flatMap(({ actions }) => actions);
  assert.deepEqual(known?.toSorted(), names);
  assert.equal(built.length, 39);
});

test('input, output and errors of every action that is built are those of the model', () => {
  const found: string[] = [];
  for (const { name, input, output, events, errors } of built) {
    const action = model[name];
    assert.ok(action !== undefined);
    found.push(...differences(`${name}.input`, input, action.input, true));
    const eventShapes = action.output?.members?.['EventStream']?.members;
    if (events !== undefined) {
      for (const [event, shape] of Object.entries(eventShapes ?? {})) {
        const own = events[event];
        if (own === undefined) found.push(`${name}.events.${event} is missing`);
        else found.push(...differences(`${name}.events.${event}`, own, shape, false));
      }
    } else if (output === undefined || action.output === undefined) {
      if (output !== action.output) found.push(`${name}.output is there once only`);
    } else found.push(...differences(`${name}.output`, output, action.output, false));
    for (const error of errors) if (!action.errors.includes(error)) found.push(`${name} knows no ${error}`);
  }
  assert.deepEqual(found.toSorted(), KNOWN.toSorted());
});
