import { connect } from 'node:net';
import { awsHeaders } from './subject.ts';

/** What came back before the connection ended; no status when it ended without an answer. */
export interface RawAnswer {
  readonly status: number | undefined;
  readonly text: string;
  readonly ms: number;
}

/** How a request is sent. */
export interface Sending {
  /** Ends our side after the last byte, as a sender does that dies in mid-body. */
  readonly halfClose?: boolean;
  readonly withinMs?: number;
}

/** Sends bytes as they are and waits until the other side has closed. Rejects when it does not in time. */
export async function sendRaw(url: string, bytes: string | Uint8Array, sending: Sending = {}): Promise<RawAnswer> {
  const { halfClose = false, withinMs = 5000 } = sending;
  const { hostname, port } = new URL(url);
  const startedAt = performance.now();
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  // A reset is a closed connection; what came before it counts.
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket.destroy();
  }, withinMs);
  socket.write(bytes);
  if (halfClose) socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(timer);
  const text = Buffer.concat(chunks).toString('latin1');
  const ms = performance.now() - startedAt;
  if (late) throw new Error(`neither answered nor closed within ${withinMs} ms: ${text.slice(0, 200)}`);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text.replace(/^HTTP\/1\.1 100 [^\r]*\r\n\r\n/, ''))?.[1];
  return { status: status === undefined ? undefined : Number(status), text, ms };
}

/** The parts of a request that a case says; a header that is undefined is left out. */
export interface RawRequest {
  readonly line?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Uint8Array;
  /** Header lines as they are, after the others. */
  readonly lines?: readonly string[];
}

/** An AWS request to ListStreams, with what the case says instead. */
export function awsRequest(url: string, request: RawRequest): Uint8Array {
  return rawRequest(url, 'POST / HTTP/1.1', awsHeaders('Kinesis_20131202.ListStreams'), request);
}

/** The bytes of a request that ends its connection. */
export function rawRequest(
  url: string,
  line: string,
  own: Readonly<Record<string, string>>,
  request: RawRequest,
): Uint8Array {
  const body = Buffer.from((request.body ?? '{}') as string);
  const headers: Record<string, string | undefined> = {
    host: new URL(url).host,
    connection: 'close',
    'content-length': String(body.length),
    ...own,
    ...request.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const head = [request.line ?? line, ...lines, ...(request.lines ?? []), '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
