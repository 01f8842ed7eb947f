import assert from 'node:assert/strict';
import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import { createByteBudget } from '../../kernel/flow/byte-budget.ts';
import type { HttpHandler } from '../../ports/http.ts';
import { httpLimits } from './limits.ts';
import { ok, serve, testBothWays, until, type Peer, type WireAnswer } from './sockets.fixture.ts';

const POST = 'POST / HTTP/1.1\r\nHost: h\r\n';

/** Answers with the length of the body, of at most 10 bytes. */
const measuring: HttpHandler = async (request) => ok(String((await request.readBody(10)).length));

async function ask(peer: Peer, text: string): Promise<string> {
  peer.send(text);
  return said(await peer.answer());
}

function said({ status, body }: WireAnswer): string {
  return status === 200 ? `200 ${body}` : `${status} ${(JSON.parse(body) as { error: string }).error}`;
}

testBothWays('bodies of every form', async (context) => {
  const { connect } = await serve(context, { handler: measuring });
  const table: readonly (readonly [rest: string, said: string])[] = [
    ['\r\n', '200 0'],
    ['Content-Length: 0\r\n\r\n', '200 0'],
    ['Content-Length: 10\r\n\r\n0123456789', '200 10'],
    ['Content-Length: 11\r\n\r\n0123456789x', '413 RequestEntityTooLarge'],
    ['Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '200 0'],
    ['Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\nTrailer: t\r\n\r\n', '200 10'],
    ['Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n7\r\n456789x\r\n0\r\n\r\n', '413 RequestEntityTooLarge'],
  ];
  for (const [rest, wanted] of table) assert.equal(await ask(await connect(), POST + rest), wanted, rest);
});

testBothWays('a body that says it is too long is refused before any of it came', async (context) => {
  const { connect } = await serve(context, { handler: measuring });
  const peer = await connect();
  assert.equal(await ask(peer, `${POST}Content-Length: 11\r\n\r\n`), '413 RequestEntityTooLarge');
});

testBothWays('a body that does not say so is refused at the first byte too many', async (context) => {
  const { connect, fire } = await serve(context, { handler: measuring });
  const peer = await connect();
  const answer = await ask(peer, `${POST}Transfer-Encoding: chunked\r\n\r\nb\r\n0123456789x`);
  assert.equal(answer, '413 RequestEntityTooLarge');
  await fire(httpLimits.lingerMs);
  assert.equal(await peer.end(), '', 'who goes on sending for ever is not listened to');
});

testBothWays('the answer to a long body that is refused reaches its sender', async (context) => {
  const { connect } = await serve(context, { handler: measuring });
  const peer = await connect();
  const bytes = 3_000_000;
  peer.send(`${POST}Content-Length: ${bytes}\r\n\r\n`);
  peer.send(Buffer.alloc(bytes, 'x'));
  const answer = await peer.answer();
  assert.equal(said(answer), '413 RequestEntityTooLarge');
  assert.equal(answer.headers['connection'], 'close');
  assert.equal(await peer.end(), '', 'a clean end, not a reset');
});

testBothWays('a short rest is read away, and the connection kept', async (context) => {
  const { connect } = await serve(context, { handler: measuring });
  const peer = await connect();
  peer.send(`${POST}Content-Length: 5000\r\n\r\n${'x'.repeat(4000)}`);
  const refused = await peer.answer();
  assert.deepEqual([said(refused), refused.headers['connection']], ['413 RequestEntityTooLarge', 'keep-alive']);
  peer.send('x'.repeat(1000));
  assert.equal(await ask(peer, `${POST}Content-Length: 2\r\n\r\nok`), '200 2');
});

testBothWays('a handler that does not ask for the body may answer all the same', async (context) => {
  const { connect } = await serve(context, { handler: async () => ok('unread') });
  const peer = await connect();
  assert.equal(await ask(peer, `${POST}Content-Length: 4\r\n\r\nbody`), '200 unread');
  assert.equal(await ask(peer, `${POST}Content-Length: 0\r\n\r\n`), '200 unread');
});

testBothWays('who waits for 100 Continue hears it only when the body is wanted', async (context) => {
  const handler: HttpHandler = async (request) => {
    if (request.path === '/no') throw new RequestError('Unauthorized', 'no', 401);
    return await measuring(request);
  };
  const { connect, fire } = await serve(context, { handler });
  const wanted = await connect();
  wanted.send(`${POST}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
  assert.equal((await wanted.answer()).status, 100);
  assert.equal(await ask(wanted, 'body'), '200 4');
  const long = await connect();
  assert.equal(
    await ask(long, `${POST}Expect: 100-continue\r\nContent-Length: 11\r\n\r\n`),
    '413 RequestEntityTooLarge',
    'no 100 comes before it',
  );
  const refused = await connect();
  refused.send('POST /no HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
  const answer = await refused.answer();
  assert.deepEqual([said(answer), answer.headers['connection']], ['401 Unauthorized', 'close']);
  await fire(httpLimits.lingerMs);
  assert.equal(await refused.end(), '');
  const other = await connect();
  other.send(`${POST}Expect: tea\r\nContent-Length: 4\r\n\r\n`);
  assert.equal((await other.answer()).status, 417);
});

/** Serves a handler that reads, and tells how reading ended. */
async function reading(context: Parameters<typeof serve>[0]): Promise<{
  readonly served: Awaited<ReturnType<typeof serve>>;
  readonly ended: Promise<string>;
}> {
  let end: (how: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => (end = resolve));
  const handler: HttpHandler = async (request) => {
    try {
      const body = await request.readBody(10);
      end(`read ${body.length}`);
      return ok();
    } catch (error) {
      assert.ok(error instanceof RequestError || error instanceof ThrottleError);
      end(error.code);
      throw error;
    }
  };
  return { served: await serve(context, { handler }), ended };
}

testBothWays('a body that ends early is incomplete', async (context) => {
  for (const cut of ['end', 'destroy'] as const) {
    const { served, ended } = await reading(context);
    const peer = await served.connect();
    peer.send(`${POST}Content-Length: 4\r\n\r\nbo`);
    peer.socket[cut]();
    assert.equal(await ended, 'IncompleteBody', cut);
    assert.deepEqual(served.logged, []);
  }
});

testBothWays('a body that pauses, or takes too long in all, is not waited for', async (context) => {
  for (const ms of [httpLimits.bodyIdleMs, httpLimits.bodyMs]) {
    const { served, ended } = await reading(context);
    const peer = await served.connect();
    peer.send(`${POST}Content-Length: 4\r\n\r\n`);
    await served.fire(ms);
    assert.equal(await ended, 'RequestTimeout');
    assert.equal(said(await peer.answer()), '408 RequestTimeout');
    assert.deepEqual([served.timers(httpLimits.bodyIdleMs), served.timers(httpLimits.bodyMs)], [0, 0]);
  }
});

testBothWays('pieces are joined, and no timer stays behind', async (context) => {
  const { served, ended } = await reading(context);
  const peer = await served.connect();
  peer.send(`${POST}Content-Length: 4\r\n\r\n`);
  for (const piece of ['b', 'o', 'd', 'y']) peer.send(piece);
  assert.equal(await ended, 'read 4');
  assert.equal(served.timers(httpLimits.bodyIdleMs), 0);
});

testBothWays('each piece is shown as it comes, and all of them are the body', async (context) => {
  const shown: string[] = [];
  const handler: HttpHandler = async (request) => {
    const body = await request.readBody(1_000_000, (piece) => void shown.push(Buffer.from(piece).toString()));
    return ok(String(Buffer.from(body).toString() === shown.join('')));
  };
  const { connect } = await serve(context, { handler });
  const peer = await connect();
  assert.equal(await ask(peer, `${POST}Content-Length: 4\r\n\r\nbody`), '200 true');
  assert.deepEqual(shown.splice(0), ['body']);
  peer.send(`${POST}Content-Length: 600004\r\n\r\n`);
  for (const piece of ['b', 'o', 'd', 'y']) {
    peer.send(piece);
    await until(() => shown.join('').endsWith(piece));
  }
  assert.equal(await ask(peer, 'x'.repeat(600_000)), '200 true');
  assert.equal(shown.join('').length, 600_004);
});

testBothWays('a body waits for room among the bytes in flight', async (context) => {
  const budget = createByteBudget(100);
  const { connect, timers } = await serve(context, { handler: measuring, budget });
  budget.charge(95);
  // Somebody else goes past the bound already.
  budget.tryOverdraw();
  const peer = await connect();
  peer.send(`${POST}Content-Length: 10\r\n\r\n0123456789`);
  await until(() => budget.waiting > 0);
  assert.equal(timers(httpLimits.bodyIdleMs), 0, 'the wait is not the fault of the sender');
  budget.giveBack(95);
  assert.equal(said(await peer.answer()), '200 10');
  await until(() => budget.usedBytes === 0);
});

testBothWays('a body that finds no room in time is refused, and keeps none', async (context) => {
  const budget = createByteBudget(100);
  const { connect, fire } = await serve(context, { handler: measuring, budget });
  budget.charge(95);
  // Somebody else goes past the bound already.
  budget.tryOverdraw();
  const peer = await connect();
  peer.send(`${POST}Content-Length: 10\r\n\r\n0123456789`);
  await fire(httpLimits.budgetWaitMs);
  const answer = await peer.answer();
  assert.deepEqual([said(answer), answer.headers['retry-after']], ['503 ServiceUnavailable', '1']);
  await until(() => budget.usedBytes <= 95);
  assert.equal(budget.waiting, 0);
  budget.giveBack(95);
  assert.equal(budget.usedBytes, 0);
});

testBothWays('where all bodies hold a part of the memory, one at a time goes on past the bound', async (context) => {
  const budget = createByteBudget(60);
  const { connect } = await serve(context, { handler: measuring, budget });
  const peers = await Promise.all(Array.from({ length: 4 }, async () => await connect()));
  for (const peer of peers) peer.send(`${POST}Content-Length: 10\r\n\r\n01234`);
  for (const peer of peers) peer.send('56789');
  for (const peer of peers) assert.equal(said(await peer.answer()), '200 10');
  await until(() => budget.usedBytes === 0);
  assert.equal(budget.tryOverdraw(), true, 'the last one gave the overdraft back');
});

testBothWays('bodies that hold all memory and hardly come make way for who waits', async (context) => {
  const kib = 1024;
  const budget = createByteBudget(100 * kib);
  const handler: HttpHandler = async (request) => ok(String((await request.readBody(100 * kib)).length));
  const { connect, fire, timers } = await serve(context, { handler, budget });
  const begin = async (bytes: number): Promise<Peer> => {
    const peer = await connect();
    const before = budget.usedBytes;
    peer.send(`${POST}Content-Length: ${100 * kib}\r\n\r\n`);
    peer.send(Buffer.alloc(bytes * kib, 'x'));
    await until(() => budget.usedBytes === before + 2 * bytes * kib);
    return peer;
  };
  const small = await begin(1);
  const slow = [await begin(20), await begin(20), await begin(20)];
  await until(() => timers(httpLimits.bodyLookMs) === 4);
  const other = await connect();
  other.send(`${POST}Content-Length: 10\r\n\r\n0123456789`);
  await until(() => budget.waiting === 1);
  await fire(httpLimits.bodyLookMs);
  assert.equal(budget.waiting, 1, 'all of them came just now');
  await fire(httpLimits.bodyLookMs);
  assert.equal(said(await other.answer()), '200 10');
  for (const peer of slow) assert.equal(said(await peer.answer()), '503 ServiceUnavailable');
  small.send(Buffer.alloc(99 * kib, 'x'));
  assert.equal(said(await small.answer()), `200 ${100 * kib}`);
  // Of the refused ones only the answers count, while what is left of their bodies is read away.
  await until(() => budget.usedBytes < kib);
  assert.equal(timers(httpLimits.bodyLookMs), 0);
  assert.ok(budget.tryOverdraw(), 'another one may go past the bound');
  await fire(httpLimits.lingerMs);
  await until(() => budget.usedBytes === 0);
});

testBothWays('a body whose length nobody announced holds no more than twice what came', async (context) => {
  const held: number[] = [];
  const handler: HttpHandler = async (request) => {
    const body = await request.readBody(10_000_000);
    held.push(body.buffer.byteLength / body.length);
    return ok(String(body.length));
  };
  const { connect } = await serve(context, { handler });
  const bytes = 4_400_000;
  for (const chunked of [true, false]) {
    const peer = await connect();
    const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`;
    peer.send(`${POST}${length}\r\n\r\n${chunked ? `${bytes.toString(16)}\r\n` : ''}`);
    peer.send(Buffer.alloc(bytes, 'x'));
    assert.equal(await ask(peer, chunked ? '\r\n0\r\n\r\n' : ''), `200 ${bytes}`);
  }
  const [chunked, announced] = held as [number, number];
  assert.ok(chunked < 2.1, `${chunked} times as much`);
  assert.equal(announced, 1, 'what is announced is there once a quarter came');
});

testBothWays('the memory of a body is used again only where its handler said so', async (context) => {
  const kept: Uint8Array[] = [];
  const memories = new Set<ArrayBufferLike>();
  const handler: HttpHandler = async (request) => {
    const body = await request.readBody(10_000_000);
    memories.add(body.buffer);
    const text = `${body.length} ${body[0]} ${new Set(body).size}`;
    if (request.path === '/keep') kept.push(body);
    else request.recycleBody();
    return ok(text);
  };
  const { connect } = await serve(context, { handler });
  const peer = await connect();
  const sizes = [200_000, 900_000, 1_048_576, 1_048_577, 3_000_000];
  const send = async (path: string, fill: number, bytes: number): Promise<void> => {
    peer.send(`POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes}\r\n\r\n`);
    peer.send(Buffer.alloc(bytes, fill));
    assert.equal(said(await peer.answer()), `200 ${bytes} ${fill} 1`);
  };
  for (const [index, bytes] of sizes.entries()) await send('/keep', index + 1, bytes);
  memories.clear();
  for (let fill = 20; fill < 40; fill += 1) await send('/done', fill, 200_000);
  assert.ok(memories.size < 5, `${memories.size} pieces of memory for 20 bodies`);
  for (const [index, body] of kept.entries()) {
    assert.deepEqual([body.length, [...new Set(body)]], [sizes[index], [index + 1]], 'what was kept stays');
  }
});
