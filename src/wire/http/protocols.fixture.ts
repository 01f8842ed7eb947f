import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { connect, constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { nodeRandom } from '../../environments/node/random.ts';
import { makeSelfSigned } from './self-signed.ts';

const DAY_MS = 86_400_000;

/** A certificate for localhost. */
export function testCertificate() {
  const now = Date.now();
  return makeSelfSigned({ hosts: ['localhost', '127.0.0.1'], from: now - DAY_MS, until: now + DAY_MS }, nodeRandom);
}

/** One way to speak to a listener. */
export const ways = ['http/1.1', 'http/1.1 over TLS', 'h2c', 'h2 over TLS', 'h2 over TLS, no ALPN offered'] as const;

/** What a client asks. */
export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** What it heard; headers that speak of the connection are left out. */
export interface Heard {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

const OF_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'date', 'x-amzn-requestid', ':status'];

/** Opens a session; the caller destroys it. */
export async function openHttp2(way: string, port: number, ca: string): Promise<ClientHttp2Session> {
  const authority = `${way === 'h2c' ? 'http' : 'https'}://localhost:${port}`;
  const tls = { port, host: '127.0.0.1', servername: 'localhost', ca };
  const session =
    way === 'h2c'
      ? connect(authority)
      : connect(authority, {
          createConnection: () => connectTls(way.endsWith('offered') ? tls : { ...tls, ALPNProtocols: ['h2'] }),
        });
  session.on('error', () => undefined);
  await once(session, 'connect');
  return session;
}

/** One request and its answer over a connection of its own. */
export async function ask(way: (typeof ways)[number], port: number, ca: string, asked: Asked): Promise<Heard> {
  if (way.startsWith('http/1.1')) return await askHttp1(way, port, ca, asked);
  const session = await openHttp2(way, port, ca);
  try {
    return await askHttp2(session, asked);
  } finally {
    session.destroy();
  }
}

/** One request over a session. */
export async function askHttp2(session: ClientHttp2Session, asked: Asked): Promise<Heard> {
  const { method = 'GET', path = '/', headers = {}, body } = asked;
  const own: OutgoingHttpHeaders = { ':method': method, ':path': path, ...headers };
  const stream = session.request(own, { endStream: body === undefined });
  const answered = once(stream, 'response');
  // The platform's client never ends a stream whose only chunk is empty.
  if (body !== undefined) stream.end(body.length === 0 ? undefined : body);
  const [given] = (await answered) as [Record<string, unknown>];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) throw new Error(`reset: ${stream.rstCode}`);
  return { status: Number(given[':status']), headers: plain(given), body: Buffer.concat(chunks).toString('latin1') };
}

async function askHttp1(way: string, port: number, ca: string, asked: Asked): Promise<Heard> {
  const { method = 'GET', path = '/', headers = {}, body } = asked;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const options = {
    host: 'localhost',
    family: 4,
    port,
    method,
    path,
    headers: { ...headers, ...length },
    agent: false,
  };
  const sent = way === 'http/1.1' ? requestHttp(options) : requestHttps({ ...options, ca });
  const answered = once(sent, 'response');
  sent.end(body);
  const [message] = (await answered) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const status = message.statusCode ?? 0;
  return { status, headers: plain(message.headers), body: Buffer.concat(chunks).toString('latin1') };
}

function plain(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.includes(name)));
}
