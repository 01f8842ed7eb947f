/** Functions of `runtime: realm` in processes of their own, by the driver that runs them in a node. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { createNodeEnvironment } from '../../../environments/node/index.ts';
import type { FunctionOutcome, FunctionRuntime, FunctionSpec } from '../../../ports/function-runtime.ts';
import { createLambdaRuntime } from '../index.ts';
import { findPackages } from './packages.ts';
import { startNode, type Node } from './realm.fixture.ts';

// A suite of its own: hooks at the top would keep what they open until the last test of all files.
describe('functions in processes of their own', () => {
  let node: Node;
  let runtime: FunctionRuntime;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-realm-child-'));

  before(async () => {
    node = await startNode();
    const machine = { nodePath: process.execPath, variables: { PATH: process.env['PATH'] ?? '' } };
    runtime = createLambdaRuntime(machine, createNodeEnvironment({ log: 'silent' }));
  });
  after(async () => {
    await runtime.close();
    await node.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function specOf(name: string, code: string, change: Partial<FunctionSpec> = {}): FunctionSpec {
    writeFileSync(join(folder, `${name}.js`), code);
    const services = { AWSKinesis: { kinesis: {} }, nowhere: { mongodb: 'mongodb://127.0.0.1:1/' } };
    const settings = { MILLRACE_SERVICES: JSON.stringify(services), MILLRACE_VALUES: '{"word":"secret"}' };
    return {
      name,
      runtime: 'realm',
      codeDirectory: folder,
      handler: `${name}.exports`,
      timeoutMs: 20_000,
      memoryBytesMax: 512 * 1024 * 1024,
      concurrencyMax: 1,
      idleMs: 60_000,
      variables: { ...node.variables, ...settings },
      arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
      region: 'us-east-1',
      isWatched: false,
      ...change,
    };
  }

  async function outcomes(spec: FunctionSpec, ...events: readonly unknown[]): Promise<readonly FunctionOutcome[]> {
    const opened = runtime.open(spec);
    const found: FunctionOutcome[] = [];
    for (const [index, event] of events.entries()) {
      found.push(await opened.run({ requestId: `r${index}`, event: Buffer.from(JSON.stringify(event)) }));
    }
    await opened.close(0);
    return found;
  }

  function valueOf(
    { payload }: FunctionOutcome | undefined = { payload: new Uint8Array(), durationMs: 0, memoryBytesPeak: 0 },
  ): unknown {
    return JSON.parse(Buffer.from(payload).toString());
  }

  const put = (stream: string): string =>
    `context.services.get("AWSKinesis").kinesis().PutRecord({ Data: "x", StreamName: "${stream}", PartitionKey: "1" })`;

  test('a call waits for the record that it put and did not return', async () => {
    const code = `exports = function (payload, response) { ${put('realm')}.then(({ ShardId }) => response.setBody(ShardId)) }`;
    const event = { realmWebhook: { method: 'POST', path: '/', query: '', headers: [], bodyBase64: '' } };
    const [first, second] = await outcomes(specOf('webhook', code), event, event);
    for (const outcome of [first, second]) {
      assert.equal(outcome?.failure, undefined);
      const body = Buffer.from('shardId-000000000000').toString('base64');
      assert.deepEqual(valueOf(outcome), { statusCode: 200, headers: [], bodyBase64: body });
    }
  });

  test('a failure that nobody handles fails the call, and the next one runs', async (t) => {
    for (const [what, call] of [
      ['with a then', `${put('none')}.then((answer) => answer)`],
      ['with nothing at all', put('none')],
    ] as const) {
      await t.test(what, async () => {
        const name = what.replaceAll(' ', '-');
        const code = `exports = function ({ isWrong }) { if (isWrong) { ${call} } else return "well" }`;
        const [failed, next] = await outcomes(specOf(name, code), { isWrong: true }, {});
        assert.equal(failed?.failure?.type, 'Runtime.UnhandledPromiseRejection');
        assert.match(failed?.failure?.message ?? '', /ResourceNotFoundException/);
        assert.equal(valueOf(next), 'well');
      });
    }
  });

  test('what it throws, and what cannot be loaded, are failures', async () => {
    const [thrown] = await outcomes(specOf('thrown', 'exports = () => { throw new TypeError("on purpose") }'), {});
    assert.deepEqual([thrown?.failure?.type, thrown?.failure?.message], ['TypeError', 'on purpose']);
    const [broken] = await outcomes(specOf('broken', 'exports = ('), {});
    assert.equal(broken?.failure?.type, 'Runtime.UserCodeSyntaxError');
  });

  test('the timeout is the bound of what is waited for', async () => {
    const code = 'exports = () => { context.services.get("nowhere").db("a").collection("b").insertOne({}) }';
    const [outcome] = await outcomes(specOf('timeout', code, { timeoutMs: 1500 }), {});
    assert.equal(outcome?.failure?.type, 'Sandbox.Timedout');
  });

  test('values reach the code, and not the environment of what it starts', async () => {
    const code =
      'exports = () => [context.values.get("word"), Object.values(process.env).some((text) => text.includes("secret"))]';
    const [outcome] = await outcomes(specOf('values', code), {});
    assert.deepEqual(valueOf(outcome), ['secret', false]);
  });

  test('what is missing is told before a process is started', async () => {
    assert.equal(await runtime.problem(specOf('there', '')), undefined);
    assert.match((await runtime.problem({ ...specOf('there', ''), handler: 'gone.exports' })) ?? '', /gone\.js/);
    assert.equal(findPackages(folder, pathToFileURL(join(folder, 'there.js')).href), undefined);
  });

  test("a node runs it from its config, with the function's own key pair", async () => {
    writeFileSync(
      join(folder, 'configured.js'),
      `exports = async () => [context.values.get("word"), (await ${put('realm')}).ShardId]`,
    );
    const configured = { runtime: 'realm', code: folder, handler: 'configured.exports', timeoutSeconds: 20 };
    const settings = { values: { word: 'of the config' }, services: { AWSKinesis: { kinesis: {} } } };
    const served = await startNode({ configured: { ...configured, ...settings } });
    assert.deepEqual(await served.invoke('configured', {}), ['of the config', 'shardId-000000000000']);
    await served.stop();
  });
});
