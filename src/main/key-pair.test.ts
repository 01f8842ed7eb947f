import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairOf } from './key-pair.ts';

test('profiles of AWS’s credentials file', () => {
  const text = [
    '[default]', 'aws_access_key_id = D', 'aws_secret_access_key=d e/+= ', '',
    '# [work]', '[ work ]', ' aws_secret_access_key = w', 'region = x', 'aws_access_key_id=W', '[half]', 'aws_access_key_id=H',
  ].join('\r\n'); // prettier-ignore
  assert.deepEqual(pairOf(text, 'default'), { accessKeyId: 'D', secretAccessKey: 'd e/+=' });
  assert.deepEqual(pairOf(text, 'work'), { accessKeyId: 'W', secretAccessKey: 'w' });
  for (const profile of ['half', 'none', '']) assert.equal(pairOf(text, profile), undefined, profile);
});
