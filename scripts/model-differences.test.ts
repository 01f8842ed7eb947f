import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../src/kernel/schema/declare.ts';
import { differences } from './model-differences.ts';
import type { ModelShape } from './service-model.ts';

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
