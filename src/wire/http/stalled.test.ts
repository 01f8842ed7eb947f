/** What a sender of HTTP/2 may leave lying, and for how long. Pings are answered all the while. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { RequestError } from '../../kernel/errors.ts';
import { createByteBudget, type ByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { HttpHandler } from '../../ports/http.ts';
import { httpLimits } from './limits.ts';
import { block, END_HEADERS, END_STREAM, frame, frames, heard, hello, uint32 } from './raw-http2.fixture.ts';
import { ok, serve, until, type Peer, type Served } from './sockets.fixture.ts';

const LARGE = 30_000_000;
const INITIAL_WINDOW = 4;
const ACK = 1;
const { slowLookMs, socketIdleMs, keepAliveMs, lingerMs, bodyIdleMs, bodyMs } = httpLimits;

const ping = frame(frames.ping, 0, 0, Buffer.alloc(8));
const whole = frame(frames.headers, END_HEADERS | END_STREAM, 1, block());
const half = Buffer.concat([
  frame(frames.headers, END_HEADERS, 1, block([['content-length', '10']])),
  frame(frames.data, 0, 1, Buffer.alloc(5)),
]);

/** Settings that let an answer be so long before its receiver asks for more. */
function windows(bytes: number): Buffer {
  return Buffer.concat([
    hello(),
    frame(frames.settings, 0, 0, Buffer.concat([Buffer.from([0, INITIAL_WINDOW]), uint32(bytes)])),
    ...(bytes > 0 ? [frame(frames.window, 0, 0, uint32(bytes))] : []),
  ]);
}

/** The connection goes on, and gives the stream no room that is worth anything. */
async function fidget(peer: Peer): Promise<void> {
  const answered = (): number => heard(peer).filter(({ type }) => type === frames.ping).length;
  const before = answered();
  peer.send(Buffer.concat([ping, frame(frames.window, 0, 0, uint32(1))]));
  await until(() => answered() > before);
}

/** Waits, in steps of the look, until an answer that nobody takes is given up. */
async function wait({ fire }: Served, ms: number, between?: () => Promise<void>): Promise<void> {
  for (let waited = 0; waited < ms; waited += slowLookMs) {
    await between?.();
    await fire(slowLookMs);
  }
}

const codes = (peer: Peer): (number | undefined)[] =>
  heard(peer)
    .filter(({ type }) => type === frames.reset)
    .map(({ code }) => code);

const received = (peer: Peer): number => peer.bytes().length;

interface Asked extends Served {
  readonly budget: ByteBudget;
  readonly ended: string[];
  readonly signals: AbortSignal[];
}

/** Reads a body of at most 10 bytes where one is announced; answers with so many bytes. */
async function open(context: TestContext, bytes: number): Promise<Asked> {
  const ended: string[] = [];
  const signals: AbortSignal[] = [];
  const budget = createByteBudget(2 * LARGE);
  const handler: HttpHandler = async (request) => {
    signals.push(request.signal);
    try {
      if (request.headers['content-length'] !== undefined) await request.readBody(10);
    } catch (error) {
      ended.push((error as RequestError).code);
      throw error;
    }
    return ok(Buffer.alloc(bytes));
  };
  return { ...(await serve(context, { handler, budget })), budget, ended, signals };
}

/** The answer is on its way, and looked at. */
async function answering(asked: Asked): Promise<void> {
  await until(() => asked.budget.usedBytes > 0 && asked.timers(slowLookMs) > 0);
  await new Promise((resolve) => setImmediate(resolve));
}

async function given(asked: Asked): Promise<void> {
  await until(() => asked.signals[0]?.aborted === true && asked.budget.usedBytes === 0);
}

test('half a body is waited for as long as over HTTP/1.1, whatever else comes', async (context) => {
  for (const ms of [bodyIdleMs, bodyMs]) {
    const asked = await open(context, 5);
    const peer = await asked.connect();
    peer.send(Buffer.concat([hello(), half]));
    await until(() => asked.timers(ms) === 1);
    for (let times = 0; times < 5; times += 1) await fidget(peer);
    assert.deepEqual(asked.ended, []);
    await asked.fire(ms);
    await until(() => codes(peer).length > 0);
    assert.deepEqual([asked.ended, codes(peer)], [['RequestTimeout'], [0]]);
    assert.match(peer.rest(), /RequestTimeout/);
    assert.deepEqual([asked.timers(bodyIdleMs), asked.timers(bodyMs)], [0, 0]);
    await fidget(peer);
  }
});

test('an answer that nobody takes is given up after a minute, pings or none', async (context) => {
  const cases: readonly (readonly [sent: Buffer, bytes: number])[] = [
    [whole, 1],
    [whole, LARGE],
    [half, 1],
  ];
  for (const [sent, bytes] of cases) {
    const asked = await open(context, bytes);
    const peer = await asked.connect();
    peer.send(Buffer.concat([windows(0), sent]));
    if (sent === half) {
      await asked.fire(bodyIdleMs);
      await until(() => asked.ended.length > 0);
    }
    await answering(asked);
    await wait(asked, socketIdleMs - slowLookMs, async () => await fidget(peer));
    assert.deepEqual(codes(peer), []);
    await wait(asked, slowLookMs);
    await until(() => codes(peer).length > 0);
    assert.deepEqual(codes(peer), [2]);
    await given(asked);
  }
});

test('who takes no answer but is there keeps the connection; who is not loses it', async (context) => {
  for (const isThere of [true, false]) {
    const asked = await open(context, 1000);
    const peer = await asked.connect();
    peer.send(Buffer.concat([windows(0), whole]));
    await answering(asked);
    await wait(asked, socketIdleMs);
    await given(asked);
    const probe = (): Buffer | undefined =>
      heard(peer).find(({ type, flags }) => type === frames.ping && flags !== ACK)?.payload;
    await until(() => probe() !== undefined && asked.timers(socketIdleMs) === 2);
    if (!isThere) {
      await asked.fire(socketIdleMs);
      await peer.end();
      continue;
    }
    peer.send(frame(frames.ping, ACK, 0, probe()));
    await until(() => asked.timers(socketIdleMs) === 1);
    await fidget(peer);
    peer.send(frame(frames.headers, END_HEADERS | END_STREAM, 3, block()));
    await until(() => heard(peer).some(({ type, stream }) => type === frames.headers && stream === 3));
  }
});

test('a receiver that is slow is not given up', async (context) => {
  const asked = await open(context, 1_000_000);
  const peer = await asked.connect();
  const step = 300_000;
  peer.send(Buffer.concat([windows(step), whole]));
  for (let room = step; room < 1_000_000; room += step) {
    await until(() => received(peer) > room);
    await wait(asked, socketIdleMs - slowLookMs);
    peer.send(Buffer.concat([0, 1].map((stream) => frame(frames.window, 0, stream, uint32(step)))));
  }
  await until(() => received(peer) > 1_000_000);
  await until(() => asked.budget.usedBytes === 0);
  assert.deepEqual([codes(peer), asked.timers(slowLookMs)], [[], 0]);
});

test('who reads nothing at all loses the connection, also one that it gave up itself', async (context) => {
  for (const isGivenUp of [false, true]) {
    const asked = await open(context, LARGE);
    const peer = await asked.connect();
    peer.socket.pause();
    peer.send(Buffer.concat([windows(2 ** 30), whole]));
    await answering(asked);
    if (isGivenUp) {
      peer.send(frame(frames.goaway, 0, 0, Buffer.concat([uint32(0), uint32(1)])));
      await given(asked);
      await asked.fire(keepAliveMs);
      await asked.fire(lingerMs);
    } else {
      await wait(asked, socketIdleMs);
      await given(asked);
      await asked.fire(socketIdleMs);
    }
    while ((await asked.listener.connections()) > 0) await new Promise((resolve) => setImmediate(resolve));
    peer.socket.destroy();
  }
});

test('an answer that is taken back without an error while it waits is given up at the next look', async (context) => {
  const asked = await open(context, LARGE);
  const peer = await asked.connect();
  peer.send(Buffer.concat([windows(0), whole]));
  await answering(asked);
  peer.send(frame(frames.reset, 0, 1, uint32(0)));
  await fidget(peer);
  await asked.fire(slowLookMs);
  await given(asked);
  assert.equal(asked.timers(slowLookMs), 0);
});
