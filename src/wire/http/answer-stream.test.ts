import assert from 'node:assert/strict';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { HttpAnswer, HttpHandler } from '../../ports/http.ts';
import { gate, ok, serve, testBothWays, until } from './sockets.fixture.ts';

const GET = 'GET /stream HTTP/1.1\r\nHost: h\r\n\r\n';
const PIECE = Buffer.alloc(256 * 1024, 'p');

function streamed(pieces: AsyncIterable<Uint8Array>): HttpAnswer {
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: { pieces } };
}

/** What became of a stream that never ends by itself. */
interface Endless {
  readonly handler: HttpHandler;
  made: number;
  isReturned: boolean;
  signal: AbortSignal | undefined;
}

function endless(piece = PIECE): Endless {
  const seen: Endless = {
    made: 0,
    isReturned: false,
    signal: undefined,
    handler: async (request) => {
      if (request.path !== '/stream') return ok();
      seen.signal = request.signal;
      return streamed(pieces());
    },
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        seen.made += 1;
        yield await Promise.resolve(piece);
      }
    } finally {
      seen.isReturned = true;
    }
  }
  return seen;
}

testBothWays('an answer that is cut ends at once, though nobody takes what is on its way', async (context) => {
  const cut = new AbortController();
  const budget = createByteBudget(64 * 1024 * 1024);
  let isReturned = false;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(32 * 1024 * 1024);
    } finally {
      isReturned = true;
    }
  }
  const body = { pieces: pieces(), cut: cut.signal };
  const handler: HttpHandler = async () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body });
  const { listener, connect } = await serve(context, { handler, budget });
  const peer = await connect();
  peer.socket.pause();
  peer.send(GET);
  await until(() => budget.usedBytes > 0);
  cut.abort();
  await until(() => isReturned && budget.usedBytes === 0);
  while ((await listener.connections()) > 0) await new Promise((resolve) => setImmediate(resolve));
  peer.socket.destroy();
});

testBothWays('pieces are sent as they come, and the connection goes on behind their end', async (context) => {
  const second = gate();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('eins');
    yield Buffer.alloc(0);
    await second.opened;
    yield Buffer.from('zw\u00f6lf');
  }
  const handler: HttpHandler = async ({ path }) => (path === '/stream' ? streamed(pieces()) : ok(path));
  const { connect } = await serve(context, { handler });
  const peer = await connect();
  peer.send(GET);
  await until(() => peer.rest().includes('eins\r\n'));
  assert.doesNotMatch(peer.rest(), /zw|\r\n0\r\n|content-length/i);
  second.open();
  const answer = await peer.answer();
  assert.deepEqual([answer.status, answer.body], [200, 'einszw\u00f6lf']);
  assert.match(answer.headers['x-amzn-requestid'] ?? '', /^[0-9a-f-]{36}$/);
  // The same connection, with a body that nobody reads before the stream, and one of a later request behind it.
  peer.send('POST /stream HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /after HTTP/1.1\r\nHost: h\r\n\r\n');
  assert.equal((await peer.answer()).body, 'einszw\u00f6lf');
  assert.equal((await peer.answer()).body, '/after');
  peer.send('HEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  assert.match(await peer.end(), /^HTTP\/1.1 200 OK\r\n(?:(?!content-length|transfer-encoding)[^\n]+\r\n)+\r\n$/i);
});

testBothWays('who knows no chunks gets the pieces up to the end of the connection', async (context) => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a');
    yield Buffer.from('b');
  }
  const { connect } = await serve(context, { handler: async () => streamed(pieces()) });
  const peer = await connect();
  peer.send('GET / HTTP/1.0\r\nHost: h\r\n\r\n');
  assert.match(await peer.end(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nab$/);
});

testBothWays('who stops reading holds one piece, and nothing more is made for it', async (context) => {
  const budget = createByteBudget(1024 * 1024);
  const seen = endless();
  const { connect } = await serve(context, { handler: seen.handler, budget });
  const peer = await connect();
  peer.socket.pause();
  peer.send(GET);
  let before = -1;
  // Until the buffers of both systems are full.
  while (before !== seen.made) {
    before = seen.made;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(before > 0 && before < 200, `${before} pieces were made`);
  assert.equal(budget.usedBytes, PIECE.length);
  peer.socket.resume();
  await until(() => seen.made > before + 8);
  peer.socket.destroy();
  await until(() => seen.isReturned && budget.usedBytes === 0);
  assert.equal(seen.signal?.aborted, true);
});

testBothWays('who goes away while nothing is sent is noticed', async (context) => {
  let signal: AbortSignal | undefined;
  let isDone = false;
  async function* pieces(of: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from('first');
      await new Promise((_resolve, reject) => of.addEventListener('abort', () => reject(new Error('aborted'))));
    } finally {
      isDone = true;
    }
  }
  const { connect, logged } = await serve(context, {
    handler: async (request) => {
      signal = request.signal;
      return streamed(pieces(request.signal));
    },
  });
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    isDone = false;
    const peer = await connect();
    peer.send(GET);
    await until(() => peer.rest().includes('first'));
    peer.socket[leave]();
    await until(() => isDone);
    assert.equal(signal?.aborted, true, leave);
  }
  assert.deepEqual(logged, []);
});

testBothWays('an error cuts the connection, so that nobody takes a part for the whole', async (context) => {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('part');
    throw new Error('no more');
  }
  const { connect, logged, counted } = await serve(context, { handler: async () => streamed(pieces()) });
  const peer = await connect();
  peer.send(GET);
  assert.match(await peer.end(), /\r\npart\r\n(<read ECONNRESET>)?$/);
  assert.match(logged.join(), /^http\.bug: Error: no more\n/);
  assert.deepEqual(
    counted.filter((name) => name === 'http_bugs_total'),
    ['http_bugs_total'],
  );
});

testBothWays('a listener that drains ends streams cleanly, behind the piece that is on its way', async (context) => {
  const seen = endless(Buffer.from('x'));
  const { connect, listener } = await serve(context, { handler: seen.handler });
  const peer = await connect();
  peer.send(GET);
  await until(() => seen.made > 3);
  await listener.drain(60_000);
  assert.match(await peer.end(), /\r\nx\r\n0\r\n\r\n$/);
  assert.deepEqual([seen.isReturned, seen.signal?.aborted], [true, true]);
});
