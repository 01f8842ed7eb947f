import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createServer as createRaw, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createNodeCompute } from '../../environments/node/compute.ts';
import { NodeHttpClient } from '../../environments/node/http-client.ts';
import { nodeClock } from '../../environments/node/clock.ts';
import { nodeRandom } from '../../environments/node/random.ts';
import { DeliveryError } from '../../kernel/errors.ts';
import { OutgoingRules } from '../../kernel/net/outgoing-rules.ts';
import type { Delivered, OpenDestination } from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { makeSelfSigned } from '../../wire/http/self-signed.ts';
import { AT, BATCH_ID, batchOf, type FakeBatch } from './http-endpoint.fixture.ts';
import { httpEndpoint } from './index.ts';

const MIB = 1024 * 1024;
const { log, meter } = quietEnvironment();
const http = new NodeHttpClient(meter);
http.use(new OutgoingRules({ mode: 'dev', allow: [], own: [] }));
const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function serve(handle: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(handle))}/`;
}

async function serveRaw(handle: (socket: Socket) => void): Promise<string> {
  return `http://127.0.0.1:${await listen(createRaw((socket) => handle(socket.on('error', () => undefined))))}/`;
}

function open(Url: string, ContentEncoding = 'NONE'): OpenDestination {
  const options = {
    EndpointConfiguration: { Url },
    RequestConfiguration: { ContentEncoding },
    S3Configuration: { BucketARN: 'failed' },
  };
  const doors = {
    blobs: {} as never,
    documents: {} as never,
    clusters: {} as never,
    http,
    settings: { on413: 'bisect' },
  } as const;
  const environment = { clock: nodeClock, random: nodeRandom, log, meter, compute: createNodeCompute(meter) };
  return httpEndpoint.open(options, doors, environment as unknown as Environment);
}

async function deliver(destination: OpenDestination, batch: FakeBatch): Promise<Delivered> {
  return await destination.deliver(batch, `${BATCH_ID}/${AT}`, new AbortController().signal);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    return error.code;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

interface Records {
  readonly requestId: string;
  readonly records: readonly { readonly data: string }[];
}

function answer(response: ServerResponse, requestId: unknown): void {
  const text = JSON.stringify({ requestId, timestamp: Date.now() });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
}

describe('servers that speak for themselves', () => {
  after(() => {
    http.close();
    for (const server of servers) server.close();
  });

  test('large bodies arrive whole, plain and compressed, with their length', async () => {
    const seen: { readonly data: string[]; readonly headers: IncomingMessage['headers'] }[] = [];
    const url = await serve((request, response) => {
      void bodyOf(request).then((body) => {
        const { requestId, records } = JSON.parse(body.toString()) as Records;
        seen.push({ data: records.map(({ data }) => data), headers: request.headers });
        answer(response, requestId);
      });
    });
    const data = Array.from({ length: 300 }, (_, index) => nodeRandom.bytes(index === 0 ? MIB : 20_000 + index));
    for (const encoding of ['NONE', 'GZIP']) {
      const { sizeBytes, status } = await deliver(open(url, encoding), batchOf(data));
      const one = seen.pop();
      assert.equal(status, 200);
      assert.equal(one?.headers['content-length'], String(sizeBytes));
      assert.equal(one?.headers['transfer-encoding'], undefined);
      assert.deepEqual(
        one?.data,
        data.map((bytes) => Buffer.from(bytes).toString('base64')),
      );
    }
  });

  test('how servers fail', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
    const ok = JSON.stringify({ requestId: BATCH_ID, timestamp: 1 });
    const chunk = `${ok.length.toString(16)}\r\n${ok}\r\n0\r\n\r\n`;
    const reply = (text: string) => (socket: Socket) => void socket.on('data', () => void socket.write(text));
    const table: readonly (readonly [string, (socket: Socket) => void])[] = [
      ['none', reply(`${head}content-length: ${ok.length}\r\n\r\n${ok}`)],
      ['HttpEndpoint.InvalidResponseFromDestination', reply(`${head}transfer-encoding: chunked\r\n\r\n${chunk}`)],
      ['HttpEndpoint.InvalidResponseFromDestination', reply('nonsense\r\n\r\n')],
      ['HttpEndpoint.DestinationException', reply('HTTP/1.1 301 Moved\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n')],
      ['HttpEndpoint.DestinationException', reply('HTTP/1.1 204 None\r\n\r\n')],
      ['HttpEndpoint.ResponseTooLarge', reply(`${head}content-length: ${MIB}\r\n\r\n`)],
      ['HttpEndpoint.ResponseTooLarge', reply(`${head}transfer-encoding: chunked\r\n\r\n100000\r\n${'x'.repeat(MIB)}`)],
      ['HttpEndpoint.ResponseTooLarge', reply(`${head}x: ${'y'.repeat(70_000)}\r\n\r\n`)],
      ['HttpEndpoint.ConnectionReset', (socket) => void socket.on('data', () => socket.resetAndDestroy())],
      ['HttpEndpoint.ConnectionReset', reply(`${head}content-length: 99\r\n\r\n{`)],
    ];
    for (const [code, does] of table) {
      const url = await serveRaw((socket) => {
        does(socket);
        // An answer that is cut short.
        if (does === table.at(-1)?.[1]) socket.on('data', () => void setTimeout(() => socket.destroy(), 20));
      });
      assert.equal(await codeOf(deliver(open(url), batchOf(['a']))), code);
    }
    const closed = await serveRaw(() => undefined);
    await new Promise((resolve) => void servers.pop()?.close(resolve));
    assert.equal(await codeOf(deliver(open(closed), batchOf(['a']))), 'HttpEndpoint.ConnectionFailed');
    assert.equal(await codeOf(deliver(open('http://10.0.0.1/'), batchOf(['a']))), 'HttpEndpoint.ConnectionFailed');
    assert.equal(await codeOf(deliver(open('https://a.invalid/'), batchOf(['a']))), 'HttpEndpoint.ConnectionFailed');
  });

  test('a certificate that nobody knows', async () => {
    const now = Date.now();
    const made = makeSelfSigned({ hosts: ['localhost'], from: now - 60_000, until: now + 60_000 }, nodeRandom);
    const port = await listen(createSecure(made, (_, response) => answer(response, BATCH_ID)));
    const code = await codeOf(deliver(open(`https://localhost:${port}/`), batchOf(['a'])));
    assert.equal(code, 'HttpEndpoint.SSLHandshakeFailure');
  });

  test('one that answers 413 before it read the body gets halves, until it takes them', async () => {
    const taken: string[] = [];
    const url = await serve((request, response) => {
      if (Number(request.headers['content-length']) > 3 * MIB) {
        // Who closes while more comes resets the connection, and its answer may be lost: servers linger.
        request.resume();
        response.writeHead(413, { connection: 'close' }).end();
        return;
      }
      void bodyOf(request).then((body) => {
        const { requestId, records } = JSON.parse(body.toString()) as Records;
        taken.push(...records.map(({ data }) => Buffer.from(data, 'base64').toString('latin1', 0, 2)));
        answer(response, requestId);
      });
    });
    const data = Array.from({ length: 16 }, (_, index) => Buffer.alloc(MIB, String(index).padStart(2, '0')));
    const { refused } = await deliver(open(url), batchOf(data));
    assert.deepEqual(refused, []);
    assert.deepEqual(
      taken,
      data.map((one) => one.toString('latin1', 0, 2)),
    );
  });
});
