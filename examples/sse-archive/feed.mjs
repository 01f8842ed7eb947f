/**
 * A local feed in the manner of Wikimedia's EventStreams: `node feed.mjs [--port 20080] [--rate 40] [--seed 1] [--count N]
 * [--start TIME] [--canary-every N]`. It begins at `--start` (an hour ago) and adds `--rate` changes a second, `--count` at
 * most. Who comes with `Last-Event-ID` or `?since=` gets what happened since then; times are in the ids, so that the
 * events of that very millisecond come again. Others get what happens from now on.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { canary, placesAt, recentchange } from './recentchange.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '20080' },
    rate: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: 'Infinity' },
    start: { type: 'string', default: new Date(Date.now() - 3_600_000).toISOString() },
    'canary-every': { type: 'string', default: '0' },
  },
});
const [port, rate, seed, count] = [values.port, values.rate, values.seed, values.count].map(Number);
const canaryEvery = Number(values['canary-every']);
const startMs = Date.parse(values.start);
const PATH = '/v2/stream/recentchange';
const LOOK_MS = 20;
const BATCH = 200;

const timeOf = (number) => startMs + Math.floor((number * 1000) / rate);
const happened = () => Math.min(count, Math.max(0, Math.ceil(((Date.now() - startMs) * rate) / 1000)));

function eventOf(number) {
  const atMs = timeOf(number);
  const make = canaryEvery > 0 && number % canaryEvery === canaryEvery - 1 ? canary : recentchange;
  return `event: message\nid: ${placesAt(number, atMs)}\ndata: ${JSON.stringify(make(seed, number, atMs))}\n\n`;
}

/** Number of the first event that happened at or after a time. */
function numberAt(timeMs) {
  return Math.max(0, Math.ceil(((timeMs - startMs) * rate) / 1000));
}

/** Where a client goes on; undefined: it says something that is no place. */
function placeOf(request, url) {
  const id = request.headers['last-event-id'];
  const since = url.searchParams.get('since');
  if (id !== undefined) {
    try {
      return numberAt(Math.max(...JSON.parse(id).map(({ timestamp = 0 }) => timestamp)));
    } catch {
      return undefined;
    }
  }
  if (since === null) return happened();
  const time = /^\d+$/.test(since) ? Number(since) : Date.parse(since);
  return Number.isNaN(time) ? undefined : numberAt(time);
}

function serve(response, first) {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  response.write(':ok\n\n');
  let next = first;
  let isBusy = false;
  const send = () => {
    if (isBusy) return;
    const texts = [];
    for (const end = Math.min(happened(), next + BATCH); next < end; next += 1) texts.push(eventOf(next));
    if (texts.length === 0) return;
    // Who does not read is not sent to.
    isBusy = !response.write(texts.join(''));
    if (!isBusy && texts.length === BATCH) setImmediate(send);
  };
  response.on('drain', () => {
    isBusy = false;
    send();
  });
  const timer = setInterval(send, LOOK_MS);
  response.on('close', () => clearInterval(timer));
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const place = placeOf(request, url);
  if (url.pathname !== PATH) response.writeHead(404).end('no such stream\n');
  else if (place === undefined) response.writeHead(400).end('no such place\n');
  else serve(response, place);
});
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}${PATH}`));
