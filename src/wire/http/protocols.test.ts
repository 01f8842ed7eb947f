import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { HttpAnswer, HttpRequest } from '../../ports/http.ts';
import { ask, askHttp2, openHttp2, testCertificate, ways, type Asked } from './protocols.fixture.ts';
import { block, END_HEADERS, frame, frames, hello, uint32 } from './raw-http2.fixture.ts';
import { gate, ok, serve, until, type Served, type ServeParts } from './sockets.fixture.ts';

const certificate = testCertificate();
const LARGE = Buffer.alloc(10 * 1024 * 1024, 'large body ');
/** The platform's client holds 10 MB at most for a session. */
const HALF = LARGE.subarray(LARGE.length / 2);

async function open(context: TestContext, parts: ServeParts): Promise<Served> {
  return await serve(context, { certificate, ...parts });
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('one');
  await new Promise((resolve) => setImmediate(resolve));
  yield Buffer.alloc(100_000, 'two');
}

test('one request in every protocol: the handler sees the same, and the same is answered', async (context) => {
  const seen: string[] = [];
  const handler = async (request: HttpRequest): Promise<HttpAnswer> => {
    const { method, path, query, headers, remoteAddress } = request;
    const { host, 'x-twice': twice, cookie } = headers;
    const body = path === '/unread' ? Buffer.alloc(0) : await request.readBody(LARGE.length);
    const facts = { method, path, query, host, twice, cookie, remoteAddress, bytes: body.length };
    seen.push(JSON.stringify(facts));
    if (path === '/odd') throw new RequestError('Odd', 'no tea', 418, { 'x-extra': 'e' });
    if (path === '/full') throw new ThrottleError('Full', 'later', 1000);
    if (path === '/stream') return { status: 200, headers: { 'content-type': 'x/y' }, body: { pieces: pieces() } };
    if (path === '/pieces') return { status: 200, headers: {}, body: [Buffer.from('a'), LARGE, Buffer.from('b')] };
    if (path === '/none') return { status: 204, headers: {}, body: '' };
    if (path === '/closes') return { status: 200, headers: { connection: 'close' }, body: 'bye' };
    return { status: 201, headers: { 'x-own': '1' }, body: body.length > 0 ? body : 'empty' };
  };
  const { listener } = await open(context, { handler, private: { hosts: [], origins: ['https://page.example'] } });
  const table: readonly Asked[] = [
    {},
    { path: '/a%20b?c=d?e', headers: { 'x-twice': '1, 2', cookie: 'a=1; b=2' } },
    { method: 'POST', body: '', headers: { 'content-length': '0' } },
    { method: 'POST', body: 'ab', headers: { 'content-length': '2' } },
    { method: 'POST', body: LARGE, path: '/large' },
    { method: 'POST', body: 'not read', path: '/unread' },
    { method: 'POST', body: Buffer.concat([LARGE, Buffer.from('x')]), path: '/too-large' },
    { path: '/odd' },
    { path: '/full' },
    { path: '/stream' },
    { path: '/pieces' },
    { path: '/none' },
    { path: '/closes' },
    { method: 'HEAD' },
    { method: 'HEAD', path: '/stream' },
    { method: 'OPTIONS', headers: { origin: 'https://page.example', 'access-control-request-method': 'POST' } },
    { headers: { origin: 'https://evil.example' } },
    { headers: { origin: 'https://page.example' } },
  ];
  for (const asked of table) {
    const said: string[] = [];
    seen.length = 0;
    for (const way of ways) {
      const { status, headers, body } = await ask(way, listener.port, certificate.cert, asked);
      // HTTP/2 has no way to say so of an answer without a body.
      if (status === 204) delete headers['content-length'];
      said.push(JSON.stringify({ status, headers, body: body.length > 200 ? body.length : body }));
    }
    assert.deepEqual(
      said,
      ways.map(() => said[0]),
      asked.path,
    );
    assert.deepEqual(
      seen,
      seen.map(() => seen[0]),
      asked.path,
    );
  }
});

test('a body over HTTP/2 without a length told, and one that is cut', async (context) => {
  const ended: string[] = [];
  let signal: AbortSignal | undefined;
  const { listener, connect } = await open(context, {
    handler: async (request) => {
      signal = request.signal;
      try {
        const bytes = await request.readBody(1000);
        ended.push(`${bytes.length}`);
      } catch (error) {
        ended.push((error as RequestError).code);
      }
      return ok();
    },
  });
  const session = await openHttp2('h2c', listener.port, '');
  context.after(() => session.destroy());
  const whole = session.request({ ':method': 'POST' });
  whole.write('ab');
  whole.end('c');
  whole.resume();
  await until(() => ended.length === 1);
  for (const code of [8, 0]) {
    const peer = await connect();
    peer.send(
      Buffer.concat([
        hello(),
        frame(frames.headers, END_HEADERS, 1, block()),
        frame(frames.data, 0, 1, LARGE.subarray(0, 2)),
      ]),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    peer.send(frame(frames.reset, 0, 1, uint32(code)));
    await until(() => ended.includes('IncompleteBody'));
    await until(() => signal?.aborted === true);
    assert.deepEqual(ended.splice(0).slice(-1), ['IncompleteBody'], `code ${code}`);
    peer.socket.destroy();
  }
});

test('a body over HTTP/2 waits where no room is, and is refused after 5 s', async (context) => {
  const budget = createByteBudget(1000);
  budget.charge(1000);
  assert.ok(budget.tryOverdraw());
  const { listener, fire } = await open(context, {
    budget,
    handler: async (request) => ok(String((await request.readBody(HALF.length)).length)),
  });
  const session = await openHttp2('h2c', listener.port, '');
  context.after(() => session.destroy());
  const refused = askHttp2(session, { method: 'POST', body: HALF });
  await fire(5000);
  assert.equal((await refused).status, 503);
  await until(() => budget.usedBytes === 1000);
  const served = askHttp2(session, { method: 'POST', body: HALF });
  await until(() => budget.waiting > 0);
  budget.giveBack(1000);
  budget.endOverdraft();
  assert.deepEqual((await served).body, String(HALF.length));
});

test('requests of one session are served beside each other, and who goes away is noticed', async (context) => {
  const held = gate();
  const signals: AbortSignal[] = [];
  const { listener } = await open(context, {
    handler: async (request) => {
      if (request.path !== '/held') return ok(request.path);
      signals.push(request.signal);
      await held.opened;
      return ok('held');
    },
  });
  const session = await openHttp2('h2 over TLS', listener.port, certificate.cert);
  const waiting = askHttp2(session, { path: '/held' });
  const left = session.request({ ':path': '/held' });
  left.on('error', () => undefined);
  assert.equal((await askHttp2(session, { path: '/other' })).body, '/other');
  await until(() => signals.length === 2);
  left.close(8);
  await until(() => signals[1]?.aborted === true);
  assert.equal(signals[0]?.aborted, false);
  held.open();
  assert.equal((await waiting).body, 'held');
  session.destroy();
});

test('a listener that drains answers what is under way over HTTP/2, ends streams, and takes no more', async (context) => {
  const held = gate();
  let isAsked = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield Buffer.from('x');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  const { listener } = await open(context, {
    handler: async ({ path }) => {
      if (path === '/endless') return { status: 200, headers: {}, body: { pieces: endless() } };
      isAsked = true;
      await held.opened;
      return ok('held');
    },
  });
  const idle = await openHttp2('h2c', listener.port, '');
  const busy = await openHttp2('h2 over TLS', listener.port, certificate.cert);
  const waiting = askHttp2(busy, { path: '/held' });
  const streamed = askHttp2(busy, { path: '/endless' });
  await until(() => isAsked);
  const drained = listener.drain(60_000);
  assert.match((await streamed).body, /^x+$/);
  await until(() => idle.closed && busy.closed);
  held.open();
  assert.equal((await waiting).body, 'held');
  await drained;
});

test('an error in the middle of a streamed answer resets the stream, not the session', async (context) => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('part');
    throw new Error('no more');
  }
  const { listener, logged } = await open(context, {
    handler: async ({ path }) => (path === '/' ? ok() : { status: 200, headers: {}, body: { pieces: broken() } }),
  });
  const session = await openHttp2('h2c', listener.port, '');
  context.after(() => session.destroy());
  await assert.rejects(askHttp2(session, { path: '/broken' }), /NGHTTP2_INTERNAL_ERROR/);
  assert.match(logged[0] ?? '', /no more/);
  assert.equal((await askHttp2(session, {})).status, 200);
});

test('where plain text is not served it gets 400 in either protocol, and TLS goes on', async (context) => {
  const { listener, connect } = await open(context, { plaintext: false });
  assert.match(listener.url, /^https:/);
  for (const sent of ['GET / HTTP/1.1\r\nHost: h\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
    const peer = await connect();
    peer.send(sent);
    const answer = await peer.answer();
    assert.deepEqual([answer.status, /TLS only/.test(answer.body)], [400, true]);
    assert.equal(await peer.end(), '');
  }
  assert.equal((await ask('h2 over TLS', listener.port, certificate.cert, {})).status, 200);
  assert.equal((await ask('http/1.1 over TLS', listener.port, certificate.cert, {})).status, 200);
});

test('a certificate that is shown anew is what the next client sees; a broken one changes nothing', async (context) => {
  const { listener } = await open(context, {});
  const next = testCertificate();
  const code = async (ca: string): Promise<string> =>
    await ask('http/1.1 over TLS', listener.port, ca, {}).then(
      ({ status }) => String(status),
      (error: NodeJS.ErrnoException) => String(error.code),
    );
  assert.equal(await code(certificate.cert), '200');
  listener.showCertificate(next);
  assert.deepEqual([await code(certificate.cert), await code(next.cert)], ['DEPTH_ZERO_SELF_SIGNED_CERT', '200']);
  assert.throws(() => listener.showCertificate({ cert: next.cert, key: certificate.key }));
  assert.equal(await code(next.cert), '200');
});
