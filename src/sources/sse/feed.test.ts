import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from '../../environments/simulated/index.ts';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { Clock } from '../../ports/environment.ts';
import type { Arrivals, OpenSource } from '../../ports/source.ts';
import { ScriptedHttp, type ScriptedAnswer, type SeenRequest } from '../../testing/scripted-http.ts';
import { sse } from './index.ts';
import type { SseOptions } from './settings.ts';

const URL_OF_FEED = 'http://127.0.0.1/v2/feed?since=0&x=1';
const STREAM = { 'content-type': 'text/event-stream' };

/** An answer, or one whose pieces take time. */
type Given = ScriptedAnswer | ((clock: Clock) => ScriptedAnswer);

/** One source against answers given one after the other; then nobody answers. */
class FeedBench {
  readonly simulation = new Simulation(1);
  readonly seen: SeenRequest[] = [];
  readonly arrived: Arrivals[] = [];
  readonly #answers: Given[];
  #source: OpenSource | undefined;
  readonly #ending = new AbortController();

  constructor(...answers: readonly Given[]) {
    this.#answers = [...answers];
  }

  async open(options: SseOptions = {}, at?: string): Promise<this> {
    const { environment } = this.simulation;
    const http = new ScriptedHttp(environment.clock, (request) => {
      this.seen.push(request);
      const answer = this.#answers.shift() ?? { fails: 'ECONNREFUSED' };
      return typeof answer === 'function' ? answer(environment.clock) : answer;
    });
    const doors = { name: 'feed', http, configFolder: '/config' };
    this.#source = await this.simulation.drive(sse.open({ url: URL_OF_FEED, ...options }, at, doors, environment));
    void this.#read(this.#source);
    return this;
  }

  async #read(source: OpenSource): Promise<void> {
    for await (const arrivals of source.arrivals(this.#ending.signal)) this.arrived.push(arrivals);
  }

  async pass(ms: number): Promise<this> {
    await this.simulation.pass(ms);
    return this;
  }

  get status(): ReturnType<OpenSource['status']> {
    assert.ok(this.#source !== undefined);
    return this.#source.status();
  }

  get data(): readonly string[] {
    return this.arrived.flatMap(({ events }) => events.map(({ data }) => Buffer.from(data).toString()));
  }

  get token(): string | undefined {
    return this.arrived.at(-1)?.token;
  }

  lines(event: string): readonly Readonly<Record<string, unknown>>[] {
    return this.simulation.logged.filter((line) => line.event === event).map(({ fields }) => fields);
  }

  end(): void {
    this.#ending.abort();
  }
}

function stream(body: string, more: object = {}): ScriptedAnswer {
  return { headers: { ...STREAM, ...more }, body };
}

/** Sends the body and then nothing more, without ending. */
function silent(body: string): ScriptedAnswer {
  return { headers: STREAM, pieces: thenSilence(body) };
}

async function* thenSilence(body: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(body);
  await new Promise(() => undefined);
}

function commentAfter(ms: number): Given {
  return (clock) => ({ headers: STREAM, pieces: lateComment(clock, ms) });
}

async function* lateComment(clock: Clock, ms: number): AsyncGenerator<Uint8Array> {
  await clock.sleep(ms);
  yield Buffer.from(':\n\n');
}

test('the request says what it wants, and the headers of the options are sent', async () => {
  const bench = await new FeedBench(stream('data: a\n\n')).open({
    headers: 'User-Agent|me|x-api-key|demo|Accept|text/html|Last-Event-ID|7',
  });
  await bench.pass(10);
  assert.deepEqual(bench.seen[0]?.headers, {
    'user-agent': 'me',
    'x-api-key': 'demo',
    accept: 'text/event-stream',
    'cache-control': 'no-store',
    'accept-encoding': 'identity',
  });
  assert.equal(bench.seen[0]?.url, URL_OF_FEED);
  assert.deepEqual(
    bench.lines('sse.option-without-effect').map(({ note }) => note),
    [
      'the header accept has no effect: an event stream is asked for',
      'the header last-event-id has no effect: the source keeps it itself',
    ],
  );
  bench.end();
});

test('it goes on after the last id, also one without data, as UTF-8 and without `since`', async () => {
  const bench = await new FeedBench(stream('id: ü1\ndata: a\n\nid: 你2\n\ndata: unfinished'), stream('')).open();
  await bench.pass(3000);
  assert.deepEqual(bench.data, ['a']);
  assert.equal(Buffer.from(bench.seen[1]?.headers['last-event-id'] ?? '', 'latin1').toString(), '你2');
  assert.equal(bench.seen[1]?.url, 'http://127.0.0.1/v2/feed?x=1');
  bench.end();
});

test('a token leads back to the place, on the feed it is of', async () => {
  const first = await new FeedBench(stream('id: 5\ndata: a\n\n')).open();
  await first.pass(10);
  const same = await new FeedBench(stream('')).open({}, first.token);
  const other = await new FeedBench(stream('')).open({ url: 'http://127.0.0.1/other' }, first.token);
  await same.pass(10);
  await other.pass(10);
  assert.equal(same.seen[0]?.headers['last-event-id'], '5');
  assert.equal(other.seen[0]?.headers['last-event-id'], undefined);
  for (const bench of [first, same, other]) bench.end();
});

const FAILURES: readonly (readonly [answer: ScriptedAnswer, cause: string])[] = [
  [{ status: 500 }, 'status 500'],
  [{ status: 429 }, 'status 429'],
  [{ status: 404, body: 'x'.repeat(100_000) }, 'status 404'],
  [{ fails: 'ECONNREFUSED' }, 'ECONNREFUSED'],
  [{ fails: 'ETLS' }, 'ETLS'],
  [
    { body: '{}', headers: { 'content-type': 'application/json' } },
    'content type application/json, not text/event-stream',
  ],
  [{ body: '{}' }, 'content type (none), not text/event-stream'],
  [stream('x', { 'content-encoding': 'gzip' }), 'encoded as gzip'],
  [{ status: 302 }, '302 without a location to go to'],
  [{ status: 302, headers: { location: 'ftp://127.0.0.1/' } }, '302 without a location to go to'],
  [{ headers: STREAM, takesMs: 60_000 }, 'ETIMEDOUT'],
  [stream(':ok\n\n'), 'the server ended the stream'],
];

test('whatever fails is said, and tried again', async () => {
  for (const [answer, cause] of FAILURES) {
    const bench = await new FeedBench(answer, stream('data: a\n\n')).open();
    await bench.pass(40_000);
    assert.deepEqual([bench.lines('sse.disconnected')[0]?.['cause'], bench.data], [cause, ['a']]);
    bench.end();
  }
});

test('waits grow to a minute, and begin again after an event', async () => {
  const bench = await new FeedBench(
    ...Array.from({ length: 10 }, () => ({ status: 503 })),
    stream('data: a\n\n'),
  ).open();
  await bench.pass(600_000);
  const waits = bench.lines('sse.disconnected').map(({ waitMs }) => Number(waitMs));
  for (const [index, wait] of waits.slice(0, 10).entries()) {
    const most = Math.min(60_000, 1000 * 2 ** index);
    assert.ok(wait >= most / 2 && wait <= most, `wait ${index}: ${wait}`);
  }
  assert.ok((waits[10] ?? 0) <= 1000, `${waits[10]}`);
  bench.end();
});

test('a feed that is only quiet does not count as failing', async () => {
  const rows: readonly (readonly [what: string, failures: readonly number[], ...answers: Given[]])[] = [
    ['new positions', [1, 1, 1], stream('id: 1\n\n'), stream('id: 2\n\n'), stream('id: 3\n\n')],
    ['silence until the time is over', [1, 1, 1], silent(''), silent(':\n\n'), silent('')],
    ['comments, then the end', [1, 1, 1], ...[1, 2, 3].map(() => commentAfter(15_000))],
    ['the end at once', [1, 2, 3], stream(':\n\n'), stream(':\n\n'), stream('')],
    ['a comment soon, then the end', [1, 2, 3], ...[1, 2, 3].map(() => commentAfter(1000))],
  ];
  for (const [what, failures, ...answers] of rows) {
    const bench = await new FeedBench(...answers).open();
    await bench.pass(1_000_000);
    const counted = bench.lines('sse.disconnected').map((line) => line['failures']);
    assert.deepEqual(counted.slice(0, 3), failures, what);
    bench.end();
  }
});

test('the server says how long to wait', async () => {
  const rows: readonly (readonly [answer: ScriptedAnswer, atLeast: number, atMost: number])[] = [
    [{ status: 429, headers: { 'retry-after': '120' } }, 120_000, 121_000],
    [{ status: 200, headers: { 'content-type': 'text/html', 'retry-after': '120' } }, 120_000, 121_000],
    [{ status: 302, headers: { 'retry-after': '120' } }, 120_000, 121_000],
    [{ status: 503, headers: { 'retry-after': 'Thu, 01 Jan 2026 00:05:00 GMT' } }, 299_000, 301_000],
    [{ status: 429, headers: { 'retry-after': '99999999' } }, 3_600_000, 3_601_000],
    [{ status: 429, headers: { 'retry-after': 'soon' } }, 500, 1000],
    [stream('retry: 20000\ndata: a\n\n'), 10_000, 20_000],
    [stream('retry: 7200000\ndata: a\n\n'), 30_000, 60_000],
    [stream('retry: 0\ndata: a\n\n'), 100, 200],
    [stream('retry: 1\n\n'), 100, 200],
  ];
  for (const [answer, atLeast, atMost] of rows) {
    const bench = await new FeedBench(answer).open();
    await bench.pass(100);
    const wait = Number(bench.lines('sse.disconnected')[0]?.['waitMs']);
    assert.ok(wait >= atLeast && wait <= atMost, `${JSON.stringify(answer)}: ${wait}`);
    bench.end();
  }
});

test('redirects are followed, relative ones too; other servers are not told the headers', async () => {
  const bench = await new FeedBench(
    { status: 307, headers: { location: '../v3/feed' } },
    { status: 308, headers: { location: 'http://127.0.0.2:81/x#fragment' } },
    stream('data: a\n\n'),
  ).open({ headers: 'User-Agent|me|Authorization|Bearer secret' });
  await bench.pass(100);
  assert.deepEqual(bench.data, ['a']);
  assert.deepEqual(
    bench.seen.map(({ url, headers }) => [url, headers['authorization'], headers['user-agent']]),
    [
      [URL_OF_FEED, 'Bearer secret', 'me'],
      ['http://127.0.0.1/v3/feed', 'Bearer secret', 'me'],
      ['http://127.0.0.2:81/x', undefined, 'me'],
    ],
  );
  bench.end();
});

test('redirects are bounded, do not leave TLS, and lead to no address that is not allowed', async () => {
  const headers = { location: '/v2/feed', 'retry-after': '120' };
  const around = Array.from({ length: 11 }, () => ({ status: 301, headers }));
  const round = await new FeedBench(...around).open();
  const plain = await new FeedBench({ status: 301, headers: { location: 'http://127.0.0.1/' } }).open({
    url: 'https://127.0.0.1/',
  });
  const inside = await new FeedBench({ status: 301, headers: { location: 'http://169.254.169.254/' } }).open();
  for (const bench of [round, plain, inside]) await bench.pass(400);
  assert.equal(round.status.failure, 'more than 10 redirects');
  assert.ok(Number(round.lines('sse.disconnected')[0]?.['waitMs']) >= 120_000, 'as long as the last one says');
  assert.equal(plain.status.failure, '301 to an address without TLS');
  assert.match(inside.status.failure ?? '', /169\.254\.169\.254/);
  assert.equal(inside.seen.length, 1);
  for (const bench of [round, plain, inside]) bench.end();
});

test('a connection on which nothing comes is given up', async () => {
  const bench = await new FeedBench(silent('id: 3\ndata: a\n\n'), stream('data: b\n\n')).open({ readTimeoutMS: 5000 });
  await bench.pass(4900);
  assert.equal(bench.status.state, 'connected');
  await bench.pass(2000);
  assert.deepEqual(bench.data, ['a', 'b']);
  assert.equal(bench.lines('sse.disconnected')[0]?.['cause'], 'nothing came for 5000 ms');
  assert.equal(bench.seen[1]?.headers['last-event-id'], '3');
  bench.end();
});

test('with 0 it waits for ever, and without the word five minutes', async () => {
  const never = await new FeedBench(silent('data: a\n\n')).open({ readTimeoutMS: 0 });
  const usual = await new FeedBench(silent('data: a\n\n')).open();
  await never.pass(3_000_000);
  await usual.pass(299_000);
  assert.deepEqual([never.status.state, usual.status.state], ['connected', 'connected']);
  await usual.pass(2000);
  assert.equal(usual.status.failure, 'ECONNREFUSED');
  never.end();
  usual.end();
});

test('types are kept by name, and what is to be skipped is left out and counted', async () => {
  const body =
    'data: {"n":1}\n\nevent: a\ndata: {"n":2}\n\nevent: b\ndata: {"n":3}\n\nevent: a\ndata: {"n":4,"meta":{"domain":"canary"}}\n\n';
  const bench = await new FeedBench(stream(body)).open({ types: 'message|a', skip: { 'meta.domain': 'canary' } });
  await bench.pass(10);
  assert.deepEqual(bench.data, ['{"n":1}', '{"n":2}']);
  assert.equal(bench.status.skipped, 2);
  bench.end();
});

test('an id names its event; lists of places and events without an id do not', async () => {
  const places = '[{"topic":"a","partition":0,"timestamp":1767225599000},{"topic":"b","partition":0,"offset":-1}]';
  const bench = await new FeedBench(
    stream(`id: 7\ndata: {"k":"x"}\n\ndata: {}\n\nid: ${places}\ndata: {}\n\nid\ndata: {}\n\n`),
  ).open();
  const keyed = await new FeedBench(
    stream('id: 7\ndata: {"k":"x"}\n\nid: 8\ndata: {}\n\nid: 9\ndata: {"k":""}\n\n'),
  ).open({ dedupeKey: 'k' });
  await bench.pass(10);
  await keyed.pass(10);
  const named = (one: FeedBench): unknown =>
    one.arrived.flatMap(({ events }) => events.map(({ id, key }) => ({ id, key })));
  const nothing = { id: undefined, key: undefined };
  assert.deepEqual(named(bench), [{ id: '7', key: undefined }, nothing, { id: '', key: undefined }, nothing]);
  assert.deepEqual(named(keyed), [
    { id: undefined, key: 'x' },
    { id: '8', key: undefined },
    { id: '9', key: undefined },
  ]);
  bench.end();
  keyed.end();
});

test('the lag is that of the newest place', async () => {
  const places = '[{"topic":"a","partition":0,"timestamp":1767225597000},{"topic":"b","partition":0,"offset":-1}]';
  const bench = await new FeedBench(silent(`id: ${places}\ndata: {}\n\n`)).open();
  await bench.pass(10);
  const { lagMs = 0, lastId } = bench.status;
  assert.ok(lagMs >= 3000 && lagMs < 3100, String(lagMs));
  assert.equal(lastId, places);
  bench.end();
});

test('an id that cannot be sent back is no position', async () => {
  const bench = await new FeedBench(
    stream(`id: 1\n\nid: a\u0001b\n\nid: ${'x'.repeat(5000)}\ndata: a\n\n`),
    stream(''),
  ).open();
  await bench.pass(3000);
  assert.equal(bench.seen[1]?.headers['last-event-id'], '1');
  assert.equal(bench.lines('sse.id-cannot-be-sent').length, 1);
  bench.end();
});

test('an id that would lose its spaces on the way is no position', async () => {
  for (const id of [' 2', '2 ', '\t2', '2\t', ' ']) {
    const bench = await new FeedBench(stream(`id: 1 1\n\nid: ${id}\ndata: a\n\n`), stream('')).open();
    await bench.pass(3000);
    assert.equal(bench.seen[1]?.headers['last-event-id'], '1 1', JSON.stringify(id));
    assert.equal(bench.lines('sse.id-cannot-be-sent').length, 1);
    bench.end();
  }
});

test('the report counts from the last one, in the words of the sample', async () => {
  const bench = await new FeedBench(silent('data: a\n\ndata: b\n\n')).open({ reportMessagesReceivedMS: 10_000 });
  await bench.pass(20_001);
  assert.deepEqual(
    bench.lines('sse.rate').map(({ text }) => text),
    [
      'SSERate received [2] events between [2026-01-01T00:00:00.000Z] and [2026-01-01T00:00:10.000Z]',
      'SSERate received [0] events between [2026-01-01T00:00:10.000Z] and [2026-01-01T00:00:20.000Z]',
    ],
  );
  bench.end();
  await bench.pass(20_000);
  assert.equal(bench.lines('sse.rate').length, 2);
});

test('what the server does in the middle of a stream ends that connection alone', async () => {
  const broken: ScriptedAnswer = { headers: STREAM, pieces: thenBroken() };
  const bench = await new FeedBench(broken, stream('data: b\n\n')).open();
  await bench.pass(2000);
  assert.deepEqual(bench.data, ['a', 'b']);
  assert.equal(bench.lines('sse.disconnected')[0]?.['cause'], 'ECONNRESET');
  bench.end();
});

async function* thenBroken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('data: a\n\ndata: half');
  throw new EnvironmentError('ECONNRESET', 'gone');
}
