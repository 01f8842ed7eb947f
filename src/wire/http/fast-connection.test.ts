import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { test } from 'node:test';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { HttpHandler } from '../../ports/http.ts';
import { httpLimits } from './limits.ts';
import { gate, ok, serve, testBothWays, until, type Peer } from './sockets.fixture.ts';

const HOST = 'Host: h\r\n';
const CHUNKED = `POST /chunked HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n`;

const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${HOST}\r\n`;
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\n\r\n${body}`;

/** Answers with path and body. */
const echo: HttpHandler = async (request) =>
  ok(`${request.path} ${Buffer.from(await request.readBody(10)).toString()}`);

async function answers(peer: Peer, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) bodies.push((await peer.answer()).body);
  return bodies;
}

testBothWays('requests sent at once are answered in order', async (context) => {
  const { connect } = await serve(context, { handler: echo });
  const peer = await connect();
  const paths = Array.from({ length: 300 }, (_, index) => `/${index}`);
  peer.send(paths.map((path, index) => (index % 3 === 0 ? get(path) : post(path, `b${index}`))).join(''));
  const wanted = paths.map((path, index) => (index % 3 === 0 ? `${path} ` : `${path} b${index}`));
  assert.deepEqual(await answers(peer, 300), wanted);
});

test('one request of a connection at a time; what stands behind it is not read without end', async (context) => {
  const started: string[] = [];
  const first = gate();
  const { connect } = await serve(context, {
    handler: async ({ path }) => {
      started.push(path);
      if (path === '/first') await first.opened;
      return ok(path);
    },
  });
  const peer = await connect();
  peer.send(get('/first'));
  await until(() => started.length === 1);
  // More than the system's buffers of both sides take: it comes back as a socket that cannot be written to.
  const flood = get('/more').repeat(1000);
  let isFull = false;
  for (let sent = 0; sent < 2000 && !isFull; sent += 1) {
    isFull = !peer.socket.write(flood) && peer.socket.writableLength > 20_000_000;
    if (sent % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(isFull, 'the server does not take it all');
  assert.deepEqual(started, ['/first']);
  first.open();
  assert.deepEqual(await answers(peer, 3), ['/first', '/more', '/more']);
});

test('an unusual request takes its connection to the platform, at its own place among the others', async (context) => {
  const { connect, counted } = await serve(context, { handler: echo });
  for (const isAtOnce of [true, false]) {
    const peer = await connect();
    const sent = [get('/1'), post('/2', 'b'), CHUNKED, get('/4'), CHUNKED, post('/6', 'c')];
    const heard = ['/1 ', '/2 b', '/chunked ab', '/4 ', '/chunked ab', '/6 c'];
    if (isAtOnce) {
      peer.send(sent.join(''));
      assert.deepEqual(await answers(peer, 6), heard);
    } else {
      for (const [index, text] of sent.entries()) {
        peer.send(text);
        assert.equal((await peer.answer()).body, heard[index]);
      }
    }
  }
  assert.deepEqual(counted, ['http_handed_over_total', 'http_handed_over_total']);
});

test('an unusual head in pieces is handed over whole', async (context) => {
  const { connect } = await serve(context, { handler: echo });
  for (let at = 1; at < CHUNKED.length; at += 1) {
    const peer = await connect();
    peer.socket.setNoDelay(true);
    peer.send(CHUNKED.slice(0, at));
    await new Promise((resolve) => setImmediate(resolve));
    peer.send(CHUNKED.slice(at));
    assert.equal((await peer.answer()).body, '/chunked ab', String(at));
    peer.socket.destroy();
  }
});

testBothWays('a refused body and the request behind it in one piece', async (context) => {
  const { connect } = await serve(context, { handler: echo });
  const peer = await connect();
  const rest = 'x'.repeat(100_000);
  peer.send(`POST /long HTTP/1.1\r\n${HOST}Content-Length: ${rest.length}\r\n\r\n`);
  assert.equal((await peer.answer()).status, 413);
  peer.send(rest + get('/behind'));
  assert.equal((await peer.answer()).body, '/behind ');
});

testBothWays('a header that would break out of its line is a bug, not an answer', async (context) => {
  const { connect, logged } = await serve(context, {
    handler: async ({ path }) => ({ ...ok(), headers: path === '/ok' ? {} : { 'x-evil': 'a\r\nset-cookie: b' } }),
  });
  const peer = await connect();
  peer.send(get('/'));
  const { status, headers } = await peer.answer();
  assert.deepEqual([status, headers['x-evil'], headers['set-cookie']], [500, undefined, undefined]);
  assert.match(logged[0] ?? '', /^http\.bug: Defect: the answer's header x-evil is not fit to be sent/);
  peer.send(get('/ok'));
  assert.equal((await peer.answer()).status, 200);
});

test('a second head that comes too slowly is not waited for either', async (context) => {
  const { connect, fire, timers } = await serve(context, { headersMs: 40 });
  const peer = await connect();
  peer.send(get('/'));
  await peer.answer();
  await fire(40);
  assert.equal(timers(40), 0, 'nobody looks while nobody is waited for');
  peer.send('GET / HTTP/1.1\r\nHo');
  await until(() => timers(40) === 1);
  await fire(40);
  assert.equal(timers(40), 1, 'it has its time');
  await new Promise((resolve) => setTimeout(resolve, 50));
  await fire(40);
  assert.equal((await peer.answer()).status, 408);
  assert.equal(await peer.end(), '');
});

test('a head that is cut, and a request whose sender turns away', async (context) => {
  const started = gate<AbortSignal>();
  const { connect } = await serve(context, {
    handler: async ({ signal, path }) => {
      if (path !== '/slow') return ok();
      started.open(signal);
      await once(signal, 'abort');
      return ok();
    },
  });
  const cut = await connect();
  cut.socket.end('GET / HTTP/1.1\r\nHost:');
  assert.match(await cut.end(), /^HTTP\/1\.1 400 /);
  const away = await connect();
  away.socket.end(get('/slow'));
  await started.opened;
  assert.equal(await away.end(), '');
});

testBothWays('senders that say everything at once and turn away', async (context) => {
  const { connect } = await serve(context, { handler: echo });
  for (let times = 0; times < 100; times += 1) {
    const peer = await connect();
    peer.socket.end(get('/1').repeat(times % 3) + (times % 2 === 0 ? CHUNKED : get('/2').slice(0, times)));
    assert.doesNotMatch(await peer.end(), / 500 /);
  }
  const peer = await connect();
  peer.send(get('/after'));
  assert.equal((await peer.answer()).body, '/after ');
});

test('draining answers a request whose head is on its way', async (context) => {
  const { connect, listener } = await serve(context);
  const peer = await connect();
  peer.send('GET / HTTP/1.1\r\nHo');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const drained = listener.drain(10_000);
  peer.send('st: h\r\n\r\n');
  const { status, headers } = await peer.answer();
  assert.deepEqual([status, headers['connection']], [200, 'close']);
  await drained;
});

testBothWays(
  'memory that a handler holds counts until its answer stands, and that until it was sent',
  async (context) => {
    const budget = createByteBudget(1000);
    const [holding, finish] = [gate(), gate()];
    const { connect, fire, listener } = await serve(context, {
      budget,
      handler: async (request) => {
        await request.hold(600);
        if (request.path === '/first') {
          holding.open();
          await finish.opened;
        }
        return ok(Buffer.alloc(request.path === '/large' ? 20_000_000 : 10));
      },
    });
    const [first, late] = [await connect(), await connect()];
    const slow = connectSocket(listener.port, '127.0.0.1');
    first.send(get('/first'));
    await holding.opened;
    assert.equal(budget.usedBytes, 600);
    late.send(get('/late'));
    await fire(httpLimits.budgetWaitMs);
    const refused = await late.answer();
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
    slow.write(get('/large'));
    await until(() => budget.waiting === 1);
    finish.open();
    assert.equal((await first.answer()).status, 200);
    await until(() => budget.usedBytes === 20_000_000);
    let received = 0;
    slow.on('data', (chunk) => (received += chunk.length));
    await until(() => budget.usedBytes === 0);
    await until(() => received > 20_000_000);
    slow.destroy();
  },
);

test('connections above the bound are closed as they come, and others have their place later', async (context) => {
  const { connect, counted, listener } = await serve(context, { connectionsMax: 2 });
  const [first, second] = [await connect(), await connect()];
  first.send(get('/'));
  await first.answer();
  const third = await connect();
  assert.match(await third.end(), /^(<.*ECONNRESET>)?$/);
  assert.deepEqual(counted, ['http_connections_refused_total']);
  assert.equal(await listener.connections(), 2);
  first.send(get('/'));
  assert.equal((await first.answer()).status, 200);
  second.socket.destroy();
  const deadline = performance.now() + 5000;
  while (!(await isServed(await connect()))) assert.ok(performance.now() < deadline, 'no place came free');
});

async function isServed(peer: Peer): Promise<boolean> {
  peer.send(get('/'));
  return await peer.answer().then(
    ({ status }) => status === 200,
    () => false,
  );
}
