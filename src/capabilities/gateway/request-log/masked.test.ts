import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headersForLog, queryForLog } from './masked.ts';

const NOTHING = { headers: [], parameters: [] };

test('headers and parameters whose names say that they prove something are masked', () => {
  const proofs = [
    'authorization', 'cookie', 'x-hub-signature-256', 'x-custom-token', 'x-api-key', 'x_api_key', 'apikey', 'x-key',
    'x-functions-key', 'ocp-apim-subscription-key', 'x-auth', 'x-auth-key', 'x-credential', 'x-password', 'x-passwd',
    'x-goog-iap-jwt-assertion', 'x-amz-firehose-access-key',
  ]; // prettier-ignore
  const others = [
    'idempotency-key', 'x-partition-key', 'x-routing-key', 'sec-websocket-key', 'x-author', 'user-agent', 'x-monkey',
    'x-github-delivery', 'keywords',
  ]; // prettier-ignore
  const given = Object.fromEntries([...proofs, ...others].map((name) => [name, 'v']));
  const masked = JSON.parse(headersForLog(given, NOTHING)) as Record<string, string>;
  assert.deepEqual(Object.keys(masked).filter((name) => masked[name] === '***').sort(), proofs.toSorted()); // prettier-ignore
  const secret =
    'token=v&accessToken=v&apiKey=v&api_key=v&clientSecret=v&pwd=v&jwt=v&X-Amz-Signature=v&sig=v&code=v&auth=v';
  assert.doesNotMatch(queryForLog(secret, NOTHING), /=v/);
  const open = 'monkey=v&author=v&barcode=v&q=v&page=v&assign=v';
  assert.equal(queryForLog(open, NOTHING), open);
});

test('names and values of headers are kept as they are, whatever stands in them', () => {
  const given = Object.fromEntries([
    ['__proto__', 'p'],
    ['constructor', ''],
    ['x-"quoted\\', 'a "text" \\ \u0001 \ud800 ü'],
    ['x-own', 'hidden'],
    ['x'.repeat(100), 'long'],
  ]);
  const kept = JSON.parse(headersForLog(given, { headers: ['x-own'], parameters: [] })) as object;
  const wanted = Object.entries(given).map(([name, value]) => [name, name === 'x-own' ? '***' : value]);
  assert.deepEqual(Object.entries(kept), wanted);
  assert.equal(headersForLog({}, NOTHING), '{}');
});
