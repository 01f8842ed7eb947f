import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLambdaRuntime } from '../drivers/lambda-runtime/index.ts';
import { createNodeEnvironment } from '../environments/node/index.ts';
import { signRequest } from '../wire/sigv4/sign.ts';
import { withNode } from './key-pairs.fixture.ts';

/** Longer than a process takes to start on a busy machine. */
const BEGIN_MS_MAX = 60_000;
const PAIR = { accessKeyId: 'OPERATOR', secretAccessKey: 'the secret of the operator' };

/** A handler that says that it runs, waits until it may go on, and then calls the node in two ways. */
function codeOf(sign: string): string {
  return `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { signRequest } from ${JSON.stringify(sign)};
const env = process.env;
const call = async (service, address, headers, body) => {
  const url = new URL(address);
  const pair = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  const signing = { ...pair, region: env.AWS_REGION, service, now: Date.now() };
  const signed = signRequest({ method: 'POST', url, headers, body }, signing);
  const answer = await fetch(url, { method: 'POST', headers: { ...headers, ...signed }, body });
  return [answer.status, (await answer.json()).__type ?? answer.headers.get('x-amzn-errortype')];
};
export const outer = async () => {
  writeFileSync('began', '');
  while (!existsSync('go')) await new Promise((done) => setTimeout(done, 10));
  const json = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Kinesis_20131202.PutRecord' };
  const record = JSON.stringify({ StreamName: 'out', PartitionKey: 'k', Data: 'b25l' });
  const put = await call('kinesis', env.AWS_ENDPOINT_URL_KINESIS + '/', json, record);
  const invoke = env.AWS_ENDPOINT_URL_LAMBDA + '/2015-03-31/functions/inner/invocations';
  const invoked = await call('lambda', invoke, {}, '{}');
  writeFileSync('answers', JSON.stringify({ put, invoked }));
};
export const inner = async () => 1;
export const again = async () => {
  appendFileSync('runs', 'x');
  await call('lambda', env.AWS_ENDPOINT_URL_LAMBDA + '/2015-03-31/functions/again/invocations', {}, '{}');
};
`;
}

interface Handlers {
  /** Its handlers stand there, and write there. */
  readonly code: string;
  readonly api: string;
  readonly stop: (withinMs: number) => Promise<void>;
}

async function withHandlers(work: (handlers: Handlers) => Promise<void>): Promise<void> {
  const code = await mkdtemp(join(tmpdir(), 'millrace-callback-'));
  await writeFile(join(code, 'index.mjs'), codeOf(new URL('../wire/sigv4/sign.js', import.meta.url).href));
  const environment = createNodeEnvironment({ log: 'silent' });
  const runtime = createLambdaRuntime({ nodePath: process.execPath, variables: {} }, environment);
  const of = (handler: string): object => ({ runtime: 'node', code, handler: `index.${handler}`, timeoutSeconds: 60 });
  const functions = {
    outer: of('outer'),
    inner: of('inner'),
    again: { ...of('again'), concurrency: 1, timeoutSeconds: 2 },
  };
  try {
    await withNode(
      undefined,
      { streams: { out: { shards: 1 } }, functions },
      async (served) => await work({ code, api: served.api, stop: async (withinMs) => await served.stop(withinMs) }),
      { functionRuntime: runtime },
    );
  } finally {
    await runtime.close();
    await rm(code, { recursive: true, force: true });
  }
}

async function invoke(api: string, name: string, type: string, signal?: AbortSignal): Promise<Response> {
  const url = new URL(`${api}/2015-03-31/functions/${name}/invocations`);
  const headers = { 'x-amz-invocation-type': type };
  const signing = { ...PAIR, region: 'us-east-1', service: 'lambda', now: Date.now() };
  const signed = signRequest({ method: 'POST', url, headers, body: '{}' }, signing);
  return await fetch(url, {
    method: 'POST',
    headers: { ...headers, ...signed },
    body: '{}',
    ...(signal !== undefined && { signal }),
  });
}

async function appears(path: string): Promise<void> {
  const until = Date.now() + BEGIN_MS_MAX;
  while (!existsSync(path)) {
    assert.ok(Date.now() < until, `there is no ${path}`);
    await sleep(10);
  }
}

test('a handler that calls back while the node stops puts records, and runs no other function', async () => {
  await withHandlers(async ({ code, api, stop }) => {
    const sent = await invoke(api, 'outer', 'Event');
    assert.equal(sent.status, 202, await sent.text());
    await appears(join(code, 'began'));
    const stopped = stop(10_000);
    await writeFile(join(code, 'go'), '');
    await stopped;
    const answers: unknown = JSON.parse(await readFile(join(code, 'answers'), 'utf8'));
    assert.deepEqual(answers, { put: [200, null], invoked: [429, 'TooManyRequestsException'] });
  });
});

test('a run goes on when its caller hangs up', async () => {
  await withHandlers(async ({ code, api }) => {
    const end = new AbortController();
    const sent = invoke(api, 'outer', 'RequestResponse', end.signal);
    await appears(join(code, 'began'));
    end.abort();
    await assert.rejects(sent, { name: 'AbortError' });
    await writeFile(join(code, 'go'), '');
    await appears(join(code, 'answers'));
  });
});

test('a handler that waits for a run of its own ends it with itself', async () => {
  await withHandlers(async ({ code, api }) => {
    const answer = await invoke(api, 'again', 'RequestResponse');
    assert.equal(answer.headers.get('x-amz-function-error'), 'Unhandled');
    assert.match(await answer.text(), /Sandbox.Timedout/);
    // A process for the run that nobody waits for any more had the time to begin.
    await sleep(2000);
    assert.equal(readFileSync(join(code, 'runs'), 'utf8'), 'x');
  });
});
