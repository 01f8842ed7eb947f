import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../../kernel/errors.ts';
import { Principal, type Credential } from './principal.ts';

const IDENTITY = { region: 'us-east-1', account: '123456789012' };

function said(rules: Partial<Credential>, action: string, names: readonly string[]): string {
  const principal = new Principal({ accessKeyId: 'KEY', secretAccessKey: '', ...rules }, IDENTITY);
  try {
    principal.check(action, names.map((name) => ({ name, arn: name === '' ? '*' : `arn:${name}` })));
    return 'may';
  } catch (error) {
    assert.ok(error instanceof RequestError);
    assert.deepEqual([error.code, error.status], ['AccessDeniedException', 400]);
    return error.message;
  }
} // prettier-ignore

test('AWS’s sentence', () => {
  assert.equal(
    said({ allow: ['kinesis:Get*'] }, 'kinesis:PutRecord', ['a']),
    'User: arn:aws:iam::123456789012:user/KEY is not authorized to perform: kinesis:PutRecord on resource: arn:a ' +
      'because no identity-based policy allows the kinesis:PutRecord action',
  );
});

test('who may do what on what', () => {
  const table: readonly (readonly [rules: Partial<Credential>, action: string, names: readonly string[], may: boolean])[] = [
    [{}, 'kinesis:PutRecord', ['a'], true],
    [{}, 'kinesis:ListStreams', [], true],
    [{ allow: [] }, 'kinesis:PutRecord', ['a'], false],
    [{ allow: ['kinesis:PutRecord'] }, 'kinesis:PutRecord', ['a'], true],
    [{ allow: ['kinesis:PutRecord'] }, 'kinesis:PutRecords', ['a'], false],
    [{ allow: ['kinesis:PutRecord*'] }, 'kinesis:PutRecords', ['a'], true],
    [{ allow: ['KINESIS:putrecord?'] }, 'kinesis:PutRecords', ['a'], true],
    [{ allow: ['kinesis.PutRecord'] }, 'kinesis:PutRecord', ['a'], false],
    [{ allow: ['PutRecord'] }, 'kinesis:PutRecord', ['a'], false],
    [{ allow: ['kinesis:*'] }, 'firehose:PutRecord', ['a'], false],
    [{ allow: ['*'] }, 'admin:Write', [], true],
    [{ on: ['a'] }, 'kinesis:PutRecord', ['a'], true],
    [{ on: ['a'] }, 'kinesis:PutRecord', ['A'], false],
    [{ on: ['a'] }, 'kinesis:PutRecord', ['ab'], false],
    [{ on: ['a'] }, 'kinesis:GetRecords', ['a', 'b'], false],
    [{ on: ['a', 'b'] }, 'kinesis:GetRecords', ['a', 'b'], true],
    [{ on: ['a.b'] }, 'kinesis:PutRecord', ['axb'], false],
    [{ on: ['a*'] }, 'kinesis:PutRecord', ['a-1'], true],
    [{ on: ['a'] }, 'kinesis:ListStreams', [], false],
    [{ on: ['a'] }, 'kinesis:GetRecords', [''], false],
    [{ on: ['*'] }, 'kinesis:ListStreams', [], true],
    [{ on: [] }, 'kinesis:PutRecord', ['a'], false],
    [{ allow: ['kinesis:Get*'], on: ['a'] }, 'kinesis:PutRecord', ['a'], false],
  ]; // prettier-ignore
  for (const [rules, action, names, may] of table) {
    assert.equal(said(rules, action, names) === 'may', may, JSON.stringify([rules, action, names]));
  }
});
