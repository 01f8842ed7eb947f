import assert from 'node:assert/strict';
import { createServer as createPlain, type RequestListener } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createServer as createRaw, type AddressInfo, type Server as RawServer, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import type { EnvironmentCode } from '../../kernel/errors.ts';
import { OutgoingRules } from '../../kernel/net/outgoing-rules.ts';
import type { ClientRequest } from '../../ports/http-client.ts';
import { makeSelfSigned } from '../../wire/http/self-signed.ts';
import { NodeHttpClient, type Lookup } from './http-client.ts';
import { nodeRandom } from './random.ts';

const meter = { count: () => undefined, gauge: () => undefined, observe: () => undefined, forget: () => undefined };
const open: RawServer[] = [];
const clients: NodeHttpClient[] = [];

async function listen(server: RawServer): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function serve(handle: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createPlain({ keepAliveTimeout: 60_000 }, handle))}/`;
}

async function serveRaw(handle: (socket: Socket) => void): Promise<string> {
  return `http://127.0.0.1:${await listen(createRaw((socket) => handle(socket.on('error', () => undefined))))}/`;
}

interface ClientParts {
  readonly mode?: 'dev' | 'start';
  readonly allow?: readonly string[];
  readonly lookup?: Lookup;
  readonly authorities?: string;
}

function client({ mode = 'dev', allow = [], ...options }: ClientParts = {}): NodeHttpClient {
  const made = new NodeHttpClient(meter, options);
  made.use(new OutgoingRules({ mode, allow, own: [] }));
  clients.push(made);
  return made;
}

function get(url: string, more: Partial<ClientRequest> = {}): ClientRequest {
  return { url, method: 'GET', timeoutMs: 5000, ...more };
}

async function textOf(sender: NodeHttpClient, request: ClientRequest): Promise<string> {
  const answer = await sender.send(request);
  return `${answer.status} ${Buffer.from(await answer.readBody(1024)).toString()}`;
}

async function fails(work: Promise<unknown>, code: EnvironmentCode, message = /./): Promise<void> {
  await assert.rejects(work, { name: 'EnvironmentError', code, message });
}

const names = (table: Readonly<Record<string, readonly string[]>>): Lookup => {
  return async (host) => (table[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};

describe('requests over the network', () => {
  after(() => {
    for (const one of clients) one.close();
    for (const server of open) server.close();
  });

  test('method, headers, body and answer go through as they are', async () => {
    const url = await serve((request, answer) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const { method, url: path, headers } = request;
        const seen = [method, path, headers['x-a'], headers['content-length'], headers['transfer-encoding']];
        answer.setHeader('X-Twice', ['1', '2']).writeHead(201);
        answer.end(`${seen.join(' ')} ${Buffer.concat(pieces).toString()}`);
      });
    });
    const sender = client();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('stre');
      yield Buffer.from('amed');
    }
    const table: readonly (readonly [more: Partial<ClientRequest>, seen: string])[] = [
      [{}, '201 GET /a?b=c v   '],
      [{ method: 'POST', body: Buffer.from('whole') }, '201 POST /a?b=c v 5  whole'],
      [{ method: 'PUT', body: body() }, '201 PUT /a?b=c v  chunked streamed'],
      [{ method: 'PUT', body: body(), headers: { 'x-a': 'v', 'content-length': '8' } }, '201 PUT /a?b=c v 8  streamed'],
    ];
    for (const [more, seen] of table) {
      assert.equal(await textOf(sender, get(`${url}a?b=c#d`, { headers: { 'x-a': 'v' }, ...more })), seen);
    }
    const answer = await sender.send(get(url));
    assert.equal(answer.headers['x-twice'], '1, 2');
    await answer.readBody(1024);
  });

  test('redirects are answers', async () => {
    const url = await serve((_, answer) => void answer.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    assert.equal(await textOf(client(), get(url)), '302 ');
  });

  test('one connection serves request after request, and none that was made under other rules', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, answer) => {
      ports.add(request.socket.remotePort);
      answer.end('x');
    });
    const sender = client();
    for (let count = 0; count < 3; count += 1) assert.equal(await textOf(sender, get(url)), '200 x');
    assert.equal(ports.size, 1);
    assert.equal(await textOf(sender, get(url, { isTrusted: true })), '200 x');
    assert.equal(ports.size, 2);
    sender.use(new OutgoingRules({ mode: 'start', allow: [], own: [] }));
    await fails(sender.send(get(url)), 'ENOTALLOWED', /^127\.0\.0\.1 is loopback; outgoing\.allow can list it$/);
    sender.use(new OutgoingRules({ mode: 'start', allow: ['127.0.0.0/8'], own: [] }));
    assert.equal(await textOf(sender, get(url)), '200 x');
    assert.equal(ports.size, 3);
  });

  test('a name is looked up once, and only what was checked is connected to', async () => {
    let looked = 0;
    const url = await serve((request, answer) => void answer.end(request.headers.host));
    const port = new URL(url).port;
    // A second look-up would find an address that is not allowed, as with DNS rebinding, and the third one again.
    const rebinding: Lookup = async () => {
      looked += 1;
      return [{ address: looked === 2 ? '169.254.169.254' : '127.0.0.1', family: 4 }];
    };
    const sender = client({ lookup: rebinding });
    assert.equal(await textOf(sender, get(`http://a.example:${port}/`)), `200 a.example:${port}`);
    assert.equal(looked, 1);
    assert.equal(await textOf(sender, get(`http://a.example:${port}/`)), `200 a.example:${port}`, 'kept');
    assert.equal(looked, 1);
    sender.use(new OutgoingRules({ mode: 'dev', allow: [], own: [] }));
    const said = /^a\.example has the address 169\.254\.169\.254, which is where a cloud answers with credentials;/;
    await fails(sender.send(get(`http://a.example:${port}/`)), 'ENOTALLOWED', said);
    assert.equal(looked, 2);
  });

  test('all allowed addresses of a name are tried, the others never', async () => {
    const url = await serve((_, answer) => void answer.end('here'));
    const port = new URL(url).port;
    const refused = await listen(createRaw());
    await new Promise((resolve) => void open.pop()?.close(resolve));
    const lookup = names({
      'two.example': ['10.255.255.1', '127.0.0.2', '127.0.0.1'],
      'none.example': ['10.255.255.1', '::ffff:192.168.0.1', 'fe80::1%lo'],
      'empty.example': [],
    });
    const sender = client({ lookup });
    assert.equal(await textOf(sender, get(`http://two.example:${port}/`)), '200 here');
    await fails(sender.send(get(`http://two.example:${refused}/`)), 'ECONNREFUSED');
    const all = /10\.255\.255\.1, which is private.*192\.168\.0\.1, which is private.*fe80::1%lo, which is link-local/;
    await fails(sender.send(get(`http://none.example:${port}/`)), 'ENOTALLOWED', all);
    await fails(sender.send(get(`http://empty.example:${port}/`)), 'ENOTALLOWED', /^empty\.example has no address$/);
    const lost = client({
      lookup: async () => {
        throw Object.assign(new Error('lost'), { code: 'EAI_AGAIN' });
      },
    });
    await fails(lost.send(get('http://a.example/')), 'ENOTFOUND', /^no address of a\.example: EAI_AGAIN$/);
  });

  test('what is not allowed is not asked', async () => {
    let asked = 0;
    const url = await serve((_, answer) => {
      asked += 1;
      answer.end('');
    });
    const { port } = new URL(url);
    const strict = client({ mode: 'start', lookup: names({ 'a.example': ['127.0.0.1'] }) });
    const hosts = [
      '127.0.0.1',
      '0x7f.1',
      '2130706433',
      '127.0.0.1.',
      '[::ffff:127.0.0.1]',
      'localhost',
      'a.localhost.',
    ];
    for (const host of [...hosts, 'a.example']) {
      for (const scheme of ['http', 'https']) {
        await fails(strict.send(get(`${scheme}://${host}:${port}/`)), 'ENOTALLOWED');
      }
    }
    for (const bad of ['ftp://a.example/', 'a.example', `http://user@127.0.0.1:${port}/`]) {
      await fails(client().send(get(bad)), 'ENOTALLOWED');
    }
    assert.equal(asked, 0);
    assert.equal(await textOf(strict, get(url, { isTrusted: true })), '200 ');
  });

  test('TLS checks the name, though the connection goes to an address', async () => {
    const now = Date.now();
    const valid = { from: now - 60_000, until: now + 3_600_000 };
    const made = makeSelfSigned({ hosts: ['good.example'], ...valid }, nodeRandom);
    const port = await listen(createSecure(made, (_, answer) => void answer.end('secure')));
    const lookup = names({ 'good.example': ['127.0.0.1'], 'bad.example': ['127.0.0.1'] });
    const sender = client({ lookup, authorities: made.cert });
    assert.equal(await textOf(sender, get(`https://good.example:${port}/`)), '200 secure');
    await fails(sender.send(get(`https://bad.example:${port}/`)), 'ETLS', /altnames/);
    await fails(client({ lookup }).send(get(`https://good.example:${port}/`)), 'ETLS', /self-signed/);
    const plain = await serve((_, answer) => void answer.end(''));
    await fails(sender.send(get(plain.replace('http:', 'https:'))), 'ETLS');
    const hanging = await serveRaw((socket) => socket.on('data', () => socket.destroy()));
    await fails(sender.send(get(hanging.replace('http:', 'https:'))), 'ETLS');
  });

  test('how servers fail', async () => {
    const table: readonly (readonly [
      does: (socket: Socket) => void,
      code: EnvironmentCode,
      more?: Partial<ClientRequest>,
    ])[] = [
      [(socket) => void socket.on('data', () => socket.resetAndDestroy()), 'ECONNRESET'],
      [(socket) => void socket.on('data', () => socket.end()), 'ECONNRESET'],
      [() => undefined, 'ETIMEDOUT', { timeoutMs: 50 }],
      [
        (socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
        'ETIMEDOUT',
        { timeoutMs: 50 },
      ],
      [(socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'), 'ECONNRESET'],
      [(socket) => void socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'), 'ECONNRESET'],
      [(socket) => void socket.write('nonsense\r\n\r\n'), 'EOTHER'],
      [(socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`), 'EMSGSIZE'],
      [(socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1025\r\n\r\n'), 'EMSGSIZE'],
      [(socket) => void socket.write(`HTTP/1.1 200 OK\r\n\r\n${'z'.repeat(1025)}`), 'EMSGSIZE'],
      [(socket) => void socket.write('HTTP/1.1 101 Hi\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'), 'ECONNRESET'],
    ];
    for (const [does, code, more] of table) {
      const url = await serveRaw(does);
      await fails(textOf(client(), get(url, more)), code);
    }
  });

  test('a refusal in the middle of the body is heard, and the rest not sent', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        sent += 1;
        yield Buffer.alloc(65_536);
      }
    }
    const url = await serve((request, answer) => {
      request.once('data', () => void answer.writeHead(413).end('too much'));
      request.on('error', () => undefined);
    });
    assert.equal(await textOf(client(), get(url, { method: 'POST', body: endless() })), '413 too much');
    assert.ok(sent < 1000, `${sent} pieces`);
  });

  test('what the body throws ends the request', async () => {
    const url = await serve((request) => void request.on('error', () => undefined));
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw new RangeError('from the body');
    }
    await assert.rejects(client().send(get(url, { method: 'POST', body: broken() })), RangeError);
  });

  test('the signal ends a request, before its answer and within', async () => {
    const silent = await serve(() => undefined);
    const before = new AbortController();
    const waiting = client().send(get(silent, { signal: before.signal, timeoutMs: 0 }));
    setTimeout(() => before.abort(), 20);
    await fails(waiting, 'EOTHER', /^the request was ended$/);
    await fails(client().send(get(silent, { signal: before.signal })), 'EOTHER');
    const half = await serve((_, answer) => void answer.write('half'));
    const within = new AbortController();
    const answer = await client().send(get(half, { signal: within.signal, timeoutMs: 0 }));
    setTimeout(() => within.abort(), 20);
    await fails(answer.readBody(1024), 'EOTHER');
  });

  test('pieces come as they are sent, past the time for the head, and leaving them closes the connection', async () => {
    let closed = false;
    const url = await serve((_, answer) => {
      answer.write('one');
      const timer = setTimeout(() => answer.write('two'), 150);
      answer.on('close', () => {
        clearTimeout(timer);
        closed = true;
      });
    });
    const { pieces } = await client().send(get(url, { timeoutMs: 100 }));
    const seen: string[] = [];
    for await (const piece of pieces) {
      seen.push(Buffer.from(piece).toString());
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen, ['one', 'two']);
    await new Promise((resolve) => void setTimeout(resolve, 50));
    assert.ok(closed);
  });
});
