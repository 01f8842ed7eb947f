import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../../kernel/errors.ts';
import { fakeRequest, type FakeRequest } from '../../testing/fake-request.ts';
import { checkSignatureShape } from './signature-shape.ts';

const SIGNED = 'AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0';
const DATE = { 'x-amz-date': '20260101T000000Z' };
const QUERY = 'X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-SignedHeaders=d&X-Amz-Date=e';

const MISSING = 'MissingAuthenticationTokenException: Missing Authentication Token';
const NO_CREDENTIAL = "Authorization header requires 'Credential' parameter.";
const NO_SIGNATURE = "Authorization header requires 'Signature' parameter.";
const NO_HEADERS = "Authorization header requires 'SignedHeaders' parameter.";
const NO_DATE = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
const INCOMPLETE = 'IncompleteSignatureException:';
const LOOK = 'Re-examine the query-string parameters.';

function said(parts: FakeRequest): string {
  try {
    checkSignatureShape(fakeRequest(parts));
    return 'fine';
  } catch (error) {
    assert.ok(error instanceof RequestError);
    assert.equal(error.status, 400);
    return `${error.code}: ${error.message}`;
  }
}

test('signed in the header', () => {
  const table: readonly (readonly [headers: Readonly<Record<string, string>>, said: string])[] = [
    [{ ...DATE, authorization: SIGNED }, 'fine'],
    [{ date: 'Thu, 01 Jan 2026 00:00:00 GMT', authorization: SIGNED }, 'fine'],
    [{ ...DATE, authorization: SIGNED.replaceAll(', ', ',') }, 'fine'],
    [{ ...DATE, authorization: `  ${SIGNED}  ` }, 'fine'],
    [{ ...DATE }, MISSING],
    [{ ...DATE, authorization: '' }, MISSING],
    [{ ...DATE, authorization: 'Bearer token' }, MISSING],
    [{ authorization: SIGNED }, `${INCOMPLETE} ${NO_DATE}`],
    [{ ...DATE, authorization: 'AWS4-HMAC-SHA256' }, `${INCOMPLETE} ${NO_CREDENTIAL} ${NO_SIGNATURE} ${NO_HEADERS}`],
    [{ ...DATE, authorization: SIGNED.replace('Credential', 'Credentials') }, `${INCOMPLETE} ${NO_CREDENTIAL}`],
    [{ ...DATE, authorization: SIGNED.replace(', Signature=0', '') }, `${INCOMPLETE} ${NO_SIGNATURE}`],
    [
      { ...DATE, authorization: SIGNED.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256') },
      `${INCOMPLETE} The algorithm must be AWS4-HMAC-SHA256.`,
    ],
  ];
  for (const [headers, expected] of table) assert.equal(said({ headers }), expected, JSON.stringify(headers));
});

test('signed in the query', () => {
  const lacks = (name: string): string => `AWS query-string parameters must include '${name}'.`;
  const table: readonly (readonly [query: string, said: string])[] = [
    [QUERY, 'fine'],
    [QUERY.replace('&X-Amz-Date=e', ''), `${INCOMPLETE} ${lacks('X-Amz-Date')} ${LOOK}`],
    [QUERY.replace('X-Amz-Credential=b', 'X-Amz-Credential='), `${INCOMPLETE} ${lacks('X-Amz-Credential')} ${LOOK}`],
    [
      'X-Amz-Algorithm=a&X-Amz-Date=e&X-Amz-Credential=b',
      `${INCOMPLETE} ${lacks('X-Amz-Signature')} ${lacks('X-Amz-SignedHeaders')} ${LOOK}`,
    ],
    ['X-Amz-Credential=b', MISSING],
  ];
  for (const [query, expected] of table) assert.equal(said({ query }), expected, query);
  const both = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.";
  const headers = { ...DATE, authorization: SIGNED };
  assert.equal(said({ query: QUERY, headers }), `InvalidSignatureException: ${both}`);
});

test('a refusal never repeats the credential', () => {
  const authorization = 'AWS4-HMAC-SHA256 Credential=AKIDSECRET/20260101, Signature=deadbeef';
  const refused = said({ headers: { authorization } });
  assert.match(refused, /^IncompleteSignatureException/);
  assert.doesNotMatch(refused, /AKIDSECRET|deadbeef/);
});
