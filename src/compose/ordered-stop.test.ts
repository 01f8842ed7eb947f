import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeClock } from '../environments/node/clock.ts';
import type { FunctionRuntime, FunctionSpec, OpenFunction } from '../ports/function-runtime.ts';
import type { ClientAnswer, ClientRequest } from '../ports/http-client.ts';
import { signRequest } from '../wire/sigv4/sign.ts';
import { ScriptedHttp } from '../testing/scripted-http.ts';
import { withNode, type Pair } from './key-pairs.fixture.ts';
import type { ServedNode } from './serve.ts';

/** Calls an action of Kinesis; resolves with the status, or why there was none. */
async function put(api: string, pair: Pair): Promise<number | string> {
  const body = JSON.stringify({ StreamName: 'out', PartitionKey: 'k', Data: 'b25l' });
  const url = new URL(`${api}/`);
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Kinesis_20131202.PutRecord' };
  const signing = { ...pair, region: 'us-east-1', service: 'kinesis', now: Date.now() };
  const signed = signRequest({ method: 'POST', url, headers, body }, signing);
  try {
    return (await fetch(url, { method: 'POST', headers: { ...headers, ...signed }, body })).status;
  } catch (error) {
    return String(error);
  }
}

/** One handler, which goes on when the test says so, and then puts a record. */
class CallsBack implements OpenFunction {
  readonly began: Promise<void>;
  readonly answers: (number | string)[] = [];
  /** How long each close might have taken, in ms. */
  readonly closedWithin: number[] = [];
  goOn: () => void = () => undefined;
  #begin: () => void = () => undefined;
  readonly #gone: Promise<void>;
  #variables: FunctionSpec['variables'] = {};
  #running: Promise<unknown> = Promise.resolve();

  constructor() {
    this.began = new Promise((resolve) => (this.#begin = resolve));
    this.#gone = new Promise((resolve) => (this.goOn = resolve));
  }

  get runtime(): FunctionRuntime {
    const open = (spec: FunctionSpec): OpenFunction => {
      this.#variables = spec.variables;
      return this;
    };
    return { problem: async () => undefined, mistake: async () => undefined, open, close: async () => undefined };
  }

  async run(): ReturnType<OpenFunction['run']> {
    const run = this.#run();
    this.#running = run;
    await run;
    return { payload: Buffer.from('null'), durationMs: 1, memoryBytesPeak: 1 };
  }

  stats(): ReturnType<OpenFunction['stats']> {
    return { processes: 1, running: 1, waiting: 0 };
  }

  async close(withinMs: number): Promise<void> {
    this.closedWithin.push(withinMs);
    await Promise.race([this.#running, sleep(withinMs, undefined, { ref: false })]);
  }

  async #run(): Promise<void> {
    const {
      AWS_ENDPOINT_URL_KINESIS: api = '',
      AWS_ACCESS_KEY_ID: id = '',
      AWS_SECRET_ACCESS_KEY: secret = '',
    } = this.#variables;
    this.#begin();
    await this.#gone;
    this.answers.push(await put(api, { accessKeyId: id, secretAccessKey: secret }));
  }
}

const PAIR = { accessKeyId: 'OPERATOR', secretAccessKey: 'the secret of the operator' };

for (const [name, credentials] of [
  ['signatures are verified', [PAIR]],
  ['signatures are not verified', undefined],
] as const) {
  test(`a node that stops answers handlers that call back, and nobody else: ${name}`, async () => {
    const handler = new CallsBack();
    const sections = {
      streams: { out: { shards: 1 } },
      functions: { f: { runtime: 'node', code: '.', handler: 'index.f', timeoutSeconds: 60 } },
    };
    await withNode(
      credentials,
      sections,
      async (served) => {
        const { api, node } = served;
        const url = new URL(`${api}/2015-03-31/functions/f/invocations`);
        const headers = { 'x-amz-invocation-type': 'Event' };
        const signing = { ...PAIR, region: 'us-east-1', service: 'lambda', now: Date.now() };
        const signed = signRequest({ method: 'POST', url, headers, body: '{}' }, signing);
        const sent = await fetch(url, { method: 'POST', headers: { ...headers, ...signed }, body: '{}' });
        assert.equal(sent.status, 202, await sent.text());
        await handler.began;
        assert.equal(await put(api, PAIR), 200);
        const stopped = served.stop(10_000);
        assert.equal(await put(api, PAIR), 503);
        assert.equal((await fetch(`${api}/readyz`)).status, 503);
        assert.equal((await fetch(`${api}/healthz`)).status, 200);
        assert.deepEqual(handler.answers, []);
        handler.goOn();
        await stopped;
        assert.deepEqual(handler.answers, [200]);
        assert.equal(await put(api, PAIR), 'TypeError: fetch failed');
        assert.equal(node.health().ok, true);
      },
      { functionRuntime: handler.runtime },
    );
  });
}

const F = { runtime: 'node', code: '.', handler: 'index.f', timeoutSeconds: 60 };
const WAITING = {
  functions: { f: F },
  gateway: { routes: { 'POST /hook': { function: 'f', event: 'body', verify: 'none' } } },
};

/** Sends the node what its handler holds on to. */
async function hook(gateway: string): Promise<number | string> {
  return await fetch(`${gateway}/hook`, { method: 'POST', body: '{}' }).then(
    ({ status }) => status,
    (error: unknown) => String(error),
  );
}

test('a stop takes the time it has once: a request that takes all of it leaves none to the handlers', async () => {
  const handler = new CallsBack();
  // Its timers alone keep no process alive.
  const alive = setInterval(() => undefined, 60_000);
  await withNode(
    undefined,
    WAITING,
    async (served) => {
      const sent = hook(served.gateway);
      await handler.began;
      await served.stop(300);
      assert.equal(await sent, 'TypeError: fetch failed');
      const [first = -1] = handler.closedWithin;
      assert.ok(first >= 0 && first < 100, String(first));
      handler.goOn();
    },
    { functionRuntime: handler.runtime },
  ).finally(() => clearInterval(alive));
});

/** One server that says nothing, and sees when it is asked and when its client goes. */
class SilentFeed extends ScriptedHttp {
  readonly asked: Promise<void>;
  readonly left: Promise<void>;
  #ask: () => void = () => undefined;
  #leave: () => void = () => undefined;

  constructor() {
    super(nodeClock, () => ({ headers: { 'content-type': 'text/event-stream' }, pieces: silence() }));
    this.asked = new Promise((resolve) => (this.#ask = resolve));
    this.left = new Promise((resolve) => (this.#leave = resolve));
  }

  override async send(request: ClientRequest): Promise<ClientAnswer> {
    request.signal?.addEventListener('abort', () => this.#leave());
    this.#ask();
    return await super.send(request);
  }
}

async function* silence(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(':\n');
  await new Promise(() => undefined);
}

test('what a node fetches ends while its last requests are answered', async () => {
  const handler = new CallsBack();
  const http = new SilentFeed();
  const sections = {
    ...WAITING,
    streams: { events: { shards: 1 } },
    sources: { feed: { sse: { url: 'https://feed.test/' }, to: 'events' } },
  };
  const work = async (served: ServedNode): Promise<void> => {
    const sent = hook(served.gateway);
    await Promise.all([handler.began, http.asked]);
    const stopped = served.stop(10_000);
    await http.left;
    handler.goOn();
    assert.equal(await sent, 200);
    await stopped;
  };
  await withNode(undefined, sections, work, { functionRuntime: handler.runtime, http });
});
