import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeRequest, type FakeRequest } from '../../../testing/fake-request.ts';
import { textOf } from '../../../testing/text-of.ts';
import { Content, mediaType } from '../content.ts';
import type { CallForm, IncomingCall } from './call.ts';
import { callForms } from './index.ts';
import { Returned } from './returned.ts';

const noTurn = async (): Promise<void> => undefined;
const AT = Date.UTC(2026, 10, 28, 17, 24, 7);

function formOf(name: string): CallForm {
  const form = callForms.find((one) => one.name === name);
  assert.ok(form !== undefined);
  return form;
}

function callOf(asked: FakeRequest, more: Partial<IncomingCall> = {}): IncomingCall {
  const request = fakeRequest(asked);
  const body = Buffer.from(asked.body ?? '');
  return {
    request,
    routeKey: 'POST /hooks/{id}',
    resource: '/v1/hooks/{id}',
    parameters: { id: '7' },
    body,
    content: new Content(body, mediaType(request.headers)),
    identity: { region: 'eu-west-1', account: '111122223333' },
    receivedAt: AT,
    deliveryId: 'd-1',
    claims: undefined,
    authorized: undefined,
    ...more,
  };
}

const ASKED: FakeRequest = {
  id: '11111111-0000-4000-8000-000000000000',
  path: '/v1/hooks/7',
  query: 'a=1&a=2&b=%C3%BC',
  headers: {
    host: 'hooks.example.org:8443',
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/x',
    'x-github-event': 'push',
    'x-two': 'one, two',
    cookie: 'c=1; d=2',
  },
  headerList: [
    ['Host', 'hooks.example.org:8443'],
    ['Content-Type', 'application/json'],
    ['User-Agent', 'GitHub-Hookshot/x'],
    ['X-GitHub-Event', 'push'],
    ['X-Two', 'one'],
    ['X-two', 'two'],
    ['Cookie', 'c=1; d=2'],
    ['X-Millrace-Delivery-Id', 'forged'],
  ],
  body: '{"ü":1}',
};

test('event 1.0', () => {
  assert.deepEqual(formOf('proxy1').event(callOf(ASKED)), {
    version: '1.0',
    resource: '/v1/hooks/{id}',
    path: '/v1/hooks/7',
    httpMethod: 'POST',
    headers: {
      Host: 'hooks.example.org:8443',
      'Content-Type': 'application/json',
      'User-Agent': 'GitHub-Hookshot/x',
      'X-GitHub-Event': 'push',
      'X-Two': 'two',
      Cookie: 'c=1; d=2',
      'x-millrace-delivery-id': 'd-1',
    },
    multiValueHeaders: {
      Host: ['hooks.example.org:8443'],
      'Content-Type': ['application/json'],
      'User-Agent': ['GitHub-Hookshot/x'],
      'X-GitHub-Event': ['push'],
      'X-Two': ['one', 'two'],
      Cookie: ['c=1; d=2'],
      'x-millrace-delivery-id': ['d-1'],
    },
    queryStringParameters: { a: '2', b: 'ü' },
    multiValueQueryStringParameters: { a: ['1', '2'], b: ['ü'] },
    requestContext: {
      accountId: '111122223333',
      apiId: 'millrace',
      deploymentId: 'millrace',
      domainName: 'hooks.example.org',
      domainPrefix: 'hooks',
      extendedRequestId: '11111111-0000-4000-8000-000000000000',
      httpMethod: 'POST',
      identity: {
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: '127.0.0.1',
        user: null,
        userAgent: 'GitHub-Hookshot/x',
        userArn: null,
        clientCert: null,
      },
      path: '/v1/hooks/7',
      protocol: 'HTTP/1.1',
      requestId: '11111111-0000-4000-8000-000000000000',
      requestTime: '28/Nov/2026:17:24:07 +0000',
      requestTimeEpoch: AT,
      resourceId: 'a80eaa',
      resourcePath: '/v1/hooks/{id}',
      stage: '$default',
    },
    pathParameters: { id: '7' },
    stageVariables: null,
    body: '{"ü":1}',
    isBase64Encoded: false,
  });
});

test('event 2.0', () => {
  const authorized = { principalId: undefined, context: { who: 'me' } };
  assert.deepEqual(formOf('proxy2').event(callOf(ASKED, { authorized })), {
    version: '2.0',
    routeKey: 'POST /hooks/{id}',
    rawPath: '/v1/hooks/7',
    rawQueryString: 'a=1&a=2&b=%C3%BC',
    cookies: ['c=1', 'd=2'],
    headers: {
      host: 'hooks.example.org:8443',
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/x',
      'x-github-event': 'push',
      'x-two': 'one,two',
      'x-millrace-delivery-id': 'd-1',
    },
    queryStringParameters: { a: '1,2', b: 'ü' },
    requestContext: {
      accountId: '111122223333',
      apiId: 'millrace',
      authorizer: { lambda: { who: 'me' } },
      domainName: 'hooks.example.org',
      domainPrefix: 'hooks',
      http: {
        method: 'POST',
        path: '/v1/hooks/7',
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'GitHub-Hookshot/x',
      },
      requestId: '11111111-0000-4000-8000-000000000000',
      routeKey: 'POST /hooks/{id}',
      stage: '$default',
      time: '28/Nov/2026:17:24:07 +0000',
      timeEpoch: AT,
    },
    pathParameters: { id: '7' },
    body: '{"ü":1}',
    isBase64Encoded: false,
  });
});

test('bodies as events carry them', () => {
  const bytes = Buffer.from([0xff, 0x00]);
  const table: readonly (readonly [form: string, type: string, body: string | Uint8Array, seen: object])[] = [
    ['proxy1', 'application/x-www-form-urlencoded', 'a=1', { body: 'a=1', isBase64Encoded: false }],
    ['proxy1', 'application/json', bytes, { body: '/wA=', isBase64Encoded: true }],
    ['proxy1', 'application/json', '', { body: null, isBase64Encoded: false }],
    ['proxy2', 'application/x-www-form-urlencoded', 'a=1', { body: 'YT0x', isBase64Encoded: true }],
    ['proxy2', 'text/plain', 'ü', { body: 'ü', isBase64Encoded: false }],
    ['proxy2', 'text/plain', bytes, { body: '/wA=', isBase64Encoded: true }],
    ['proxy2', 'application/json', '', { isBase64Encoded: false }],
    ['body', 'application/json', '', {}],
    ['realm', 'application/json', bytes, { bodyBase64: '/wA=' }],
  ];
  for (const [name, type, body, seen] of table) {
    const event = formOf(name).event(callOf({ headers: { 'content-type': type }, body })) as Record<string, unknown>;
    const { body: text, isBase64Encoded, bodyBase64 } = (event['realmWebhook'] ?? event) as Record<string, unknown>;
    const found = { body: text, isBase64Encoded, bodyBase64 };
    const known = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
    assert.deepEqual(known, seen, `${name} ${type}`);
  }
  const form = callOf({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'payload=%7B%7D' });
  assert.equal(textOf(formOf('body').event(form) as Uint8Array), '{}');
  assert.throws(() => formOf('body').event(callOf({ headers: {}, body: 'x' })), { code: 'InvalidBody' });
});

test('what functions return becomes an answer, or none', async () => {
  const json = { 'content-type': 'application/json' };
  const plain = { 'content-type': 'text/plain;charset=UTF-8' };
  const base64 = Buffer.from('ü').toString('base64');
  const table: readonly (readonly [form: string, returned: unknown, answer: object | undefined])[] = [
    ['proxy1', { statusCode: 201, body: 'x' }, { status: 201, headers: json, body: 'x' }],
    ['proxy1', { statusCode: '201' }, { status: 201, headers: json, body: '' }],
    ['proxy1', { statusCode: 200, body: null, headers: null }, { status: 200, headers: json, body: '' }],
    ['proxy1', { statusCode: 200, body: base64, isBase64Encoded: true }, { status: 200, headers: json, body: 'ü' }],
    [
      'proxy1',
      { statusCode: 200, headers: { 'X-A': 1, 'Content-Type': 'a/b' }, multiValueHeaders: { 'x-a': [1, 2], 'Set-Cookie': ['a=1', 'b=2'] } },
      { status: 200, headers: { 'content-type': 'a/b', 'x-a': '1, 2' }, cookies: ['a=1', 'b=2'], body: '' },
    ],
    ['proxy1', { statusCode: 200, headers: { 'Content-Length': '9', 'Connection': 'close' } }, { status: 200, headers: json, body: '' }],
    ['proxy1', { statusCode: 200, headers: { 'HTTP2-Settings': 'AAMAAABk', 'Upgrade': 'h2c' } }, { status: 200, headers: json, body: '' }],
    ['proxy1', { statusCode: 204, body: 'x' }, { status: 204, headers: json, body: '' }],
    ['proxy1', 'x', undefined],
    ['proxy1', null, undefined],
    ['proxy1', [], undefined],
    ['proxy1', { body: 'x' }, undefined],
    ['proxy1', { statusCode: 200, body: { a: 1 } }, undefined],
    ['proxy1', { statusCode: 99 }, undefined],
    ['proxy1', { statusCode: 101 }, undefined],
    ['proxy1', { statusCode: 600 }, undefined],
    ['proxy1', { statusCode: 200.5 }, undefined],
    ['proxy1', { statusCode: 200, headers: { 'x a': '1' } }, undefined],
    ['proxy1', { statusCode: 200, headers: { a: '1\r\nb: 2' } }, undefined],
    ['proxy1', { statusCode: 200, headers: { a: {} } }, undefined],
    ['proxy1', { statusCode: 200, multiValueHeaders: { a: '1' } }, undefined],
    ['proxy2', { statusCode: 200, cookies: ['a=1'], body: 'x' }, { status: 200, headers: plain, cookies: ['a=1'], body: 'x' }],
    ['proxy2', { a: 1 }, { status: 200, headers: json, body: '{"a":1}' }],
    ['proxy2', 'hello', { status: 200, headers: json, body: 'hello' }],
    ['proxy2', null, { status: 200, headers: json, body: 'null' }],
    ['proxy2', { statusCode: 200, cookies: 'a=1' }, undefined],
    ['proxy2', { statusCode: 200, cookies: ['a=1\n'] }, undefined],
    ['proxy2', { statusCode: 200, headers: [] }, undefined],
    ['body', { ShardId: 's' }, { status: 200, headers: json, body: '{"ShardId":"s"}' }],
    ['realm', { statusCode: 202, headers: [['X-A', 'b']], bodyBase64: base64 }, { status: 202, headers: { 'x-a': 'b', ...json }, body: 'ü' }],
    ['realm', { statusCode: 202, headers: {}, bodyBase64: '' }, undefined],
    ['realm', { statusCode: 202, headers: [['a']], bodyBase64: '' }, undefined],
  ]; // prettier-ignore
  for (const [name, returned, expected] of table) {
    const read = await Returned.read(Buffer.from(JSON.stringify(returned)), noTurn);
    const answer = read && formOf(name).answer(read);
    const seen = answer === undefined ? undefined : { ...answer, body: textOf(answer.body) };
    assert.deepEqual(seen, expected, `${name} ${JSON.stringify(returned)}`);
  }
  assert.equal(await Returned.read(Buffer.from('{'), noTurn), undefined);
});

test('an answer of 6 MiB is looked through in turns, and only what is asked for is built', async () => {
  const body = 'x'.repeat(3 * 1024 * 1024);
  const many = `[${'[],'.repeat(1_000_000)}[]]`;
  const headers = JSON.stringify(Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`h${index}`, '1'])));
  const table: readonly (readonly [form: string, text: string, status: number | undefined])[] = [
    ['proxy1', `{"body":"${body}","other":${many},"statusCode":201,"headers":{"a":"1"}}`, 201],
    ['proxy1', `{"statusCode":201,"headers":${headers}}`, undefined],
    ['proxy1', `{"statusCode":201,"body":${many}}`, undefined],
    ['proxy2', `{"statusCode":201,"cookies":${many}}`, undefined],
    ['proxy2', many, 200],
    ['body', many, 200],
    ['realm', `{"statusCode":201,"headers":${many},"bodyBase64":""}`, undefined],
  ];
  for (const [name, text, status] of table) {
    let turns = 0;
    const read = await Returned.read(Buffer.from(text), async () => {
      turns += 1;
    });
    assert.equal(read && formOf(name).answer(read)?.status, status, `${name} ${text.slice(0, 40)}`);
    assert.ok(turns >= Math.floor(text.length / 65_536), `${turns} turns`);
  }
});

test('headers and lists of headers, as many as an answer may have, are put together in time', async () => {
  const single = Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`h${index}`, 1]));
  const returned = {
    statusCode: 200,
    headers: single,
    multiValueHeaders: { H7: Array.from({ length: 30_000 }, () => 2) },
  };
  const read = await Returned.read(Buffer.from(JSON.stringify(returned)), noTurn);
  const begun = performance.now();
  const { h7 = '', ...others } = (read && formOf('proxy1').answer(read)?.headers) ?? {};
  assert.ok(performance.now() - begun < 1000, `${performance.now() - begun} ms`);
  assert.deepEqual([h7.slice(0, 10), h7.length, Object.keys(others).length], ['1, 2, 2, 2', 90_001, 6000]);
});
