import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { EnvironmentError } from '../../kernel/errors.ts';
import { fakeSurroundings } from '../../testing/fake-function-runtime.ts';
import { openBench, usualFunctions } from './harness.fixture.ts';
import { LOGS_STREAM } from './model.ts';

test('what changes in the file is taken over, and what runs ends on the old', async () => {
  const bench = await openBench({ 'index.slow': (_event, _run, { timeoutMs }) => ({ value: timeoutMs, takesMs: 50 }) });
  const before = bench.invoke('slow', '{}');
  const changed = {
    ...usualFunctions['slow'],
    runtime: 'node',
    code: './code',
    handler: 'index.slow',
    timeoutSeconds: 7,
  };
  await bench.reload({ slow: changed });
  const after = bench.invoke('slow', '{}');
  assert.deepEqual([(await before).body, (await after).body], ['3000', '7000']);
  await assert.rejects(bench.invoke('echo', '{}'), /Function not found/);
  await bench.close();
});

test('a function that leaves the file has its key pair until its last run is over, and one that is back keeps it', async () => {
  const forgotten: string[] = [];
  let isOver = false;
  const forget = mock.method(fakeSurroundings, 'forget', async (name: string) => {
    if (name === 'slow') forgotten.push(isOver ? 'after its run' : 'before');
  });
  const { slow, ...others } = usualFunctions;
  const bench = await openBench({ 'index.slow': () => ({ takesMs: 50 }) });
  const leave = async (): Promise<void> => {
    isOver = false;
    const ran = bench.invoke('slow', '{}').then(() => (isOver = true));
    await bench.reload(others);
    if (forgotten.length > 0) await bench.reload({ ...others, slow: slow as never });
    await ran;
  };
  await leave();
  await bench.until(() => forgotten.length > 0);
  await bench.reload(usualFunctions);
  await leave();
  await bench.close();
  assert.deepEqual(forgotten, ['after its run']);
  forget.mock.restore();
});

test('logs of runs are kept for seven days', async () => {
  const bench = await openBench();
  assert.equal(bench.records.describe(LOGS_STREAM)?.retentionMs, 7 * 24 * 3_600_000);
  await bench.close();
});

test('what a function calls while the node drains is refused or answered, and its own answer comes', async () => {
  const bench = await openBench({
    'index.echo': () => ({ value: 'inner' }),
    'index.slow': () => ({ value: 'outer', takesMs: 100 }),
  });
  const outer = bench.invoke('slow', '{}');
  const closed = bench.close();
  await assert.rejects(bench.invoke('echo', '{}'), /being stopped|Rate Exceeded/);
  assert.equal((await outer).body, '"outer"');
  await closed;
});

test('the admin routes tell how functions fare, and show their logs', async () => {
  const bench = await openBench();
  await bench.invoke('prints', '{}');
  await bench.invoke('fails', '{}');
  const { functions } = await bench.admin('/admin/functions');
  const fails = functions.find(({ name }: { name: string }) => name === 'fails');
  assert.deepEqual(
    [fails.state, fails.runtime, fails.processes, fails.running, fails.invocations, fails.failures],
    ['active', 'node', 1, 0, 1, 1],
  );
  const one = await bench.admin('/admin/functions/{name}', 'fails');
  assert.deepEqual(one.lastFailures, [
    { ...one.lastFailures[0], requestId: 'request-2', type: 'TypeError', message: 'no' },
  ]);
  const page = await bench.admin('/admin/functions/{name}/logs', 'prints');
  assert.deepEqual(
    page.entries.map(({ lines }: { lines: string[] }) => lines.slice(1, 3)),
    [['one', 'two']],
  );
  assert.equal(page.isAtEnd, true);
  assert.equal((await bench.admin('/admin/functions/{name}/logs', 'prints', 'limit=0')).isAtEnd, false);
  assert.deepEqual((await bench.admin('/admin/functions/{name}/logs', 'prints', `after=${page.next}`)).entries, []);
  await assert.rejects(bench.admin('/admin/functions/{name}', 'nobody'), /no function nobody/);
  await assert.rejects(bench.admin('/admin/functions/{name}/logs', 'prints', 'after=x'), /after is a whole number/);
  await bench.close();
});

test('health and log name functions that cannot be run', async () => {
  const bench = await openBench({}, { broken: { runtime: 'node', code: '.', handler: 'index.nowhere' } });
  await bench.until(() => bench.problems().length > 0);
  assert.deepEqual(bench.problems(), ['function broken: there is no index.nowhere']);
  assert.deepEqual(bench.environment.troubles, ['function.problem']);
  await bench.close();
});

test('the first event of a function that cannot be started is answered with why', async () => {
  const bench = await openBench({
    'index.echo': () => {
      throw new EnvironmentError('ENOENT', 'there is no /no/python to run it with');
    },
  });
  const { status, headers, body } = await bench.invoke('echo', '{}');
  assert.deepEqual([status, headers['x-amz-function-error']], [200, 'Unhandled']);
  assert.deepEqual(JSON.parse(body), {
    errorType: 'Runtime.InvalidEntrypoint',
    errorMessage: 'there is no /no/python to run it with',
  });
  await bench.close();
});
