import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { memberSchema } from '../src/kernel/schema/shapes.ts';
import type { Schema } from '../src/kernel/schema/declare.ts';
import { capabilities } from '../src/registry.ts';
import type { ModelAction, ModelShape } from './kinesis-model.ts';
import { knownServices } from './reference/known-actions.ts';

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

const TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'integer',
  long: 'long',
  double: 'double',
  boolean: 'boolean',
  blob: 'blob',
  timestamp: 'timestamp',
  list: 'list',
  map: 'map',
  struct: 'structure',
};

/** Says at which places a declaration differs from the model. */
function differences(path: string, declared: Schema, shape: ModelShape, isInput: boolean): string[] {
  const found: string[] = [];
  if (TYPES[declared.kind] !== shape.type) found.push(`${path} is a ${shape.type}`);
  if (isInput) found.push(...bounds(path, declared, shape));
  switch (declared.kind) {
    case 'struct': {
      const names = Object.keys(shape.members ?? {});
      for (const name of Object.keys(declared.members))
        if (!names.includes(name)) found.push(`${path}.${name} is unknown`);
      for (const [name, member] of Object.entries(shape.members ?? {})) {
        const own = declared.members[name];
        if (own === undefined) {
          found.push(`${path}.${name} is missing`);
          continue;
        }
        const isRequired = shape.required?.includes(name) ?? false;
        // What an answer always has may be optional in the model.
        if (isInput && isRequired !== (own.kind !== 'optional')) {
          found.push(`${path}.${name} is ${isRequired ? 'required' : 'optional'}`);
        } else if (!isInput && isRequired && own.kind === 'optional') found.push(`${path}.${name} is required`);
        found.push(...differences(`${path}.${name}`, memberSchema(own), member, isInput));
      }
      return found;
    }
    case 'list':
      return [...found, ...differences(`${path}[]`, declared.item, shape.item ?? { type: 'nothing' }, isInput)];
    case 'map':
      found.push(...differences(`${path}{key}`, declared.key, shape.key ?? { type: 'nothing' }, isInput));
      return [...found, ...differences(`${path}{}`, declared.value, shape.value ?? { type: 'nothing' }, isInput)];
    default:
      return found;
  }
}

function bounds(path: string, declared: Schema, shape: ModelShape): string[] {
  const { min, max, pattern, values } = declared as {
    readonly min?: number;
    readonly max?: number;
    readonly pattern?: string;
    readonly values?: readonly string[];
  };
  const found: string[] = [];
  if (min !== shape.min) found.push(`${path} has min ${shape.min}`);
  if (max !== shape.max) found.push(`${path} has max ${shape.max}`);
  // The one thing that the contract relaxes in texts: account ids.
  if (pattern?.replace('\\d{11,13}', '\\d{12}') !== shape.pattern) found.push(`${path} has pattern ${shape.pattern}`);
  const [own, theirs] = [values ?? [], shape.enum ?? []].map((one) => [...one].sort().join());
  if (own !== theirs) found.push(`${path} has values ${theirs}`);
  return found;
}

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

test('the comparison sees what differs', () => {
  const declared: Schema = {
    kind: 'struct',
    members: { A: { kind: 'string', max: 2, values: ['x'] }, B: { kind: 'optional', schema: { kind: 'integer' } } },
  };
  const shape: ModelShape = {
    type: 'structure',
    members: { A: { type: 'string', max: 3, pattern: '.', enum: ['y'] }, C: { type: 'list', item: { type: 'blob' } } },
  };
  assert.deepEqual(differences('x', declared, shape, true), [
    'x.B is unknown',
    'x.A is optional',
    'x.A has max 3',
    'x.A has pattern .',
    'x.A has values y',
    'x.C is missing',
  ]);
  assert.deepEqual(differences('x', { kind: 'integer' }, { type: 'long' }, false), ['x is a long']);
});
