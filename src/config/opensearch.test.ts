import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSearchProblems } from './opensearch.ts';

test('what each entry needs, and what it cannot have', () => {
  const basic = { username: 'me', password: 'word' };
  const keys = { accessKeyId: 'a', secretAccessKey: 's' };
  const table: readonly (readonly [name: string, entry: object, what: string | undefined])[] = [
    ['https://search.example:9200/logs', basic, undefined],
    ['https://search.example', { sigv4: {} }, undefined],
    ['https://search.example', { sigv4: { ...keys, sessionToken: 't', region: 'eu-west-1' } }, undefined],
    ['logs', { endpoint: 'https://search.example', ...basic }, undefined],
    ['logs', basic, 'is no URL, and without endpoint nothing says where this domain is'],
    ['logs', { endpoint: 'https://' }, 'https:// is no URL'],
    ['https://', basic, 'https:// is no URL'],
    ['https://a.example', { endpoint: 'https://b.example' }, 'is a URL, and endpoint is another; keep one'],
    ['https://me:word@a.example', {}, 'a URL with a name or a password in it would be shown: give them beside it'],
    ['https://a.example', { username: 'me' }, 'username and password go together'],
    ['https://a.example', { password: 'word' }, 'username and password go together'],
    ['https://a.example', { ...basic, sigv4: {} }, 'has a password and sigv4; keep one'],
    ['https://a.example', { sigv4: { accessKeyId: 'a' } }, 'sigv4: accessKeyId and secretAccessKey go together'],
    ['https://a.example', { sigv4: { sessionToken: 't' } }, 'sigv4: a sessionToken goes with keys'],
  ];
  for (const [name, entry, what] of table) {
    const wanted = what === undefined ? [] : [{ path: ['opensearch', name], what, expected: '', hint: '' }];
    assert.deepEqual(openSearchProblems({ [name]: entry }), wanted, JSON.stringify([name, entry]));
  }
  assert.deepEqual(openSearchProblems(undefined), []);
});
