import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { HttpHandler, HttpRequest } from '../../ports/http.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { openListener } from './listener.ts';
import { gate, ok, serve, testBothWays } from './sockets.fixture.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

testBothWays('requests over one connection, as the handler sees them', async (context) => {
  const seen: Partial<HttpRequest>[] = [];
  const { connect, listener } = await serve(context, {
    handler: async ({ id, method, path, query, headers, remoteAddress }) => {
      seen.push({ id, method, path, query, headers, remoteAddress });
      return { status: 201, headers: { 'x-own': '1', 'x-amzn-requestid': 'not mine' }, body: 'ü' };
    },
  });
  assert.match(listener.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  const peer = await connect();
  peer.send('GET /a%20b?c=d?e HTTP/1.1\r\nHost: h\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\n');
  const first = await peer.answer();
  assert.deepEqual([first.status, first.body, first.headers['content-length']], [201, 'ü', '2']);
  assert.equal(first.headers['x-own'], '1');
  assert.match(first.headers['x-amzn-requestid'] ?? '', UUID);
  assert.equal(first.headers['connection'], 'keep-alive');
  assert.deepEqual(seen[0], {
    id: first.headers['x-amzn-requestid'],
    method: 'GET',
    path: '/a%20b',
    query: 'c=d?e',
    headers: Object.assign(Object.create(null), { host: 'h', 'x-twice': '1, 2' }),
    remoteAddress: '127.0.0.1',
  });
  peer.send('HEAD / HTTP/1.1\r\nHost: h\r\n\r\n');
  peer.send('DELETE / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  assert.match(await peer.end(), /^HTTP\/1\.1 201 Created\r\n[^]*\r\n\r\nHTTP\/1\.1 201 Created\r\n[^]*\r\n\r\nü$/);
  assert.deepEqual(
    seen.map(({ method }) => method),
    ['GET', 'HEAD', 'DELETE'],
  );
});

testBothWays('bodies in pieces are sent one piece after the other, as one body', async (context) => {
  const large = ['a', 'b', 'c'].map((letter) => Buffer.alloc(1_500_000, letter));
  const bodies: Readonly<Record<string, readonly Uint8Array[]>> = {
    '/none': [],
    '/empty': [Buffer.alloc(0), Buffer.alloc(0)],
    '/one': [Buffer.from('one')],
    '/two': [Buffer.from('zw'), Buffer.alloc(0), Buffer.from('ö')],
    '/large': large,
  };
  const { connect } = await serve(context, {
    handler: async ({ path }) => ({ status: 200, headers: {}, body: bodies[path] ?? [] }),
  });
  const peer = await connect();
  for (const [path, pieces] of Object.entries(bodies)) {
    const text = Buffer.concat(pieces).toString();
    const length = String(Buffer.byteLength(text));
    peer.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    const answer = await peer.answer();
    assert.ok(answer.body === text, path);
    assert.equal(answer.headers['content-length'], length, path);
    // A body that nobody reads comes to its end while the answer is on its way.
    peer.send(`POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n`);
    const early = await peer.answer();
    assert.ok(early.body === text, `${path}, unread`);
    peer.send('abc');
  }
  peer.send('HEAD /two HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  assert.match(await peer.end(), /\r\ncontent-length: 4\r\n[^]*\r\n\r\n$/i);
});

testBothWays('targets become paths', async (context) => {
  const { connect } = await serve(context, { handler: async ({ path, query }) => ok(`${path} ${query}`) });
  const table: readonly (readonly [line: string, seen: string])[] = [
    ['GET /', '/ '],
    ['GET //x', '//x '],
    ['GET /?', '/ '],
    ['GET /../x', '/../x '],
    ['GET http://other/p?q', '/p q'],
    ['GET http://other', '/ '],
    ['GET http://other?q', '/ q'],
    ['GET HTTPS://other/p', '/p '],
    ['OPTIONS *', '/* '],
  ];
  const peer = await connect();
  for (const [line, seen] of table) {
    peer.send(`${line} HTTP/1.1\r\nHost: h\r\n\r\n`);
    assert.equal((await peer.answer()).body, seen, line);
  }
});

testBothWays('errors of a handler', async (context) => {
  let error: unknown;
  const { connect, logged, counted } = await serve(context, {
    handler: async () => {
      throw error;
    },
  });
  const peer = await connect();
  const bug =
    /^\{"error":"InternalFailure","message":"this is a bug of millrace; its log names it by [0-9a-f-]{36}"\}\n$/;
  const odd = new RequestError('Odd', 'no tea', 418, { 'x-extra': 'e' });
  const table: readonly (readonly [error: unknown, status: number, body: RegExp, header: [string, string]])[] = [
    [odd, 418, /^\{"error":"Odd","message":"no tea"\}\n$/, ['x-extra', 'e']],
    [new ThrottleError('Full', 'later', 1001), 503, /^\{"error":"Full","message":"later"\}\n$/, ['retry-after', '2']],
    [new ThrottleError('Full', 'later', 0), 503, /later/, ['retry-after', '1']],
    [new Error('secret detail'), 500, bug, ['content-type', 'application/json']],
    ['thrown text', 500, bug, ['content-type', 'application/json']],
  ];
  for (const [thrown, status, body, [name, value]] of table) {
    error = thrown;
    peer.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    const answer = await peer.answer();
    assert.equal(answer.status, status);
    assert.match(answer.body, body);
    assert.equal(answer.headers[name], value);
  }
  assert.match(logged[0] ?? '', /^http\.bug: Error: secret detail\n/);
  assert.equal(logged[1], 'http.bug: thrown text');
  assert.deepEqual(counted, ['http_bugs_total', 'http_bugs_total']);
});

testBothWays('what is no HTTP gets a plain answer and the connection ends', async (context) => {
  const { connect } = await serve(context);
  const many = Array.from({ length: 40 }, (_, index) => `x-${index}: ${'v'.repeat(1000)}\r\n`).join('');
  const table: readonly (readonly [text: string, status: number, code: string])[] = [
    ['nonsense\r\n\r\n', 400, 'BadRequest'],
    ['GET / HTTP/9.9\r\n\r\n', 400, 'BadRequest'],
    ['POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'BadRequest'],
    ['POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n', 400, 'BadRequest'],
    ['PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n', 400, 'BadRequest'],
    [`GET / HTTP/1.1\r\nHost: h\r\n${many}\r\n`, 431, 'RequestHeaderFieldsTooLarge'],
    ['CONNECT other:80 HTTP/1.1\r\nHost: h\r\n\r\n', 405, 'MethodNotAllowed'],
  ];
  for (const [text, status, code] of table) {
    const peer = await connect();
    peer.send(text);
    const answer = await peer.answer();
    assert.equal(answer.status, status, text.slice(0, 80));
    assert.equal((JSON.parse(answer.body) as { error: string }).error, code);
    assert.equal(answer.headers['connection'], 'close');
    assert.equal(await peer.end(), '');
  }
});

testBothWays('headers that the platform would hide are refused', async (context) => {
  const { connect } = await serve(context, { private: { hosts: [], origins: [] } });
  const fill = (count: number): string => Array.from({ length: count }, (_, index) => `x-${index}: v\r\n`).join('');
  const table: readonly (readonly [request: string, status: number])[] = [
    ['GET / HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: localhost\r\n${fill(199)}\r\n`, 200],
    [`GET / HTTP/1.1\r\nHost: localhost\r\n${fill(200)}\r\n`, 431],
    ['GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n', 403],
    ['GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n', 200],
  ];
  for (const [request, status] of table) {
    const peer = await connect();
    peer.send(request);
    assert.equal((await peer.answer()).status, status, request.slice(0, 80));
  }
});

testBothWays('a request without a host is no HTTP/1.1', async (context) => {
  const { connect } = await serve(context);
  const peer = await connect();
  peer.send('GET / HTTP/1.1\r\n\r\n');
  assert.match(await peer.end(), /^HTTP\/1\.1 400 /);
});

test('headers that come too slowly are not waited for', async (context) => {
  const { connect, fire } = await serve(context, { headersMs: 40 });
  const slow = await connect();
  const silent = await connect();
  slow.send('GET / HTTP/1.1\r\nHost:');
  await new Promise((resolve) => setTimeout(resolve, 50));
  await fire(40);
  const answer = await slow.answer();
  assert.equal(answer.status, 408);
  assert.equal(answer.body, '{"error":"RequestTimeout","message":"the request took too long"}\n');
  assert.equal(await slow.end(), '');
  assert.match(await silent.end(), /^HTTP\/1\.1 408 /, 'also who sends nothing at all');
});

testBothWays('a client that goes away aborts its request, and the listener lives on', async (context) => {
  const started = gate<AbortSignal>();
  const finish = gate();
  const aborted = gate();
  const handler: HttpHandler = async ({ signal, path }) => {
    if (path !== '/slow') return ok();
    signal.addEventListener('abort', () => aborted.open());
    started.open(signal);
    await finish.opened;
    return ok('nobody sees this');
  };
  const { connect } = await serve(context, { handler });
  const peer = await connect();
  peer.send('GET /slow HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await started.opened).aborted, false);
  peer.socket.destroy();
  await aborted.opened;
  finish.open();
  const other = await connect();
  other.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await other.answer()).status, 200);
});

testBothWays('who got an answer is not said to be gone', async (context) => {
  const signals: AbortSignal[] = [];
  const { connect } = await serve(context, {
    handler: async ({ signal }) => {
      signals.push(signal);
      return ok();
    },
  });
  const peer = await connect();
  peer.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  await peer.end();
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false],
  );
});

test('draining answers what is under way, then closes', async (context) => {
  const started = gate();
  const finish = gate();
  const { connect, listener } = await serve(context, {
    handler: async ({ path }) => {
      if (path !== '/slow') return ok();
      started.open();
      await finish.opened;
      return ok('done\n');
    },
  });
  const [busy, idle, silent] = [await connect(), await connect(), await connect()];
  idle.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await idle.answer();
  busy.send('GET /slow HTTP/1.1\r\nHost: h\r\n\r\n');
  await started.opened;
  let isDrained = false;
  const drained = listener.drain(10_000).then(() => (isDrained = true));
  assert.equal(await idle.end(), '', 'an idle connection is closed at once');
  assert.equal(await silent.end(), '', 'and one that never sent anything');
  const late = connectError(listener.port);
  assert.equal(await late, 'ECONNREFUSED');
  assert.equal(isDrained, false);
  finish.open();
  const answer = await busy.answer();
  assert.deepEqual([answer.status, answer.body, answer.headers['connection']], [200, 'done\n', 'close']);
  await drained;
  assert.equal(await busy.end(), '');
  await listener.drain(1);
  await listener.close();
});

async function connectError(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code ?? '';
}

testBothWays('draining does not wait longer than it was told', async (context) => {
  const started = gate();
  const { connect, listener, fire } = await serve(context, {
    handler: async ({ signal }) => {
      started.open();
      await once(signal, 'abort');
      return ok();
    },
  });
  const peer = await connect();
  peer.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
  await started.opened;
  const drained = listener.drain(1234);
  await fire(1234);
  await drained;
  assert.equal(await peer.end(), '');
});

test('an address that is taken is said by its code', async (context) => {
  const { listener } = await serve(context);
  const options = { name: 'api', host: '127.0.0.1', port: listener.port, handler: async () => ok() };
  const wanted = { name: 'EnvironmentError', code: 'EADDRINUSE', message: /^cannot listen on 127\.0\.0\.1:\d+: / };
  await assert.rejects(openListener(options, quietEnvironment()), wanted);
});

testBothWays('a private listener over the wire', async (context) => {
  const access = { hosts: ['known.example'], origins: ['https://page.example'] };
  let calls = 0;
  const { connect } = await serve(context, {
    private: access,
    handler: async () => {
      calls += 1;
      return ok();
    },
  });
  const ask = async (method: string, headers: string): Promise<string> => {
    const peer = await connect();
    peer.send(`${method} / HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);
    const answer = await peer.answer();
    const names = Object.keys(answer.headers).filter((name) => name.startsWith('access-') || name === 'vary');
    return [answer.status, ...names.map((name) => `${name}: ${answer.headers[name]}`)].join('\n');
  };
  const allowed = 'access-control-allow-origin: https://page.example';
  const readable = 'access-control-expose-headers: x-amzn-requestid, x-amz-id-2';
  const preflight = 'access-control-allow-methods: GET, HEAD, POST, DELETE';
  const wants = 'Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-amz-target\r\n';
  const table: readonly (readonly [method: string, headers: string, said: string, calls: number])[] = [
    ['GET', 'Host: 127.0.0.1\r\n', '200', 1],
    ['GET', 'Host: known.example\r\n', '200', 1],
    ['GET', 'Host: evil.example\r\n', '403', 0],
    ['GET', 'Host: 127.0.0.1\r\nOrigin: https://evil.example\r\n', '403', 0],
    ['GET', 'Host: 127.0.0.1\r\nOrigin: https://page.example\r\n', `200\n${allowed}\n${readable}\nvary: origin`, 1],
    ['OPTIONS', `Host: 127.0.0.1\r\nOrigin: https://evil.example\r\n${wants}`, '403', 0],
    [
      'OPTIONS',
      `Host: 127.0.0.1\r\nOrigin: https://page.example\r\n${wants}`,
      `204\n${allowed}\nvary: origin\n${preflight}\naccess-control-allow-headers: x-amz-target\n` +
        'access-control-max-age: 600',
      0,
    ],
    ['OPTIONS', 'Host: 127.0.0.1\r\nOrigin: https://page.example\r\n', `200\n${allowed}\n${readable}\nvary: origin`, 1],
  ];
  for (const [method, headers, said, wanted] of table) {
    calls = 0;
    const sorted = (text: string): string[] => text.split('\n').sort();
    assert.deepEqual(sorted(await ask(method, headers)), sorted(said), headers);
    assert.equal(calls, wanted, headers);
  }
});
