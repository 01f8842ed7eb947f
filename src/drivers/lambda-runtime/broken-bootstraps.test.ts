import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { test } from 'node:test';
import { runOnce } from '../../testing/function-runtime-contract.ts';
import { openDriver } from './driver.fixture.ts';

/** Programs in place of a bootstrap, each by the handler's name: what runs a handler is not always ours. */
const PROGRAM = `
const { connect } = require('node:net');
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const base = 'http://' + host + ':' + port + '/2018-06-01/runtime';
const next = async () => {
  const response = await fetch(base + '/invocation/next');
  return { status: response.status, id: response.headers.get('lambda-runtime-aws-request-id'), event: await response.text() };
};
const post = async (path, body, headers = {}) => (await fetch(base + path, { method: 'POST', body, headers })).status;
const answer = async (id, value) => await post('/invocation/' + id + '/response', JSON.stringify(value));
const forever = () => new Promise(() => setInterval(() => 0, 60000));

const programs = {
  async hangs() { await forever(); },
  async saysNonsense() { await post('/init/error', 'no JSON at all'); process.exit(1); },
  async saysNonsenseAndStays() { await post('/init/error', '[{"errorMessage":7}]', { 'lambda-runtime-function-error-type': 'Its.Own' }); await forever(); },
  async saysTooMuch() { await post('/init/error', 'x'.repeat(7 << 20)).catch(() => 0); process.exit(1); },
  async diesOfEvent() { await next(); process.exit(9); },
  async diesInAnswer() {
    const { id } = await next();
    connect(Number(port), host, function () {
      this.write('POST /2018-06-01/runtime/invocation/' + id + '/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 100\\r\\n\\r\\n{"half', () => process.exit(4));
    });
    await forever();
  },
  async neverEndsAnswer() {
    const { id } = await next();
    connect(Number(port), host, function () {
      this.write('POST /2018-06-01/runtime/invocation/' + id + '/response HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n1\\r\\n1\\r\\n');
    });
    await forever();
  },
  async asksTwice() {
    for (;;) {
      const asked = await Promise.all([next(), next()]);
      const given = asked.find(({ status }) => status === 200);
      await answer(given.id, asked.map(({ status }) => status).sort());
    }
  },
  async asksInEvent() {
    for (;;) {
      const { id } = await next();
      await answer(id, (await next()).status);
    }
  },
  async answersAnother() {
    for (;;) {
      const { id } = await next();
      const status = await answer('00000000-0000-0000-0000-000000000000', 'for another');
      await answer(id, status);
    }
  },
  async answersAnotherOnly() {
    await next();
    await answer('00000000-0000-0000-0000-000000000000', 'for another');
    await forever();
  },
  async answersTwice() {
    for (;;) {
      const { id } = await next();
      await answer(id, 'first');
      await answer(id, 'second');
    }
  },
  async answersNoJson() {
    for (;;) {
      const { id } = await next();
      await post('/invocation/' + id + '/response', '\\u0000 no JSON {');
    }
  },
  async failsWithNonsense() {
    for (;;) {
      const { id } = await next();
      await post('/invocation/' + id + '/error', 'null');
    }
  },
  async leavesUnasked() { const { id } = await next(); await answer(id, 'well'); process.exit(0); },
};
void programs[process.env._HANDLER.split('.')[1]]();
`;

/** What the first event came to, and the second one. */
const TABLE: readonly (readonly [program: string, type: string | undefined, said: RegExp, timeoutMs?: number])[] = [
  ['hangs', 'Sandbox.Timedout', /Task timed out after 0\.50 seconds/, 500],
  ['saysNonsense', 'Runtime.Unknown', /^no JSON at all$/],
  ['saysNonsenseAndStays', 'Its.Own', /^\[\{"errorMessage":7\}\]$/],
  ['saysTooMuch', 'Runtime.Unknown', /^$/],
  ['diesOfEvent', 'Runtime.ExitError', /Runtime exited with error: exit status 9/],
  ['diesInAnswer', 'Runtime.ExitError', /Runtime exited with error: exit status 4/],
  ['neverEndsAnswer', 'Sandbox.Timedout', /Task timed out after 1\.00 seconds/, 1000],
  ['asksTwice', undefined, /^\[200,403\]$/],
  ['asksInEvent', undefined, /^403$/],
  ['answersAnother', undefined, /^400$/],
  ['answersAnotherOnly', 'Sandbox.Timedout', /Task timed out after 1\.00 seconds/, 1000],
  ['answersTwice', undefined, /^"first"$/],
  // Whatever a runtime answers is handed on, as Lambda does with runtimes of people's own.
  ['answersNoJson', undefined, /^\0 no JSON \{$/],
  ['failsWithNonsense', 'Runtime.Unknown', /^null$/],
  ['leavesUnasked', undefined, /^"well"$/],
];

test('whatever a bootstrap does has one outcome, of each event', async () => {
  const alive = setInterval(() => undefined, 60_000);
  const bench = await openDriver({ program: `#!${process.execPath}\n${PROGRAM}` });
  try {
    const interpreter = `${bench.folder}/program`;
    await chmod(interpreter, 0o755);
    const two = async (name: string, spec: object): Promise<string[]> => {
      const open = bench.runtime.open(bench.spec(`x.${name}`, { runtime: 'python', concurrencyMax: 1, ...spec }));
      const [first, second] = [await runOnce(open, {}), await runOnce(open, {})];
      assert.equal(open.stats().running, 0, name);
      await open.close(0);
      return [first, second].map(
        ({ outcome }) => `${outcome.failure?.type} ${Buffer.from(outcome.payload).toString()}`,
      );
    };
    const broken = TABLE.map(async ([name, type, said, timeoutMs = 20_000]) => {
      for (const outcome of await two(name, { interpreter, timeoutMs })) {
        const [was = '', payload] = [outcome.split(' ', 1)[0], outcome.slice(outcome.indexOf(' ') + 1)];
        assert.equal(was, String(type), `${name}: ${payload}`);
        assert.match(payload, said, name);
      }
    });
    const ends = two('true', { interpreter: '/bin/true' });
    await Promise.all(broken);
    for (const outcome of await ends) assert.match(outcome, /^Runtime\.ExitError .*exited without providing a reason/);
  } finally {
    await bench.end();
    clearInterval(alive);
  }
});
