/**
 * A feed as fast as it is asked to be, in a process of its own: COUNT events, PER_SECOND of them a second (0: as fast as
 * they are taken), of the shape and sizes of the example's changes. Each carries its number in `meta.id`; what makes an
 * event is done before, so that it is the reader who is measured.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';

interface Changes {
  recentchange(seed: number, number: number, atMs: number): { readonly meta: { readonly id: string } };
  placesAt(number: number, atMs: number): string;
}

const TEMPLATES = 1000;
const TICK_MS = 5;
const CHUNK_EVENTS = 45;
const NUMBER_DIGITS = 12;
const TIME_MS = 1_790_000_000_000;

const [count = 0, perSecond = 0] = process.argv.slice(2).map(Number);
const changes = (await import(pathToFileURL(resolve('examples/sse-archive/recentchange.mjs')).href)) as Changes;
const templates = Array.from({ length: TEMPLATES }, (_, index) => templateOf(index));

interface Template {
  readonly bytes: Buffer;
  /** Where the digits of the number, and those of the id's time, stand. */
  readonly numberAt: number;
  readonly timeAt: number;
}

function templateOf(index: number): Template {
  const change = changes.recentchange(7, index, TIME_MS);
  const { id } = change.meta;
  const text = `event: message\nid: ${changes.placesAt(index, TIME_MS)}\ndata: ${JSON.stringify(change)}\n\n`;
  const bytes = Buffer.from(text);
  return { bytes, numberAt: bytes.indexOf(id) + id.length - NUMBER_DIGITS, timeAt: bytes.indexOf(String(TIME_MS)) };
}

function chunkOf(first: number, events: number): Buffer {
  const chosen = Array.from({ length: events }, (_, index) => templates[(first + index) % TEMPLATES] as Template);
  const chunk = Buffer.allocUnsafe(chosen.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const [index, { bytes, numberAt, timeAt }] of chosen.entries()) {
    const number = first + index;
    chunk.set(bytes, at);
    chunk.write(String(number).padStart(NUMBER_DIGITS, '0'), at + numberAt, 'latin1');
    chunk.write(String(TIME_MS + number), at + timeAt, 'latin1');
    at += bytes.length;
  }
  return chunk;
}

function serve(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const startedAt = performance.now();
  let next = 0;
  let isBusy = false;
  const due = (): number =>
    perSecond === 0 ? count : Math.min(count, Math.floor(((performance.now() - startedAt) * perSecond) / 1000));
  const send = (): void => {
    while (!isBusy && next < due()) {
      const events = Math.min(CHUNK_EVENTS, due() - next);
      isBusy = !response.write(chunkOf(next, events));
      next += events;
    }
  };
  response.on('drain', () => {
    isBusy = false;
    send();
  });
  const timer = setInterval(send, TICK_MS);
  response.on('close', () => clearInterval(timer));
}

const server = createServer((_request, response) => serve(response));
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
