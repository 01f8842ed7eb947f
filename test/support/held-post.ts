/**
 * Sends webhooks that wait, in a process of its own: told of one, it sends all of it but the last byte and says so; told
 * to go on it sends that byte, and says what was answered and between which moments.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { webhookHeaders } from './post-webhook.ts';

/** What the process is told: a webhook to hold, or to let go of it. */
export type HeldPostOrder =
  | { readonly url: string; readonly secret: string; readonly id: string; readonly body: string }
  | 'release';

/** What it says: everything but one byte is sent; or how it ended. */
export type HeldPostWord = 'held' | HeldPostEnd;

/** Times in nanoseconds of the machine's monotonic clock, which all processes share, as text. */
export interface HeldPostEnd {
  readonly status: number;
  readonly text: string;
  readonly releasedAt: string;
  readonly answeredAt: string;
}

let release: () => void = () => undefined;

function say(word: HeldPostWord): void {
  process.send?.(word);
}

async function hold(order: Exclude<HeldPostOrder, string>): Promise<void> {
  const { url, secret, id, body } = order;
  const { hostname, port, pathname } = new URL(url);
  const lines = Object.entries(webhookHeaders(secret, id, body)).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n${lines.join('')}`;
  const bytes = Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const chunks: Buffer[] = [];
  await once(socket, 'connect');
  const answered = once(socket, 'data');
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const released = new Promise<void>((resolve) => (release = resolve));
  socket.write(bytes.subarray(0, -1), () => say('held'));
  await released;
  const releasedAt = process.hrtime.bigint();
  socket.write(bytes.subarray(-1));
  await answered;
  const answeredAt = process.hrtime.bigint();
  await once(socket, 'end');
  const [first = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  const status = Number(first.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
  say({ status, text: rest.join('\r\n\r\n'), releasedAt: String(releasedAt), answeredAt: String(answeredAt) });
}

assert.ok(process.send !== undefined, 'started by a test, as its child');
process.on('message', (order: HeldPostOrder) => {
  if (order === 'release') release();
  else void hold(order);
});
