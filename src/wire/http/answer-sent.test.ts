import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import type { HttpHandler } from '../../ports/http.ts';
import { ok, serve, testBothWays, until } from './sockets.fixture.ts';

/** More than the system's buffers of both sides take. */
const LARGE = 30_000_000;

/** Answers with bodies of so many bytes in pieces, and notes which were said to be sent. */
function noting(sent: string[]): HttpHandler {
  return async ({ path }) => {
    const bytes = Number(path.slice(1).split('-')[0]);
    const half = Math.floor(bytes / 2);
    const body = bytes === 0 ? [] : [Buffer.alloc(half, 'a'), Buffer.alloc(bytes - half, 'b')];
    return { ...ok(), body, sent: () => void sent.push(path) };
  };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;

testBothWays('an answer is said to be sent, once, when the connection has taken all of it', async (context) => {
  const sent: string[] = [];
  const { connect } = await serve(context, { handler: noting(sent) });
  const peer = await connect();
  const paths = ['/0-a', '/1-b', '/100000-c', '/0-d'];
  for (const [index, path] of paths.entries()) {
    peer.send(get(path));
    assert.equal((await peer.answer()).body.length, Number(path.slice(1).split('-')[0]));
    await until(() => sent.length > index);
    assert.deepEqual(sent, paths.slice(0, index + 1));
  }
  peer.send('HEAD /5000-e HTTP/1.1\r\nHost: h\r\n\r\n');
  await until(() => sent.length > paths.length);
  assert.deepEqual(sent, [...paths, '/5000-e']);
});

testBothWays('not before: as long as the receiver reads nothing, the answer is looked at', async (context) => {
  const sent: string[] = [];
  const { listener } = await serve(context, { handler: noting(sent) });
  const socket = connectSocket(listener.port, '127.0.0.1').pause();
  await once(socket, 'connect');
  socket.write(get(`/${LARGE}`));
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent, []);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await until(() => sent.length > 0);
  assert.deepEqual(sent, [`/${LARGE}`]);
  const body = 'a'.repeat(LARGE / 2) + 'b'.repeat(LARGE / 2);
  await until(() => chunks.reduce((sum, { length }) => sum + length, 0) > LARGE);
  assert.ok(Buffer.concat(chunks).toString('latin1').endsWith(`\r\n\r\n${body}`));
  socket.destroy();
});

testBothWays('never where the receiver goes away in the middle', async (context) => {
  const sent: string[] = [];
  let asked = 0;
  const note = noting(sent);
  const { connect, listener } = await serve(context, {
    handler: async (request) => {
      asked += 1;
      return await note(request);
    },
  });
  const peer = await connect();
  peer.socket.pause();
  peer.send(get(`/${LARGE}`));
  await until(() => asked === 1);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  peer.socket.destroy();
  while ((await listener.connections()) > 0) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent, []);
});

testBothWays('an answer that is unfit to be sent is never said to be', async (context) => {
  const sent: string[] = [];
  const { connect } = await serve(context, {
    handler: async () => ({ ...ok('body'), headers: { 'x-evil': 'a\r\nb: c' }, sent: () => void sent.push('evil') }),
  });
  const peer = await connect();
  peer.send(get('/'));
  assert.equal((await peer.answer()).status, 500);
  assert.deepEqual(sent, []);
});
