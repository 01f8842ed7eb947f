import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAnswer } from './read-answer.ts';

const ANSWERS: readonly (readonly [text: string, answer: object])[] = [
  ['null', { json: 'null', printed: [] }],
  ['{"a":"!"}', { json: '{"a":"!"}', printed: [] }],
  ['!{"json":"[1]","printed":["a"]}', { json: '[1]', printed: ['a'] }],
  [
    '!{"failure":{"kind":"error","message":"Error: no","stack":""},"printed":[]}',
    { failure: { kind: 'error', message: 'Error: no', stack: '' }, printed: [] },
  ],
];
const FORGED = [
  '',
  'not json',
  '!',
  '!null',
  '!"not json"',
  '!{}',
  '!{"printed":[]}',
  '!{"json":"not json","printed":[]}',
  '!{"json":1,"printed":[]}',
  '!{"json":"1"}',
  '!{"json":"1","printed":"text"}',
  '!{"json":"1","printed":[1]}',
  '!{"failure":null,"printed":[]}',
  '!{"failure":{"kind":"time","message":"","stack":""},"printed":[]}',
  '!{"failure":{"kind":"error","message":{},"stack":""},"printed":[]}',
  '!{"failure":{"kind":"error","message":""},"printed":[]}',
];

test('answers of the guest', () => {
  for (const [text, answer] of ANSWERS) assert.deepEqual(readAnswer(text), answer, text);
});

test('what the guest does not say is no answer', () => {
  for (const text of FORGED) assert.equal(readAnswer(text), undefined, text);
});
