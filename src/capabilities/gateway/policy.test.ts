import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowsInvoke } from './policy.ts';

const ARN = 'arn:aws:execute-api:us-east-1:000000000000:millrace/$default/POST/hook';

test('policies: a denial wins, silence denies, and what is no policy says nothing', () => {
  const of = (...statements: readonly object[]): object => ({ Version: '2012-10-17', Statement: statements });
  const allow = { Action: 'execute-api:Invoke', Effect: 'Allow', Resource: ARN };
  const table: readonly (readonly [policy: unknown, allows: boolean | undefined])[] = [
    [of(allow), true],
    [{ Statement: allow }, true],
    [of({ ...allow, Action: ['x:Y', 'EXECUTE-API:*'], Resource: ['*'] }), true],
    [of({ ...allow, Resource: ARN.replace('POST', '*') }), true],
    [of({ ...allow, Resource: ARN.replace('POST', 'GET') }), false],
    [of({ ...allow, Action: 'lambda:Invoke' }), false],
    [of({ ...allow, Effect: 'Deny' }), false],
    [of(allow, { ...allow, Effect: 'Deny', Resource: '*' }), false],
    [of(allow, { ...allow, Effect: 'Deny', Resource: 'arn:other' }), true],
    [of(allow, { ...allow, Effect: 'allow' }), undefined],
    [of({ ...allow, Condition: {} }), undefined],
    [of({ ...allow, Resource: 7 }), undefined],
    [of({ ...allow, Action: [] }), undefined],
    [of(), undefined],
    [of(...Array.from({ length: 101 }, () => allow)), undefined],
    [{}, undefined],
    ['{}', undefined],
    [null, undefined],
  ];
  for (const [policy, allows] of table) assert.equal(allowsInvoke(policy, ARN), allows, JSON.stringify(policy));
});
