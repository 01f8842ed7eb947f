/** What a hostile sender of HTTP/2 or TLS may do, and what bounds it. Each case is a connection of its own. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { httpLimits } from './limits.ts';
import { askHttp2, openHttp2, testCertificate } from './protocols.fixture.ts';
import { block, END_HEADERS, END_STREAM, frame, frames, heard, hello, uint32 } from './raw-http2.fixture.ts';
import { gate, ok, serve, until, type Peer, type Served } from './sockets.fixture.ts';

const certificate = testCertificate();
const CALM = 11;
const REFUSED = 7;

interface Attacked extends Served {
  readonly seen: { requests: number };
}

async function open(context: TestContext): Promise<Attacked> {
  const seen = { requests: 0 };
  const served = await serve(context, {
    certificate,
    handler: async (request) => {
      seen.requests += 1;
      await request.readBody(1000);
      return ok();
    },
  });
  return { ...served, seen };
}

/** The codes of what was said at the end: the platform may have said something as well. */
const farewells = (peer: Peer): (number | undefined)[] =>
  heard(peer)
    .filter(({ type }) => type === frames.goaway)
    .map(({ code }) => code);

const get = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x01, 1]), Buffer.from('h')]);
const head = Buffer.concat([
  Buffer.from([0x86, 0x84, 0x01, 1]),
  Buffer.from('h'),
  Buffer.from([0x02, 4]),
  Buffer.from('HEAD'),
]);

/** Request number `index`, and what ends it at once. */
function ended(flags: number, fields: Buffer, end: (id: number) => Buffer): (index: number) => Buffer {
  return (index) => {
    const id = 2 * index + 1;
    return Buffer.concat([frame(frames.headers, END_HEADERS | flags, id, fields), end(id)]);
  };
}

const resets =
  (code: number) =>
  (id: number): Buffer =>
    frame(frames.reset, 0, id, uint32(code));

const floods: Readonly<Record<string, (index: number) => Buffer>> = {
  pings: () => frame(frames.ping, 0, 0, Buffer.alloc(8)),
  settings: () => frame(frames.settings, 0, 0),
  'requests that are taken back': ended(0, block(), resets(8)),
  'requests that are taken back without an error': ended(0, block(), resets(0)),
  'whole requests that are taken back': ended(END_STREAM, get, resets(8)),
  'whole requests that are taken back without an error': ended(END_STREAM, head, resets(0)),
};

/** What a flood is sent in: `hello` tells whether it begins together with the connection. */
const manners = [
  { name: 'piece by piece', pieces: 100, isFirst: false },
  { name: 'in one piece', pieces: 3000, isFirst: false },
  { name: 'with its first bytes', pieces: 3000, isFirst: true },
] as const;

for (const [name, make] of Object.entries(floods)) {
  for (const manner of manners) {
    test(`a flood of ${name}, ${manner.name}: ends the connection, and no other`, async (context) => {
      const { connect, seen, listener, counted } = await open(context);
      const peer = await connect();
      const startedAt = performance.now();
      const chunk = (from: number): Buffer =>
        Buffer.concat(Array.from({ length: manner.pieces }, (_, index) => make(from + index)));
      if (!manner.isFirst) peer.send(hello());
      let sent = 0;
      for (; sent < 100_000 && !peer.socket.closed && farewells(peer).length === 0; sent += manner.pieces) {
        peer.send(sent === 0 && manner.isFirst ? Buffer.concat([hello(), chunk(0)]) : chunk(sent));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await peer.end();
      // Who goes on sending may lose what was said to it.
      const said = farewells(peer);
      assert.ok(said.length === 0 || said.includes(CALM), `said: ${said.join()}`);
      const forgotten = ((performance.now() - startedAt) / 1000) * httpLimits.h2NuisancesPerSecond;
      const most = httpLimits.h2NuisancesMax + forgotten + 1;
      assert.ok(seen.requests <= most, `${seen.requests} requests got through, at most ${most} may`);
      assert.deepEqual(
        counted.filter((event) => event === 'http_floods_total'),
        ['http_floods_total'],
      );
      const other = await openHttp2('h2c', listener.port, '');
      assert.equal((await askHttp2(other, {})).status, 200);
      other.destroy();
    });
  }
}

test('who floods and then listens is told to calm down', async (context) => {
  for (const make of Object.values(floods)) {
    const { connect } = await open(context);
    const peer = await connect();
    peer.send(hello());
    await until(() => heard(peer).length > 0);
    const { h2NuisancesMax: most, h2NuisancesPerSecond: more } = httpLimits;
    for (let sent = 0; sent < most + more && !farewells(peer).includes(CALM); sent += 25) {
      peer.send(Buffer.concat(Array.from({ length: 25 }, (_, index) => make(sent + index))));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await peer.end();
    assert.deepEqual(farewells(peer)[0], CALM);
  }
});

test('requests that make us break them off end the connection as well', async (context) => {
  const { connect, seen } = await open(context);
  const peer = await connect();
  const make = ended(0, block(), (id) => frame(frames.window, 0, id, uint32(0)));
  peer.send(hello());
  for (let sent = 0; sent < 100_000 && !peer.socket.closed; sent += 100) {
    peer.send(Buffer.concat(Array.from({ length: 100 }, (_, index) => make(sent + index))));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await peer.end();
  assert.ok(seen.requests <= httpLimits.h2NuisancesMax, `${seen.requests} requests`);
});

test('what a usual sender does in an hour is no flood', async (context) => {
  const { connect, listener } = await open(context);
  const peer = await connect();
  peer.send(Buffer.concat([hello(), ...Array.from({ length: 500 }, () => frame(frames.ping, 0, 0, Buffer.alloc(8)))]));
  await until(() => heard(peer).filter(({ type }) => type === frames.ping).length === 500);
  assert.deepEqual(farewells(peer), []);
  const session = await openHttp2('h2c', listener.port, '');
  for (let index = 0; index < 2000; index += 100) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => await askHttp2(session, { method: 'POST', body: 'x' })),
    );
    assert.ok(answers.every(({ status }) => status === 200));
  }
  session.destroy();
});

test('more requests at once than one connection may have are refused, the others served', async (context) => {
  const held = gate();
  const { connect } = await serve(context, {
    handler: async () => {
      await held.opened;
      return ok();
    },
  });
  const peer = await connect();
  peer.send(hello());
  // Our settings are not answered: who sends more than they allow after that loses the connection.
  const ids = Array.from({ length: httpLimits.h2StreamsMax + 10 }, (_, index) => 2 * index + 1);
  peer.send(Buffer.concat(ids.map((id) => frame(frames.headers, END_HEADERS | END_STREAM, id, block()))));
  const refused = (): (number | undefined)[] =>
    heard(peer)
      .filter(({ type }) => type === frames.reset)
      .map(({ code }) => code);
  await until(() => refused().length === 10);
  assert.deepEqual(
    refused(),
    Array.from({ length: 10 }, () => REFUSED),
  );
  held.open();
  await until(() => heard(peer).filter(({ type }) => type === frames.headers).length === httpLimits.h2StreamsMax);
});

const bombs: Readonly<Record<string, readonly Buffer[]>> = {
  'one huge header': [
    frame(frames.headers, END_HEADERS | END_STREAM, 1, block([['x', 'v'.repeat(16_000)]])),
    frame(
      frames.headers,
      END_HEADERS | END_STREAM,
      3,
      Buffer.concat([block([['y', 'v'.repeat(8000)]]), ...Array.from({ length: 40 }, () => Buffer.from([0xbe]))]),
    ),
  ],
  'a thousand headers': [
    frame(
      frames.headers,
      END_HEADERS | END_STREAM,
      1,
      block(Array.from({ length: 1000 }, (_, index) => [`x-${index}`, 'v'] as const)),
    ),
  ],
  'continuations without end': [
    frame(frames.headers, END_STREAM, 1, block()),
    ...Array.from({ length: 20_000 }, () =>
      frame(frames.continuation, 0, 1, Buffer.concat([Buffer.from([0, 1, 97, 100]), Buffer.alloc(100, 'v')])),
    ),
  ],
  'one reference to a large header, again and again': [
    frame(frames.headers, END_HEADERS | END_STREAM, 1, block()),
    frame(
      frames.headers,
      END_HEADERS | END_STREAM,
      3,
      Buffer.concat([
        Buffer.from([0x83, 0x86, 0x84, 0x40, 1, 97, 127, 0xa1, 0x1e]),
        Buffer.alloc(4000, 'v'),
        Buffer.alloc(12_000, 0xbe),
      ]),
    ),
  ],
};

for (const [name, sent] of Object.entries(bombs)) {
  test(`${name}: refused, and nothing is served of it`, async (context) => {
    const { connect, listener, seen } = await open(context);
    const peer = await connect();
    peer.send(Buffer.concat([hello(), ...sent]));
    await until(
      () =>
        peer.socket.closed ||
        heard(peer).some(({ type }) => type === frames.reset || type === frames.goaway) ||
        seen.requests > 1,
    );
    assert.ok(seen.requests <= 1, `${seen.requests} requests`);
    peer.socket.destroy();
    const other = await openHttp2('h2c', listener.port, '');
    assert.equal((await askHttp2(other, {})).status, 200);
    other.destroy();
  });
}

test('who begins and says nothing more is cut off in time', async (context) => {
  const { connect, fire } = await serve(context, { certificate, headersMs: 200 });
  for (const bytes of ['', 'PRI * HT', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
    const peer = await connect();
    peer.send(bytes);
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(peer.socket.closed, false);
    await fire(200);
    await peer.end();
  }
});

test('who ends its side before, in or behind its first request is let go', async (context) => {
  const { connect } = await serve(context, { certificate });
  const cases = [
    hello(),
    Buffer.concat([hello(), frame(frames.headers, END_HEADERS, 1, block())]),
    Buffer.from([0x16, 3, 1]),
  ];
  for (const bytes of cases) {
    const peer = await connect();
    peer.socket.end(bytes);
    await peer.end();
  }
});

test('TLS garbage and half a handshake end the connection, and no other', async (context) => {
  const { connect, counted, listener } = await serve(context, { certificate, headersMs: 200 });
  const greeting = Buffer.from('160301020001', 'hex');
  const cases: Readonly<Record<string, Buffer>> = {
    'garbage in a record': Buffer.from(`1603010040${'ff'.repeat(64)}`, 'hex'),
    'a record of no length': Buffer.from('1603010000', 'hex'),
    'an old version': Buffer.from('1600000005ffffffffff', 'hex'),
    'one byte': Buffer.from([0x16]),
    'half a greeting': greeting,
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const peer = await connect();
    peer.send(bytes);
    await peer.end();
    assert.ok(peer.socket.closed, name);
  }
  assert.equal(counted.filter((event) => event === 'http_handshakes_failed_total').length, Object.keys(cases).length);
  const session = await openHttp2('h2 over TLS', listener.port, certificate.cert);
  assert.equal((await askHttp2(session, {})).status, 200);
  session.destroy();
});
