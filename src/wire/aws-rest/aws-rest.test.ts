import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeEnvironment } from '../../environments/node/index.ts';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { RestOperation } from '../../ports/rest-operation.ts';
import { Unavailable } from '../../ports/stream-store.ts';
import { fakeRequest, type FakeRequest } from '../../testing/fake-request.ts';
import { textOf } from '../../testing/text-of.ts';
import { Gate } from '../sigv4/gate.ts';
import type { Credential } from '../sigv4/principal.ts';
import { signRequest } from '../sigv4/sign.ts';
import { createAwsRest } from './index.ts';

const identity = { region: 'us-east-1', account: '000000000000' };
const FAILURES: Readonly<Record<string, Error>> = {
  missing: new RequestError('ResourceNotFoundException', 'no such thing', 404),
  busy: new ThrottleError('TooManyRequestsException', 'Rate Exceeded.'),
  full: new ThrottleError('ServiceUnavailable', 'too much is under way'),
  unstored: new Unavailable('the disk is full'),
};

const operation: RestOperation<unknown> = {
  name: 'DoThing',
  method: 'POST',
  path: '/v1/things/{name}',
  plane: 'data',
  errors: {},
  doc: '',
  bodyBytesMax: 10,
  resources: ({ name = '' }) => [{ name, arn: `arn:${name}` }],
  handle: async ({ parameters, query, body }) => {
    const { name = '' } = parameters;
    const failure = FAILURES[name];
    if (failure !== undefined) throw failure;
    return { status: 200, headers: {}, body: `${name} ${query.get('q')} ${Buffer.from(body).toString()}` };
  },
};

const SHAPE = {
  host: 'h',
  authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  'x-amz-date': '20260101T000000Z',
};
const KEY = { accessKeyId: 'KEY', secretAccessKey: 'the secret of this pair' };
const PAIRS: readonly Credential[] = [{ ...KEY, allow: ['lambda:DoThing'], on: ['one'] }];

function signed(path: string): FakeRequest {
  const url = new URL(`http://h${path}`);
  const headers = signRequest(
    { method: 'POST', url, headers: {}, body: 'b' },
    { ...KEY, region: 'us-east-1', service: 'lambda', now: Date.now() },
  );
  return { path, headers: { host: 'h', ...headers }, body: 'b' };
}

async function answer(request: FakeRequest, credentials?: readonly Credential[]): Promise<string> {
  const gate = new Gate(credentials, identity, createNodeEnvironment({ log: 'silent' }));
  const audit = { note: async <T>(_entry: unknown, change: () => Promise<T>): Promise<T> => await change() };
  const rest = createAwsRest({
    operations: [{ operation, state: undefined, service: 'lambda' }],
    gate,
    identity,
    audit,
  });
  assert.equal(rest('/v1/things'), undefined);
  const handle = rest(request.path ?? '');
  assert.ok(handle !== undefined);
  const { status, headers, body } = await handle(fakeRequest(request));
  return `${status} ${headers['x-amzn-errortype'] ?? 'ok'} ${textOf(body)}`;
}

test('paths are served with their parts, and failures told as AWS’s REST services do', async () => {
  const table: readonly (readonly [request: FakeRequest, said: string, credentials?: readonly Credential[]])[] = [
    [{ path: '/v1/things/a%3Ab', query: 'q=1', headers: SHAPE, body: 'x' }, '200 ok a:b 1 x'],
    [
      { path: '/v1/things/missing', headers: SHAPE },
      '404 ResourceNotFoundException {"Type":"User","Message":"no such thing"',
    ],
    [
      { path: '/v1/things/busy', headers: SHAPE },
      '429 TooManyRequestsException {"Type":"User","Message":"Rate Exceeded."',
    ],
    [{ path: '/v1/things/full', headers: SHAPE }, '503 ServiceException {"Type":"Service"'],
    [{ path: '/v1/things/unstored', headers: SHAPE }, '503 ServiceException {"Type":"Service"'],
    [{ path: '/v1/things/a', headers: SHAPE, body: 'x'.repeat(11) }, '413 RequestEntityTooLargeException'],
    [{ path: '/v1/things/a', headers: SHAPE, method: 'GET' }, '405 MethodNotAllowedException'],
    [{ path: '/v1/things/a' }, '403 MissingAuthenticationTokenException'],
    [{ path: '/v1/things/a', headers: SHAPE }, '403 UnrecognizedClientException', PAIRS],
    [signed('/v1/things/one'), '200 ok one null b', PAIRS],
    [
      signed('/v1/things/other'),
      '403 AccessDeniedException {"Type":"User","Message":"User: arn:aws:iam::000000000000:user/KEY',
      PAIRS,
    ],
    [{ ...signed('/v1/things/one'), body: 'c' }, '403 InvalidSignatureException', PAIRS],
  ];
  for (const [request, said, credentials] of table) {
    assert.equal((await answer(request, credentials)).slice(0, said.length), said, request.path);
  }
});
