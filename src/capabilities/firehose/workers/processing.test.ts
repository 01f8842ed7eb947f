import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError, ThrottleError } from '../../../kernel/errors.ts';
import { FakeDestination } from '../../../testing/fake-destination.ts';
import { base64, Bench, FakeFunctions, type Answer, type FakeHandler } from '../harness.fixture.ts';

const BUCKET = 'failed';

interface Wanted {
  readonly from?: string;
  readonly handler?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly Mode?: 'all';
}

/** One delivery `d`, processed by `handler`; none: as the records come. */
function sections({ from, handler, parameters = {}, Mode }: Wanted): Record<string, unknown> {
  const hints = { SizeInMBs: 1, IntervalInSeconds: 1 };
  const given = { BufferIntervalInSeconds: '1', ...(handler !== undefined && { LambdaArn: handler }), ...parameters };
  const Parameters = Object.entries(given).map(([ParameterName, ParameterValue]) => ({
    ParameterName,
    ParameterValue,
  }));
  const fake = {
    S3Configuration: { BucketARN: BUCKET, BufferingHints: hints },
    ...(Mode !== undefined && { Mode }),
    ...(handler !== undefined && {
      ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'Lambda', Parameters }] },
    }),
  };
  return {
    ...(from !== undefined && { streams: { [from]: { ShardCount: 1 } } }),
    deliveries: { d: { fake, ...(from !== undefined && { from }) } },
  };
}

/** A handler that answers for each record what `rule` makes of its text. */
function each(rule: (text: string) => { result: string; data?: string }): FakeHandler {
  return ({ records }) => ({
    records: (records as readonly Answer[]).map(({ recordId, data }) => {
      const made = rule(Buffer.from(data, 'base64').toString());
      return { recordId, ...made, ...(made.data !== undefined && { data: base64(made.data) }) };
    }),
  });
}

const upper = each((text) => ({ result: 'Ok', data: text.toUpperCase() }));

async function put(bench: Bench, ...texts: readonly string[]): Promise<void> {
  const Records = texts.map((text) => ({ Data: base64(text) }));
  await bench.call('PutRecordBatch', { DeliveryStreamName: 'd', Records });
}

async function lines(bench: Bench): Promise<readonly Answer[]> {
  const objects = await bench.objects(BUCKET);
  return [...objects].flatMap(([key, content]) =>
    String(content)
      .trimEnd()
      .split('\n')
      .map((line) => ({ key, ...(JSON.parse(line) as object) })),
  );
}

function opened(fake: FakeDestination, seed = 1): Bench {
  return new Bench(seed, { destinations: [fake.kind] });
}

test('what a function makes of records leaves in their order; what it drops does not; what it fails has a line', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions({
    f: each((text) =>
      text === 'drop'
        ? { result: 'Dropped' }
        : text === 'bad'
          ? { result: 'ProcessingFailed', data: text }
          : { result: 'Ok', data: `${text}!` },
    ),
  });
  const bench = await opened(fake).open(sections({ handler: 'f' }), functions);
  await put(bench, 'one', 'drop', 'bad', 'two');
  await bench.simulation.pass(10_000);
  assert.deepEqual(fake.arrived, ['one!', 'two!']);
  const [line, ...others] = await lines(bench);
  assert.deepEqual(others, []);
  const { key, arrivalTimestamp, attemptEndingTimestamp, ...rest } = line;
  assert.match(key, /^processing-failed\//);
  assert.ok(arrivalTimestamp <= attemptEndingTimestamp);
  assert.deepEqual(rest, {
    attemptsMade: 1,
    errorCode: 'Lambda.ProcessingFailedStatus',
    errorMessage: 'the function says that it failed',
    rawData: base64('bad'),
    lambdaArn: 'f',
  });
  const told = bench.simulation.logged.find(({ event }) => event === 'delivery.error-output')?.fields;
  assert.match(String(told?.['place']), /processing-failed\//);
  const { recordsDelivered, recordsFailed } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.deepEqual([recordsDelivered, recordsFailed], [2, 1]);
});

test('a batch that is given up as a whole has one line of each record: what could not be processed is not told twice', async () => {
  const fake = new FakeDestination(() => {
    throw new DeliveryError('Fake.Down', 'never', false);
  });
  const functions = new FakeFunctions({
    f: each((text) => (text === 'bad' ? { result: 'ProcessingFailed' } : { result: 'Ok', data: `${text}!` })),
  });
  const bench = await opened(fake).open(sections({ handler: 'f' }), functions);
  await put(bench, 'one', 'bad');
  await bench.simulation.pass(10_000);
  const told = (await lines(bench)).map(
    ({ key, rawData }) => `${String(key).split('/')[0]}: ${Buffer.from(rawData, 'base64').toString()}`,
  );
  assert.deepEqual(told.toSorted(), ['fake-failed: one!', 'processing-failed: bad']);
  const { recordsDelivered, recordsFailed } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.deepEqual([recordsDelivered, recordsFailed], [0, 2]);
});

test('a name, an ARN and an ARN with a version name the function', async () => {
  for (const arn of [
    'f',
    'arn:aws:lambda:eu-west-1:123456789012:function:f',
    'arn:aws:lambda:eu-west-1:1:function:f:$LATEST',
  ]) {
    const fake = new FakeDestination();
    const bench = await opened(fake).open(sections({ handler: arn }), new FakeFunctions({ f: upper }));
    await put(bench, 'a');
    await bench.simulation.pass(10_000);
    assert.deepEqual(fake.arrived, ['A'], arn);
  }
});

test('an attempt that is repeated calls no function again', async () => {
  const fake = new FakeDestination(({ number }) => {
    if (number < 4) throw new DeliveryError('Fake.Down', 'not now', true);
    return [];
  });
  const functions = new FakeFunctions({ f: upper });
  const bench = await opened(fake).open(sections({ handler: 'f' }), functions);
  await put(bench, 'a', 'b');
  await bench.simulation.pass(60_000);
  assert.deepEqual(fake.arrived, ['A', 'B']);
  assert.equal(functions.events.length, 1);
});

test('a call that fails is tried again as often as is said; then its records have lines', async () => {
  let calls = 0;
  const functions = new FakeFunctions({
    f: (event, signal) => {
      calls += 1;
      if (calls <= 4) throw new TypeError('no such thing');
      return upper(event, signal);
    },
  });
  const fake = new FakeDestination();
  const bench = await opened(fake).open(sections({ handler: 'f' }), functions);
  await put(bench, 'a', 'b');
  await bench.simulation.pass(60_000);
  assert.deepEqual(fake.arrived, []);
  const told = (await lines(bench)).map(({ errorCode, attemptsMade, rawData }) => [errorCode, attemptsMade, rawData]);
  assert.deepEqual(told, [
    ['Lambda.FunctionError', 4, base64('a')],
    ['Lambda.FunctionError', 4, base64('b')],
  ]);
  await put(bench, 'c');
  await bench.simulation.pass(10_000);
  assert.deepEqual(fake.arrived, ['C']);
});

test('a function that is not there, or has too much to do, is waited for, and costs no try', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions();
  const bench = await opened(fake).open(sections({ handler: 'f', parameters: { NumberOfRetries: '0' } }), functions);
  await put(bench, 'a');
  await bench.simulation.pass(30_000);
  const { failure } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.equal(failure, 'there is no function f');
  let calls = 0;
  functions.handlers['f'] = (event, signal) => {
    calls += 1;
    if (calls < 3) throw new ThrottleError('TooManyRequestsException', 'busy');
    return upper(event, signal);
  };
  await bench.simulation.pass(30_000);
  assert.deepEqual(fake.arrived, ['A']);
});

test('a URL, here one of the node’s own, gets the same event and gives the same answer', async () => {
  const seen: Answer[] = [];
  const servers = ({ url, method, headers, body }: { url: string; method: string; headers: object; body: Buffer }) => {
    const event: Answer = JSON.parse(String(body));
    seen.push({ url, method, headers, event });
    if (seen.length === 1) return { status: 500 };
    const answer = upper(event, undefined);
    return { body: JSON.stringify(answer) };
  };
  const fake = new FakeDestination();
  const bench = new Bench(1, { destinations: [fake.kind], servers });
  await bench.open(sections({ handler: '${gateway}/transform?key=secret' }));
  await put(bench, 'a');
  await bench.simulation.pass(20_000);
  assert.deepEqual(fake.arrived, ['A']);
  const url = 'http://127.0.0.1:4568/transform?key=secret';
  assert.deepEqual(
    seen.map(({ url: asked, method, event }) => [asked, method, event.records.length]),
    [
      [url, 'POST', 1],
      [url, 'POST', 1],
    ],
  );
  assert.deepEqual(seen[0].event.invocationId, seen[1].event.invocationId);
  assert.doesNotMatch(JSON.stringify(bench.simulation.logged), /secret/);
});

test('a power cut at any moment loses and doubles nothing of what was processed, and makes the same of it', async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const fake = new FakeDestination();
    let calls = 0;
    // Another answer each time it is asked: what was processed once stays as it is.
    const stamp: FakeHandler = (event, signal) => {
      calls += 1;
      const call = calls;
      return each((text) => ({ result: 'Ok', data: `${text}#${call}` }))(event, signal);
    };
    const functions = new FakeFunctions({ f: stamp });
    const wanted = sections({ from: 's', handler: 'f' });
    const bench = await opened(fake, seed).open(wanted, functions);
    for (let round = 0; round < 6; round += 1) {
      for (let index = 0; index < 3; index += 1) {
        const record = { StreamName: 's', PartitionKey: 'k', Data: base64(`${round}.${index}`) };
        await bench.call('Kinesis_20131202.PutRecord', record);
      }
      await bench.simulation.pass(300 * ((seed + round * 7) % 11) + 37 * seed);
      bench.simulation.crash();
      bench.simulation.restart();
      await bench.open(wanted, functions);
    }
    await bench.simulation.pass(30_000);
    // Attempts may come twice, with the same bytes.
    const unique = [...new Set(fake.arrived)];
    const names = unique.map((text) => text.split('#')[0]);
    const expected = Array.from({ length: 18 }, (_, at) => `${Math.floor(at / 3)}.${at % 3}`);
    assert.deepEqual(names, expected, `seed ${seed}: ${unique.join()}`);
    assert.deepEqual(await lines(bench), []);
    await bench.close();
  }
});

test('processing that is added, taken away and added again changes what comes after, and keeps the order', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions({ f: upper });
  const bench = await opened(fake).open(sections({}), functions);
  const texts = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const [index, text] of texts.entries()) {
    await put(bench, text);
    await bench.simulation.pass(index % 2 === 0 ? 10 : 4000);
    const isOn = index % 2 === 0;
    await bench.simulation.drive(bench.node.reload(sections(isOn ? { handler: 'f' } : {})));
    if (index === 3) {
      bench.simulation.crash();
      bench.simulation.restart();
      await bench.open(sections(isOn ? { handler: 'f' } : {}), functions);
    }
  }
  await bench.simulation.pass(60_000);
  assert.deepEqual(
    [...new Set(fake.arrived)].map((text) => text.toLowerCase()),
    texts,
  );
  await bench.simulation.drive(bench.node.reload(sections({ handler: 'f' })));
  await bench.simulation.pass(5000);
  await put(bench, 'last');
  await bench.simulation.pass(10_000);
  assert.equal(fake.arrived.at(-1), 'LAST');
});

test('where all records go to a backup too, they go as they came', async () => {
  const fake = new FakeDestination();
  const bench = await opened(fake).open(sections({ handler: 'f', Mode: 'all' }), new FakeFunctions({ f: upper }));
  await put(bench, 'a', 'b');
  await bench.simulation.pass(10_000);
  assert.deepEqual(fake.arrived, ['A', 'B']);
  assert.deepEqual([...(await bench.objects(BUCKET)).values()].map(String), ['ab']);
});

test('what was put directly and processed is kept no longer than it is needed', async () => {
  const fake = new FakeDestination();
  const bench = await opened(fake).open(sections({ handler: 'f' }), new FakeFunctions({ f: upper }));
  for (let round = 0; round < 3; round += 1) {
    await put(bench, `a${round}`, `b${round}`);
    await bench.simulation.pass(10_000);
  }
  assert.equal(fake.arrived.length, 6);
  for (const name of ['$direct/d', '$processed/d']) {
    const shard = bench.node.records.describe(name)?.shards[0];
    assert.ok(shard !== undefined, name);
    const { start, end } = bench.node.records.bounds(shard);
    assert.ok(end - start <= 2n, `${name} keeps ${end - start}`);
  }
  await bench.call('DeleteDeliveryStream', { DeliveryStreamName: 'd' });
  const left = bench.node.records.list({ internal: true }).map(({ name }) => name);
  assert.ok(!left.some((name) => name.endsWith('/d')), left.join());
});

test('a flush waits for the function and for the destination', async () => {
  const fake = new FakeDestination();
  const wanted = sections({ handler: 'f', parameters: { BufferIntervalInSeconds: '900' } });
  const bench = await opened(fake).open(wanted, new FakeFunctions({ f: upper }));
  await put(bench, 'a');
  await bench.simulation.pass(3000);
  assert.deepEqual(fake.arrived, []);
  const { flushed } = await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  assert.equal(flushed, true);
  assert.deepEqual(fake.arrived, ['A']);
});

test('records that retention took before they were processed have a line of their own', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions();
  const bench = await opened(fake).open(sections({ from: 's', handler: 'f' }), functions);
  const record = { StreamName: 's', PartitionKey: 'k' };
  for (const text of ['a', 'b']) await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64(text) });
  await bench.close();
  await bench.simulation.pass(25 * 3_600_000);
  functions.handlers['f'] = upper;
  await bench.open(sections({ from: 's', handler: 'f' }), functions);
  await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64('c') });
  await bench.simulation.pass(30_000);
  assert.deepEqual(fake.arrived, ['C']);
  const [line, ...others] = await lines(bench);
  assert.deepEqual(others, []);
  assert.match(line.key, /^retention-exceeded\//);
  assert.deepEqual([line.errorCode, line.records, line.shardId], ['RetentionExceeded', 2, 'shardId-000000000000']);
  const { recordsFailed, recordsLost } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.deepEqual([recordsFailed, recordsLost], [0, 2]);
  assert.match(bench.node.health().problems.join(), /records were gone before they were delivered/);
});

test('a closed shard of which all that is left is gone ends with a line, and the node goes on', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions();
  const bench = await opened(fake).open(sections({ from: 's', handler: 'f' }), functions);
  const record = { StreamName: 's', PartitionKey: 'k' };
  for (const text of ['a', 'b']) await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64(text) });
  const count = { StreamName: 's', TargetShardCount: 2, ScalingType: 'UNIFORM_SCALING' };
  await bench.call('Kinesis_20131202.UpdateShardCount', count);
  await bench.close();
  // Both records are over, and their shard is still there for those who come late.
  await bench.simulation.pass(24 * 3_600_000 + 1000);
  functions.handlers['f'] = upper;
  await bench.open(sections({ from: 's', handler: 'f' }), functions);
  await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64('c') });
  await bench.simulation.pass(30_000);
  assert.deepEqual(fake.arrived, ['C']);
  const told = (await lines(bench)).map(({ errorCode, records }) => [errorCode, records]);
  assert.deepEqual(told, [['RetentionExceeded', 2]]);
});

test('a function that is not there holds up no other delivery, nor the end of the node', async () => {
  const fake = new FakeDestination();
  const { deliveries: waiting } = sections({ handler: 'gone', parameters: { BufferSizeInMBs: '3' } });
  const { deliveries: working } = sections({ handler: 'f' });
  const deliveries = { ...(working as object), e: (waiting as { d: object }).d };
  const bench = await opened(fake).open({ deliveries }, new FakeFunctions({ f: upper }));
  const Records = Array.from({ length: 4 }, () => ({ Data: Buffer.alloc(900_000, 'x').toString('base64') }));
  // More than all functions' events may hold together.
  for (let round = 0; round < 24; round += 1) {
    await bench.call('PutRecordBatch', { DeliveryStreamName: 'e', Records });
  }
  await bench.simulation.pass(10_000);
  await put(bench, 'a');
  await bench.simulation.pass(10_000);
  assert.deepEqual(fake.arrived, ['A']);
  const before = bench.simulation.environment.clock.monotonic();
  await bench.close();
  assert.ok(bench.simulation.environment.clock.monotonic() - before < 1000);
});

test('an event has so many records at most, however small they are', async () => {
  const fake = new FakeDestination();
  const functions = new FakeFunctions({ f: each(() => ({ result: 'Dropped' })) });
  const bench = await opened(fake).open(sections({ from: 's', handler: 'f' }), functions);
  const inputs = Array.from({ length: 500 }, (_, index) => ({ PartitionKey: String(index), Data: '' }));
  for (let round = 0; round < 23; round += 1) {
    await bench.call('Kinesis_20131202.PutRecords', { StreamName: 's', Records: inputs });
  }
  await bench.simulation.pass(30_000);
  const counts = functions.events.map(({ records }) => (records as readonly unknown[]).length);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    11_500,
  );
  assert.ok(counts.every((count) => count <= 5000) && counts.length >= 3, counts.join());
});

test('what waits for the function is counted, and what was processed lags until it is delivered', async () => {
  let isDown = false;
  const fake = new FakeDestination(() => {
    if (isDown) throw new DeliveryError('Fake.Down', 'not now', true);
    return [];
  });
  const functions = new FakeFunctions({ f: upper });
  const bench = await opened(fake).open(sections({ from: 's', handler: 'f' }), functions);
  const record = { StreamName: 's', PartitionKey: 'k' };
  const shown = async (): Promise<readonly unknown[]> => {
    const { unprocessedRecords, shards } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
    return [unprocessedRecords, shards[0].lagRecords];
  };
  const step = async (text: string): Promise<readonly unknown[]> => {
    await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64(text) });
    await bench.simulation.pass(10_000);
    return await shown();
  };
  assert.deepEqual(await step('a'), [0, 0]);
  isDown = true;
  assert.deepEqual(await step('b'), [0, 1], 'processed, not delivered');
  delete functions.handlers['f'];
  assert.deepEqual(await step('c'), [1, 2], 'neither');
  functions.handlers['f'] = upper;
  isDown = false;
  await bench.simulation.pass(60_000);
  assert.deepEqual(await shown(), [0, 0]);
  assert.deepEqual(fake.arrived, ['A', 'B', 'C']);
});

test('calls of a function are measured under AWS’s names: those that fail take time, and count as no success', async () => {
  const fake = new FakeDestination();
  let calls = 0;
  const sort = each((text) => ({
    result: text === 'bad' ? 'ProcessingFailed' : text === 'drop' ? 'Dropped' : 'Ok',
    data: 'x',
  }));
  const functions = new FakeFunctions({
    f: async (event, signal) => {
      calls += 1;
      await bench.simulation.environment.clock.sleep(300);
      if (calls === 1) throw new TypeError('no such thing');
      return sort(event, signal);
    },
  });
  const bench = opened(fake);
  await bench.open(sections({ handler: 'f' }), functions);
  await put(bench, 'one', 'drop', 'bad', 'three');
  await bench.simulation.pass(20_000);
  const { metrics } = bench.simulation;
  const measured = (name: string): number | undefined => metrics.get(`aws_firehose_${name}{"delivery":"d"}`);
  assert.deepEqual([calls, measured('execute_processing_success_total')], [2, 1]);
  assert.equal(measured('execute_processing_duration_ms'), 600);
  assert.equal(measured('succeed_processing_records_total'), 3);
  assert.equal(measured('succeed_processing_bytes_total'), 'onedropthree'.length);
});
