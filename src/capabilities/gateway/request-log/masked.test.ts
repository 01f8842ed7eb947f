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
  const masked = headersForLog(Object.fromEntries([...proofs, ...others].map((name) => [name, 'v'])), NOTHING);
  assert.deepEqual(Object.keys(masked).filter((name) => masked[name] === '***').sort(), proofs.toSorted()); // prettier-ignore
  const secret =
    'token=v&accessToken=v&apiKey=v&api_key=v&clientSecret=v&pwd=v&jwt=v&X-Amz-Signature=v&sig=v&code=v&auth=v';
  assert.doesNotMatch(queryForLog(secret, NOTHING), /=v/);
  const open = 'monkey=v&author=v&barcode=v&q=v&page=v&assign=v';
  assert.equal(queryForLog(open, NOTHING), open);
});
