import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutSecrets } from './without-secrets.ts';

test('what others repeat of secrets is not shown', () => {
  const secrets = ['', 'pass', 'password', 'a"b'];
  const table: readonly (readonly [said: string, shown: string])[] = [
    ['nothing of it', 'nothing of it'],
    ['password and pass', '*** and ***'],
    ['{"reason":"a\\"b"} a"b', '{"reason":"***"} ***'],
    ['Authorization: Basic bWU6eA==\nnext', 'Authorization: ***\nnext'],
    ['{"authorization":["Basic bWU6eA=="],"status":401}', '{"authorization":["***"],"status":401}'],
    ['"{\\"Authorization\\": \\"AWS4-HMAC-SHA256 Credential=A, Signature=f\\"}"', '"{\\"Authorization\\": \\"***\\"}"'],
    ['no authorization for this', 'no authorization for this'],
  ];
  for (const [said, shown] of table) assert.equal(withoutSecrets(said, secrets), shown);
});
