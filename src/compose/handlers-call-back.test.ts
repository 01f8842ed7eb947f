import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
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
import { existsSync, writeFileSync } from 'node:fs';
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
`;
}

test('a handler that calls back while the node stops puts records, and runs no other function', async () => {
  const code = await mkdtemp(join(tmpdir(), 'millrace-callback-'));
  await writeFile(join(code, 'index.mjs'), codeOf(new URL('../wire/sigv4/sign.js', import.meta.url).href));
  const environment = createNodeEnvironment({ log: 'silent' });
  const runtime = createLambdaRuntime({ nodePath: process.execPath, variables: {} }, environment);
  const of = (handler: string): object => ({ runtime: 'node', code, handler: `index.${handler}`, timeoutSeconds: 60 });
  const sections = { streams: { out: { shards: 1 } }, functions: { outer: of('outer'), inner: of('inner') } };
  try {
    await withNode(
      undefined,
      sections,
      async (served) => {
        const url = new URL(`${served.api}/2015-03-31/functions/outer/invocations`);
        const headers = { 'x-amz-invocation-type': 'Event' };
        const signing = { ...PAIR, region: 'us-east-1', service: 'lambda', now: Date.now() };
        const signed = signRequest({ method: 'POST', url, headers, body: '{}' }, signing);
        const sent = await fetch(url, { method: 'POST', headers: { ...headers, ...signed }, body: '{}' });
        assert.equal(sent.status, 202, await sent.text());
        const until = Date.now() + BEGIN_MS_MAX;
        while (!existsSync(join(code, 'began'))) {
          assert.ok(Date.now() < until, 'the handler has not begun');
          await sleep(10);
        }
        const stopped = served.stop(10_000);
        await writeFile(join(code, 'go'), '');
        await stopped;
      },
      runtime,
    );
    const answers: unknown = JSON.parse(await readFile(join(code, 'answers'), 'utf8'));
    assert.deepEqual(answers, { put: [200, null], invoked: [429, 'TooManyRequestsException'] });
  } finally {
    await runtime.close();
    await rm(code, { recursive: true, force: true });
  }
});
