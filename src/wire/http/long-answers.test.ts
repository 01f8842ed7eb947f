import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { test } from 'node:test';
import type { HttpHandler } from '../../ports/http.ts';
import { gate, ok, serve, testBothWays, until } from './sockets.fixture.ts';

const socketIdleMs = 100;
/** Long enough that the connection is looked at some times. */
const LONG_MS = 450;
const GET = 'GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';
const HALF = 'POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10\r\n\r\nhalf';

async function passes(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

testBothWays(
  'a whole request keeps its connection until its answer, however late; then it is idle',
  async (context) => {
    const done = gate();
    const handler: HttpHandler = async () => {
      await done.opened;
      return ok();
    };
    const { connect: open } = await serve(context, { handler, socketIdleMs });
    const peer = await open();
    peer.send(GET);
    await passes(LONG_MS);
    done.open();
    assert.equal((await peer.answer()).status, 200);
    peer.send(GET);
    assert.equal((await peer.answer()).status, 200);
  },
);

testBothWays(
  'half a request that nobody reads, and an answer that stops, do not keep a connection',
  async (context) => {
    const handler: HttpHandler = async ({ method }) => {
      if (method === 'POST') await new Promise(() => undefined);
      // Larger than what the system takes of it.
      return ok(Buffer.alloc(64 * 1024 * 1024));
    };
    const { connect: open, listener } = await serve(context, { handler, socketIdleMs });
    const half = await open();
    half.send(HALF);
    assert.equal(await half.end(), '');
    const deaf = await open();
    deaf.socket.pause();
    deaf.send(GET);
    const connections = async (): Promise<number> => await listener.connections();
    let left = await connections();
    await until(() => {
      void connections().then((count) => (left = count));
      return left === 0;
    });
  },
);

test('the same over HTTP/2', async (context) => {
  let done = gate();
  const handler: HttpHandler = async (request) => {
    if (request.method === 'POST') await request.readBody(10);
    await done.opened;
    return ok();
  };
  const { listener } = await serve(context, { handler, socketIdleMs });
  for (const method of ['GET', 'POST']) {
    done = gate();
    const session = connect(listener.url);
    context.after(() => session.destroy());
    const stream = session.request({ ':method': method }, { endStream: method === 'GET' });
    if (method === 'POST') stream.end('body');
    const status = new Promise((resolve, reject) => {
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.on('error', reject);
      stream.on('close', () => reject(new Error('closed without an answer')));
    });
    await passes(LONG_MS);
    done.open();
    assert.equal(await status, 200);
    stream.resume();
    // Without a request the connection is idle.
    await new Promise((resolve) => session.once('close', resolve));
  }
  const cut = connect(listener.url);
  context.after(() => cut.destroy());
  const half = cut.request({ ':method': 'POST', 'content-length': '10' });
  half.on('error', () => undefined);
  half.write('half');
  await new Promise((resolve) => cut.once('close', resolve));
});
