import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { FakeHandler } from '../../../testing/fake-function-runtime.ts';
import { Damaged, Unavailable } from '../../../ports/stream-store.ts';
import { functionsEvents } from '../events.ts';
import { openBench, usualFunctions, type Bench } from '../harness.fixture.ts';
import { INVOCATIONS_STREAM } from '../model.ts';

const EVENT = { 'x-amz-invocation-type': 'Event' };
const DAY_MS = 24 * 3_600_000;

async function withFailures(handlers: Readonly<Record<string, FakeHandler>> = {}): Promise<Bench> {
  const bench = await openBench(handlers);
  const spec = { mode: 'PROVISIONED', shardCount: 1, retentionMs: DAY_MS, maxRecordBytes: 1024 * 1024 } as const;
  await bench.records.create({ name: 'failures', ...spec });
  return bench;
}

/** How many Events were counted as failed for good. */
function failedIn({
  mock: { calls },
}: {
  readonly mock: { readonly calls: readonly { arguments: unknown[] }[] };
}): number {
  return calls.filter(({ arguments: [name] }) => name === functionsEvents.eventsFailed).length;
}

/** Events that are in the log still. */
async function kept(bench: Bench): Promise<number> {
  return (await bench.stored(INVOCATIONS_STREAM)).length;
}

test('an Event that fails is tried three times, then its failure stands in the stream', async () => {
  const bench = await withFailures();
  const counts = mock.method(bench.environment.meter, 'count');
  await bench.invoke('fails-to', '{"a":1}', EVENT);
  await bench.until(async () => (await bench.stored('failures')).length === 1);
  assert.deepEqual(
    bench.ran,
    Array.from({ length: 3 }, () => 'fails-to request-1 {"a":1}'),
  );
  const [record] = (await bench.stored('failures')).map((text) => JSON.parse(text) as Record<string, unknown>);
  assert.deepEqual(record, {
    version: '1.0',
    timestamp: record?.['timestamp'],
    requestContext: {
      requestId: 'request-1',
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:fails-to:$LATEST',
      condition: 'RetriesExhausted',
      approximateInvokeCount: 3,
    },
    requestPayload: { a: 1 },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType: 'TypeError', errorMessage: 'no' },
  });
  await bench.until(async () => (await kept(bench)) === 0);
  assert.equal(failedIn(counts), 1);
  await bench.close();
});

test('waits between tries are those of the function, two hours apart if need be', async () => {
  const times: number[] = [];
  const bench = await withFailures({
    'index.fails': () => {
      times.push(bench.environment.clock.now());
      return { failure: { type: 'E', message: '' }, takesMs: 0 };
    },
  });
  await bench.invoke('fails-to', '{}', EVENT);
  await bench.until(async () => (await bench.stored('failures')).length === 1);
  const waits = times.slice(1).map((at, index) => Math.round((at - (times[index] ?? 0)) / 1000));
  assert.deepEqual(waits, [1, 2]);
  await bench.close();
});

test('without a stream for failures, or with one that is missing, the log names the event', async () => {
  const bench = await openBench();
  const counts = mock.method(bench.environment.meter, 'count');
  await bench.invoke('fails', '{}', EVENT);
  await bench.invoke('fails-to', '{}', EVENT);
  await bench.until(() => bench.environment.troubles.filter((one) => one === 'function.event-failed').length === 2);
  await bench.until(async () => (await kept(bench)) === 0);
  assert.equal(failedIn(counts), 2);
  await bench.close();
});

test('an Event outlives the process, also one that waits for its second try', async () => {
  let isMended = false;
  const bench = await withFailures({
    'index.fails': () => (isMended ? { value: 1 } : { failure: { type: 'E', message: '' } }),
    // Nobody sees the end of it.
    'index.slow': () => ({ takesMs: isMended ? 1 : 2000 }),
  });
  await bench.invoke('fails-to', '"again"', EVENT);
  await bench.invoke('slow', '"cut"', EVENT);
  await bench.until(() => bench.ran.length === 2);
  await bench.restart();
  isMended = true;
  await bench.until(async () => (await kept(bench)) === 0);
  const after = bench.ran.slice(2);
  assert.ok(after.includes('slow request-2 "cut"'), after.join('\n'));
  assert.ok(after.includes('fails-to request-1 "again"'), after.join('\n'));
  assert.deepEqual(await bench.stored('failures'), []);
  await bench.close();
});

test('what was done before a restart is not run again', async () => {
  const bench = await withFailures();
  for (let sent = 0; sent < 100; sent += 1) await bench.invoke('echo', String(sent), EVENT);
  await bench.until(async () => bench.ran.length === 100 && (await kept(bench)) === 0);
  await bench.restart();
  await bench.invoke('echo', '"last"', EVENT);
  await bench.until(() => bench.ran.length > 100);
  assert.deepEqual(bench.ran.slice(100), ['echo request-101 "last"']);
  await bench.close();
});

test('what was done behind a slow Event is not run again after a planned stop, nor after the next one', async () => {
  let isMended = false;
  const bench = await openBench({ 'index.slow': () => ({ takesMs: isMended ? 1 : 2_000_000 }) });
  const of = (name: string): number => bench.ran.filter((one) => one.startsWith(`${name} `)).length;
  for (let sent = 0; sent < 200; sent += 1) await bench.invoke(sent % 100 === 0 ? 'slow' : 'echo', '{}', EVENT);
  await bench.until(async () => (await bench.admin('/admin/functions')).events.waiting === 2 && of('slow') === 2);
  await bench.restart();
  await bench.restart();
  isMended = true;
  await bench.restart();
  await bench.invoke('echo', '{}', EVENT);
  await bench.until(async () => (await kept(bench)) === 0);
  assert.equal(of('echo'), 199);
  assert.deepEqual(bench.environment.troubles, []);
  await bench.close();
});

test('while all processes are busy an Event waits, however long, and does not fail', async () => {
  const bench = await openBench(
    { 'index.slow': () => ({ takesMs: 60_000 }) },
    {
      slow: {
        ...usualFunctions['slow'],
        runtime: 'node',
        code: '.',
        handler: 'index.slow',
        timeoutSeconds: 900,
        concurrency: 1,
      },
    },
  );
  for (let sent = 0; sent < 20; sent += 1) await bench.invoke('slow', String(sent), EVENT);
  await bench.until(async () => bench.ran.length === 20 && (await kept(bench)) === 0);
  assert.deepEqual(bench.environment.troubles, []);
  await bench.close();
});

test('an Event of a function that left the file waits: no try is counted, and its time goes on with it', async () => {
  const bench = await withFailures();
  await bench.invoke('fails-to', '{"a":1}', EVENT);
  await bench.until(() => bench.ran.length === 1);
  await bench.reload({ echo: usualFunctions['echo'] as never });
  const { clock } = bench.environment;
  const leftAt = clock.now();
  await bench.until(() => clock.now() - leftAt > 600_000);
  await bench.restart({});
  await bench.until(() => clock.now() - leftAt > 1_200_000);
  assert.equal((await bench.stored('failures')).length, 0);
  await bench.restart();
  await bench.until(async () => (await bench.stored('failures')).length === 1);
  assert.equal(bench.ran.length, 3);
  const [record = ''] = await bench.stored('failures');
  assert.match(record, /"condition":"RetriesExhausted","approximateInvokeCount":3/);
  assert.deepEqual(bench.environment.troubles, []);
  await bench.close();
});

test('an Event keeps the rules that it was accepted with, whatever the file says later', async () => {
  const rules = { retries: 1, retryAfterSeconds: [600], maximumEventAgeSeconds: 3600, onFailure: 'failures' };
  const one = { runtime: 'node', code: './code', handler: 'index.fails', ...rules } as const;
  const cases = [
    ['the function is gone', {}, 1, 'EventAgeExceeded'],
    ['it has other rules', { one: { ...one, retries: 0, onFailure: 'nowhere' } }, 2, 'RetriesExhausted'],
  ] as const;
  for (const [name, later, runs, condition] of cases) {
    const bench = await openBench({}, { one });
    const spec = { mode: 'PROVISIONED', shardCount: 1, retentionMs: DAY_MS, maxRecordBytes: 1024 * 1024 } as const;
    await bench.records.create({ name: 'failures', ...spec });
    await bench.invoke('one', '{}', EVENT);
    await bench.until(() => bench.ran.length === 1);
    if ('one' in later) await bench.reload(later);
    else await bench.restart(later);
    await bench.until(async () => (await bench.stored('failures')).length === 1);
    const [record = ''] = await bench.stored('failures');
    assert.ok(record.includes(`"condition":"${condition}"`), `${name}: ${record}`);
    assert.equal(bench.ran.length, runs, name);
    await bench.until(async () => (await kept(bench)) === 0);
    await bench.close();
  }
});

test('Events of a function that is not there hold up no others', async () => {
  const bench = await openBench();
  const { clock } = bench.environment;
  const now = clock.now();
  for (let sent = 0; sent < 200; sent += 1) {
    const gone = { function: 'gone', requestId: `gone-${sent}`, attempt: 1, acceptedAt: now, dueAt: now, rules: {} };
    await bench.state.events.add(gone, Buffer.from('{}'));
  }
  const sentAt = clock.now();
  await bench.invoke('echo', '{}', EVENT);
  await bench.until(() => bench.ran.length === 1);
  assert.ok(clock.now() - sentAt < 1000, `${clock.now() - sentAt} ms`);
  await bench.close();
});

test('an Event that an earlier build accepted goes by the rules of the file', async () => {
  const bench = await withFailures();
  const now = bench.environment.clock.now();
  const old = { function: 'fails-to', requestId: 'old', attempt: 3, acceptedAt: now, dueAt: now };
  await bench.state.events.add(old, Buffer.from('{}'));
  await bench.until(async () => (await bench.stored('failures')).length === 1);
  await bench.close();
});

test('Events of a slow function do not hold up those of others, and none is lost', async () => {
  let isMended = false;
  const slow = { ...usualFunctions['slow'], runtime: 'node', code: '.', handler: 'index.slow' };
  const bench = await openBench(
    { 'index.slow': () => ({ takesMs: isMended ? 1 : 800_000 }) },
    { ...usualFunctions, slow: { ...slow, concurrency: 1, timeoutSeconds: 900 } },
  );
  for (let sent = 0; sent < 200; sent += 1) await bench.invoke('slow', String(sent), EVENT);
  for (let sent = 0; sent < 100; sent += 1) await bench.invoke('echo', String(sent), EVENT);
  const of = (name: string): string[] => bench.ran.filter((one) => one.startsWith(`${name} `));
  await bench.until(() => of('echo').length === 100);
  assert.ok(of('slow').length < 64, String(of('slow').length));
  assert.ok((await kept(bench)) >= 200 - of('slow').length);
  await bench.restart();
  isMended = true;
  await bench.until(async () => (await kept(bench)) === 0);
  const events = new Set(of('slow').map((one) => one.split(' ')[2]));
  assert.equal(events.size, 200, 'none is lost');
  assert.deepEqual(bench.environment.troubles, []);
  await bench.close();
});

test('an Event whose nesting can be read but not written anew is given up as it came', async () => {
  const bench = await withFailures();
  const deep = `${'['.repeat(6000)}${']'.repeat(6000)}`;
  const now = bench.environment.clock.now();
  const rules = { onFailure: 'failures' };
  const old = { function: 'gone', requestId: 'deep', attempt: 1, acceptedAt: now - DAY_MS, dueAt: now, rules };
  await bench.state.events.add(old, Buffer.from(deep));
  await bench.invoke('echo', '1', EVENT);
  await bench.until(async () => (await kept(bench)) === 0);
  assert.deepEqual(bench.ran, ['echo request-1 1']);
  const [record = ''] = await bench.stored('failures');
  assert.ok(record.endsWith(`"requestPayload":${deep}}`), record.slice(0, 300));
  assert.ok(JSON.parse(record) !== undefined);
  assert.deepEqual(bench.environment.troubles, []);
  await bench.close();
});

test('an Event that nothing can be done with is told, and leaves the log', async () => {
  const bench = await withFailures();
  const now = bench.environment.clock.now();
  const broken = { function: 'fails', requestId: 'broken', attempt: 1, acceptedAt: now, dueAt: now };
  const rules = { retryAfterSeconds: 7 as never };
  const counts = mock.method(bench.environment.meter, 'count');
  await bench.state.events.add({ ...broken, rules }, Buffer.from('{}'));
  await bench.until(async () => (await kept(bench)) === 0);
  assert.deepEqual(bench.environment.troubles, ['function.bug', 'function.event-failed']);
  assert.equal(failedIn(counts), 1);
  await bench.close();
});

test('a failure is written to no stream of millrace itself', async () => {
  const bench = await withFailures();
  const now = bench.environment.clock.now();
  const rules = { retries: 0, onFailure: '$function-logs' };
  const old = { function: 'fails', requestId: 'old', attempt: 1, acceptedAt: now, dueAt: now, rules };
  await bench.state.events.add(old, Buffer.from('{}'));
  await bench.until(async () => (await kept(bench)) === 0);
  assert.deepEqual(bench.environment.troubles, ['function.event-failed']);
  const fails = { ...usualFunctions['fails'], runtime: 'node', code: '.', handler: 'index.fails' } as const;
  await assert.rejects(bench.reload({ fails: { ...fails, onFailure: '$dedupe' } }), {
    code: 'InvalidConfig',
    message: 'functions.fails.onFailure: names a stream of millrace itself: name another one',
  });
  await bench.close();
});

test('a stream for failures that is deleted while one is to be written there holds up nothing', async () => {
  const bench = await withFailures();
  const append = bench.records.append.bind(bench.records);
  let tries = 0;
  bench.records.append = async (stream, ...rest) => {
    if (stream !== 'failures') return await append(stream, ...rest);
    tries += 1;
    throw new Unavailable('the disk is busy');
  };
  await bench.invoke('fails-to', '{}', EVENT);
  await bench.until(() => tries === 2);
  await bench.records.delete('failures');
  await bench.until(async () => (await kept(bench)) === 0);
  assert.equal(bench.environment.troubles.at(-1), 'function.event-failed');
  await bench.close();
});

test('what fails while the node stops has used no try', async () => {
  let isStopping = true;
  const failing = { failure: { type: 'ECONNREFUSED', message: 'the node is gone' } };
  const once = { runtime: 'node', code: '.', handler: 'index.once', retries: 0, onFailure: 'failures' } as const;
  const handlers = { 'index.once': () => (isStopping ? { ...failing, takesMs: 500 } : {}) };
  const bench = await openBench(handlers, { once });
  const spec = { mode: 'PROVISIONED', shardCount: 1, retentionMs: DAY_MS, maxRecordBytes: 1024 * 1024 } as const;
  await bench.records.create({ name: 'failures', ...spec });
  await bench.invoke('once', '{}', EVENT);
  await bench.until(() => bench.ran.length === 1);
  await bench.drain(2000);
  assert.equal(await kept(bench), 1);
  isStopping = false;
  await bench.restart();
  await bench.until(async () => (await kept(bench)) === 0);
  assert.equal(bench.ran.length, 2);
  assert.deepEqual(await bench.stored('failures'), []);
  assert.deepEqual(bench.environment.troubles, []);
  await bench.close();
});

test('an Event outlives two days without a node, and is then given up as too old, told, and not run', async () => {
  const bench = await withFailures({ 'index.fails': () => ({ takesMs: 10_000 }) });
  await bench.invoke('fails-to', '{"a":1}', EVENT);
  await bench.until(() => bench.ran.length === 1);
  await bench.drain(0);
  bench.environment.advance(2 * DAY_MS);
  await bench.restart();
  await bench.until(async () => (await kept(bench)) === 0);
  const [record = ''] = await bench.stored('failures');
  assert.match(record, /"condition":"EventAgeExceeded","approximateInvokeCount":0\},"requestPayload":\{"a":1\}\}$/);
  assert.equal(bench.ran.length, 1, 'not run again');
  assert.deepEqual((await bench.admin('/admin/functions')).events, { waiting: 0, lost: 0 });
  await bench.close();
});

test('what waits behind a slow function for longer than an event may be old is run or told, each one', async () => {
  const slow = { runtime: 'node', code: '.', handler: 'index.slow', concurrency: 1, timeoutSeconds: 900 } as const;
  const options = { slow: { ...slow, onFailure: 'failures' } };
  const bench = await openBench({ 'index.slow': () => ({ takesMs: 800_000 }) }, options);
  const spec = { mode: 'PROVISIONED', shardCount: 1, retentionMs: 7 * DAY_MS, maxRecordBytes: 1024 * 1024 } as const;
  await bench.records.create({ name: 'failures', ...spec });
  const sentAt = bench.environment.clock.now();
  for (let sent = 0; sent < 300; sent += 1) await bench.invoke('slow', String(sent), EVENT);
  await bench.until(async () => (await kept(bench)) === 0);
  assert.ok(bench.environment.clock.now() - sentAt > 6 * 3_600_000);
  const told = (await bench.stored('failures')).map(
    (text) => (JSON.parse(text) as { requestPayload: number }).requestPayload,
  );
  const seen = new Set([...bench.ran.map((one) => Number(one.split(' ')[2])), ...told]);
  assert.equal(seen.size, 300);
  assert.deepEqual(bench.environment.troubles, []);
  await bench.close();
});

test('a stream of events that an older version made keeps them from now on', async () => {
  const bench = await openBench();
  await bench.records.update(INVOCATIONS_STREAM, () => ({ retentionMs: DAY_MS }));
  await bench.restart({});
  assert.ok((bench.records.describe(INVOCATIONS_STREAM)?.retentionMs ?? 0) > 365 * DAY_MS);
  await bench.close();
});

test('Events that are gone from the log, or cannot be read, are told', async () => {
  const slow = { runtime: 'node', code: '.', handler: 'index.slow', timeoutSeconds: 900 } as const;
  const bench = await openBench({ 'index.slow': () => ({ takesMs: 800_000 }) }, { slow });
  const { records } = bench;
  for (let sent = 0; sent < 10; sent += 1) await bench.invoke('slow', String(sent), EVENT);
  await bench.until(() => bench.ran.length >= 10);
  await bench.drain(0);
  const [shard] = records.describe(INVOCATIONS_STREAM)?.shards ?? [];
  assert.ok(shard !== undefined);
  await records.trim(shard, 4n);
  const read = records.read.bind(records);
  records.read = async (stream, of, from, ...rest) => {
    if (of.ref.stream === shard.ref.stream && from === 0n) throw new Damaged('a bad extent', 2n);
    return await read(stream, of, from, ...rest);
  };
  await bench.restart();
  await bench.until(async () => (await bench.admin('/admin/functions')).events.lost === 4);
  assert.deepEqual(bench.environment.troubles, ['function.events-lost', 'function.events-lost']);
  await bench.until(() => bench.ran.length >= 16);
  assert.deepEqual(
    bench.ran.slice(10).map((one) => Number(one.split(' ')[2])),
    [4, 5, 6, 7, 8, 9],
  );
  await bench.close();
});

test('an Event that is gone when its turn comes behind others is told with its function', async () => {
  const bench = await openBench({ 'index.slow': () => ({ takesMs: 100_000 }) });
  const { records } = bench;
  for (let sent = 0; sent < 65; sent += 1) await bench.invoke('slow', String(sent), EVENT);
  await bench.until(() => bench.ran.length >= 10);
  const [shard] = records.describe(INVOCATIONS_STREAM)?.shards ?? [];
  assert.ok(shard !== undefined);
  await records.trim(shard, 65n);
  await bench.until(() => bench.environment.troubles.includes('function.events-lost'));
  assert.deepEqual((await bench.admin('/admin/functions')).events.lost, 1);
  await bench.close();
});

test('an Event whose record cannot be read is told, and keeps no other from its turn', async () => {
  const bench = await openBench();
  const headers: [string, Uint8Array][] = [['event', Buffer.from('{"function":"ec')]];
  await bench.invoke('echo', '1', EVENT);
  await bench.records.append(INVOCATIONS_STREAM, [
    { partitionKey: 'echo', explicitHashKey: 1n, data: Buffer.from('2'), headers },
  ]);
  await bench.invoke('echo', '3', EVENT);
  await bench.until(async () => bench.ran.length === 2 && (await kept(bench)) === 0);
  assert.equal((await bench.admin('/admin/functions')).events.lost, 1);
  assert.ok(bench.environment.troubles.includes('function.events-lost'));
  await bench.close();
});
