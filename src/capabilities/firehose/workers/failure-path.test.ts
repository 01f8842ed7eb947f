import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError, EnvironmentError } from '../../../kernel/errors.ts';
import { aggregated } from '../../../wire/kpl/aggregated-record.fixture.ts';
import { FakeDestination, refusing } from '../../../testing/fake-destination.ts';
import { Unavailable } from '../../../ports/stream-store.ts';
import { base64, Bench, type Answer } from '../harness.fixture.ts';

const BUCKET = 'failed';

function sections(more: object = {}, from?: string): Record<string, unknown> {
  const backup = { BucketARN: BUCKET, BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 1 } };
  const d = { fake: { S3Configuration: backup, ...more }, ...(from !== undefined && { from }) };
  return { ...(from !== undefined && { streams: { [from]: { ShardCount: 1 } } }), deliveries: { d } };
}

async function open(destination: FakeDestination, more: object = {}): Promise<Bench> {
  return await new Bench(1, { destinations: [destination.kind] }).open(sections(more));
}

async function put(bench: Bench, ...texts: readonly string[]): Promise<void> {
  const Records = texts.map((text) => ({ Data: base64(text) }));
  await bench.call('PutRecordBatch', { DeliveryStreamName: 'd', Records });
}

async function status(bench: Bench): Promise<Answer> {
  return await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
}

/** Lines of the error objects, with the key of each object. */
async function failed(bench: Bench): Promise<readonly Answer[]> {
  const objects = await bench.objects(BUCKET);
  return [...objects].flatMap(([key, content]) =>
    String(content)
      .trimEnd()
      .split('\n')
      .map((line) => ({ key, ...(JSON.parse(line) as object) })),
  );
}

function texts(lines: readonly Answer[]): readonly string[] {
  return lines.map(({ rawData }) => Buffer.from(rawData, 'base64').toString());
}

const unavailable = (code = 'Fake.Down', retryable = true, cause?: unknown): never => {
  throw new DeliveryError(code, 'no "service"\n today', retryable, cause);
};

test('a record that is refused for good stands in the error output, and the others arrive once', async () => {
  const fake = new FakeDestination(refusing((text) => text === 'bad', false));
  const bench = await open(fake);
  await put(bench, 'one', 'bad', 'two');
  await bench.simulation.pass(5000);
  assert.deepEqual(fake.arrived, ['one', 'two']);
  const [line = assert.fail('no line'), ...others] = await failed(bench);
  assert.deepEqual(others, []);
  assert.deepEqual(Object.keys(line), [
    'key',
    'attemptsMade',
    'arrivalTimestamp',
    'errorCode',
    'errorMessage',
    'attemptEndingTimestamp',
    'rawData',
    'dataId',
  ]);
  assert.match(line.key, /^fake-failed\/2026\/01\/01\/00\/d-1-2026-01-01-00-00-\d\d-[0-9a-f-]{36}$/);
  assert.deepEqual([line.attemptsMade, line.errorCode, line.errorMessage], [1, 'Fake.Refused', 'no bad']);
  assert.match(line.dataId, /^\d{56}\.0$/);
  assert.deepEqual(texts([line]), ['bad']);
  const { recordsDelivered, recordsFailed, state } = await status(bench);
  assert.deepEqual([recordsDelivered, recordsFailed, state], [2, 1, 'active']);
});

test('records that may be taken later are attempted again alone', async () => {
  let refusals = 2;
  const fake = new FakeDestination((attempt) => {
    refusals -= 1;
    return refusals >= 0 ? refusing((text) => text.startsWith('b'), true)(attempt) : [];
  });
  const bench = await open(fake);
  await put(bench, 'a', 'b1', 'c', 'b2');
  await bench.simulation.pass(10_000);
  assert.deepEqual(
    fake.attempts.map(({ records }) => records.map(({ text }) => text).join(' ')),
    ['a b1 c b2', 'b1 b2', 'b1 b2'],
  );
  assert.deepEqual(fake.arrived, ['a', 'c', 'b1', 'b2']);
  assert.equal(new Set(fake.attempts.map(({ place }) => place)).size, 1, 'to one place');
  assert.deepEqual(await failed(bench), []);
});

test('the time for retries over, what is left stands in the error output with the last reason', async () => {
  const fake = new FakeDestination(() => unavailable());
  const bench = await open(fake, { RetrySeconds: 20 });
  await put(bench, 'a', 'b');
  await bench.simulation.pass(18_000);
  assert.deepEqual(await failed(bench), [], 'not before');
  assert.equal((await status(bench)).state, 'retrying');
  await bench.simulation.pass(10_000);
  const lines = await failed(bench);
  assert.deepEqual(texts(lines), ['a', 'b']);
  assert.equal(lines[0].attemptsMade, fake.attempts.length);
  assert.equal(lines[0].errorMessage, 'no "service"\n today');
  assert.deepEqual(fake.arrived, []);
});

test('a line has what the last attempt said of its record, however much earlier ones said, and of how many records', async () => {
  const text = (of: string, attempt: number): string => `request ${of} at ${attempt}: ${'busy '.repeat(40)}`;
  const count = 2000;
  const half = count / 2;
  const words = (index: number, number: number): string => text(index < half ? 'one' : 'two', number);
  const fake = new FakeDestination(({ records, number }) =>
    records.map((_, index) => ({ index, code: 'Fake.Busy', message: words(index, number), retryable: true })),
  );
  const bench = await open(fake, { RetrySeconds: 60, BufferSeconds: 60 });
  for (let first = 0; first < count; first += 500) {
    await put(bench, ...Array.from({ length: 500 }, (_, at) => `${first + at}`));
  }
  await bench.simulation.pass(300_000);
  const lines = await failed(bench);
  assert.deepEqual([lines.length, fake.attempts.length > 5], [count, true]);
  const said = new Set(
    lines.map(({ errorMessage, rawData }) => {
      const index = Number(Buffer.from(rawData, 'base64').toString());
      assert.equal(errorMessage, words(index, fake.attempts.length));
      return errorMessage;
    }),
  );
  assert.equal(said.size, 2);
});

test('no time for retries, or a failure for good, ends with the first attempt', async () => {
  for (const [retryable, RetrySeconds] of [
    [true, 0],
    [false, 7200],
  ] as const) {
    const fake = new FakeDestination(() => unavailable('Fake.No', retryable));
    const bench = await open(fake, { RetrySeconds });
    await put(bench, 'a');
    await bench.simulation.pass(3000);
    assert.equal(fake.attempts.length, 1);
    assert.deepEqual(texts(await failed(bench)), ['a']);
  }
});

test('where the error output fails, too, the delivery says so, drops nothing, and goes on when one of them works', async () => {
  for (const mended of ['destination', 'output'] as const) {
    const fake = new FakeDestination(() => unavailable());
    const bench = await open(fake, { RetrySeconds: 0 });
    const { files } = bench.simulation.environment;
    const original = files.rename.bind(files);
    files.rename = async (_from, to) => {
      throw new EnvironmentError('EACCES', `no way to ${to}`);
    };
    await put(bench, 'a');
    await bench.simulation.pass(60_000);
    assert.equal((await status(bench)).state, 'retrying');
    assert.equal(bench.node.health().ok, false);
    await put(bench, 'b');
    if (mended === 'destination') fake.script = () => [];
    else files.rename = original;
    await bench.simulation.pass(120_000);
    assert.deepEqual(mended === 'destination' ? fake.arrived : texts(await failed(bench)), ['a', 'b'], mended);
    assert.deepEqual(bench.node.health().problems, []);
  }
});

test('a crash repeats the batch to its places, and counts what may have arrived twice', async () => {
  const fake = new FakeDestination(async () => await new Promise<never>(() => undefined));
  const bench = await open(fake);
  await put(bench, 'a', 'b');
  await bench.simulation.pass(3000);
  bench.simulation.crash();
  bench.simulation.restart();
  fake.script = refusing((text) => text === 'b', false);
  await bench.open(sections());
  await bench.simulation.pass(3000);
  assert.equal(new Set(fake.attempts.map(({ place }) => place)).size, 1);
  assert.deepEqual([fake.arrived, texts(await failed(bench))], [['a'], ['b']]);
  assert.equal((await status(bench)).possibleDuplicates, 2);
});

test('an attempt without an answer may have arrived: it is shown, and its records count as possible duplicates', async () => {
  const fake = new FakeDestination(({ number }) =>
    number === 1 ? unavailable('Fake.Timeout', true, new EnvironmentError('ETIMEDOUT', 'no answer')) : [],
  );
  const bench = await open(fake);
  await put(bench, 'a');
  await bench.simulation.pass(10_000);
  const { attempts, possibleDuplicates } = await status(bench);
  assert.deepEqual(
    attempts.map(({ outcome, code, records }: Answer) => [outcome, code, records]),
    [
      ['delivered', undefined, 1],
      ['unknown', 'Fake.Timeout', 0],
    ],
  );
  assert.equal(possibleDuplicates, 1);
});

test('what may have come twice is counted before it is sent again: a power cut takes nothing of the count', async () => {
  const taken: string[] = [];
  let isUp = false;
  // It takes all it is sent, and answers nobody until it is up.
  const fake = new FakeDestination(async ({ records, signal }) => {
    taken.push(...records.map(({ text }) => text));
    if (isUp) return [];
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    throw new DeliveryError('Fake.Stopped', 'the node stops', true);
  });
  const bench = await open(fake);
  await put(bench, 'a', 'b');
  await bench.simulation.pass(5000);
  for (let life = 0; life < 3; life += 1) {
    bench.simulation.crash();
    bench.simulation.restart();
    isUp = life === 2;
    await bench.open(sections());
    await bench.simulation.pass(5000);
  }
  assert.deepEqual(taken, ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b']);
  assert.equal((await status(bench)).possibleDuplicates, 6);
});

test('a batch that arrived, and whose end could not be written, counts when it is sent again', async () => {
  const fake = new FakeDestination();
  const bench = await open(fake);
  fake.script = ({ number }) => {
    if (number === 1) bench.simulation.failNext('write', ...Array.from({ length: 4 }, () => 'ENOSPC' as const));
    return [];
  };
  await put(bench, 'a');
  await bench.simulation.pass(60_000);
  const arrived = fake.arrived.length;
  assert.ok(arrived > 1, 'it was sent again');
  assert.equal((await status(bench)).possibleDuplicates, arrived - 1);
});

test('records of which no answer came count when they are sent again, and those that were refused do not', async () => {
  const answers = ['ETIMEDOUT', 'ECONNRESET', 'EMSGSIZE', 'EOTHER', 'ECONNREFUSED', 'ENOTFOUND'] as const;
  for (const code of answers) {
    const fake = new FakeDestination(({ number }) =>
      number === 1 ? unavailable('Fake.No', true, new EnvironmentError(code, 'no answer')) : [],
    );
    const bench = await open(fake);
    await put(bench, 'a');
    await bench.simulation.pass(10_000);
    const isSent = !['ECONNREFUSED', 'ENOTFOUND'].includes(code);
    assert.equal((await status(bench)).possibleDuplicates, isSent ? 1 : 0, code);
  }
  const fake = new FakeDestination(({ number, records }) => {
    if (number > 2) return [];
    const refused = { code: 'Fake.Later', message: 'no', retryable: true } as const;
    const unanswered = { ...refused, mayHaveArrived: true } as const;
    return number === 1
      ? [
          { index: 1, ...refused },
          { index: 2, ...unanswered },
          { index: 3, ...unanswered },
        ]
      : records.map((_, index) => ({ index, ...refused }));
  });
  const bench = await open(fake);
  await put(bench, 'a', 'b', 'c', 'd');
  await bench.simulation.pass(20_000);
  assert.equal(fake.attempts.length, 3);
  assert.equal((await status(bench)).possibleDuplicates, 2);
});

test('of what a producer packed each record counts that is sent again', async () => {
  const fake = new FakeDestination(({ number }) =>
    number === 1 ? unavailable('Fake.No', true, new EnvironmentError('ETIMEDOUT', 'no answer')) : [],
  );
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections({}, 'events'));
  const parts = ['a', 'b', 'c'].map((data) => ({ key: 0, data }));
  for (const data of [aggregated(['k'], parts), Buffer.from('d')]) {
    const record = { StreamName: 'events', PartitionKey: 'k', Data: data.toString('base64') };
    await bench.call('Kinesis_20131202.PutRecord', record);
  }
  await bench.simulation.pass(10_000);
  assert.deepEqual(
    fake.attempts.map(({ records }) => records.length),
    [4, 4],
  );
  assert.equal((await status(bench)).possibleDuplicates, 4);
});

test('where it cannot be kept that records are sent again, none are, and none of those that arrived either', async () => {
  const fake = new FakeDestination();
  const bench = await open(fake);
  fake.script = ({ number }) => {
    if (number > 1) return [];
    bench.simulation.failNext('write', ...Array.from({ length: 4 }, () => 'ENOSPC' as const));
    return [{ index: 1, code: 'Fake.Later', message: 'no', retryable: true, mayHaveArrived: true }];
  };
  await put(bench, 'a', 'b', 'c');
  await bench.simulation.pass(60_000);
  assert.deepEqual(
    fake.attempts.map(({ records }) => records.map(({ text }) => text).join(' ')),
    ['a b c', 'b'],
  );
  const { possibleDuplicates, state } = await status(bench);
  assert.deepEqual([possibleDuplicates, state], [1, 'active']);
});

test('an attempt of which some records arrived is shown as such, and one of which none did has failed', async () => {
  const fake = new FakeDestination(refusing((text) => text.startsWith('bad'), false));
  const bench = await open(fake);
  await put(bench, 'one', 'bad');
  await bench.simulation.pass(5000);
  await put(bench, 'bad', 'bad');
  await bench.simulation.pass(5000);
  const { attempts } = await status(bench);
  assert.deepEqual(
    attempts.map(({ outcome, records, refused }: Answer) => [outcome, records, refused]),
    [
      ['failed', 0, 2],
      ['partly', 1, 1],
    ],
  );
});

test('repeated attempts go by the newest options', async () => {
  const fake = new FakeDestination(({ address }) => (address === 'new' ? [] : unavailable()));
  const bench = await open(fake, { Address: 'old' });
  await put(bench, 'a');
  await bench.simulation.pass(5000);
  await bench.simulation.drive(bench.node.reload(sections({ Address: 'new' })));
  await bench.simulation.pass(20_000);
  assert.deepEqual(fake.arrived, ['a']);
});

test('with a backup of all records, each goes there as it came, and neither waits for the other', async () => {
  const fake = new FakeDestination(() => unavailable());
  const bench = await open(fake, { Mode: 'all', RetrySeconds: 60 });
  await put(bench, 'a;', 'b;');
  await bench.simulation.pass(5000);
  assert.deepEqual([...(await bench.objects(BUCKET)).values()].map(String), ['a;b;']);
  assert.equal((await status(bench)).backup.recordsDelivered, 2);
  bench.simulation.crash();
  bench.simulation.restart();
  fake.script = () => [];
  await bench.open(sections({ Mode: 'all', RetrySeconds: 60 }));
  await bench.simulation.pass(5000);
  assert.deepEqual(fake.arrived, ['a;', 'b;'], 'what the backup had is kept for the destination');
  assert.equal((await bench.objects(BUCKET)).size, 1);
});

test('a paused delivery delivers nothing, also after a restart, until it is resumed', async () => {
  const fake = new FakeDestination();
  const bench = await open(fake);
  await bench.admin('POST', '/admin/deliveries/{name}/pause', { name: 'd' });
  await put(bench, 'a');
  await bench.close();
  await bench.open(sections());
  await bench.simulation.pass(10_000);
  const flushed = await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  assert.deepEqual([flushed.flushed, flushed.reason, flushed.state], [false, 'd is paused', 'paused']);
  assert.deepEqual([fake.arrived, bench.node.health().problems], [[], []]);
  await bench.admin('POST', '/admin/deliveries/{name}/resume', { name: 'd' });
  await bench.simulation.pass(3000);
  assert.deepEqual(fake.arrived, ['a']);
});

test('records of a stream that retention took first are told in the error output', async () => {
  const fake = new FakeDestination();
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections({}, 'events'));
  await bench.admin('POST', '/admin/deliveries/{name}/pause', { name: 'd' });
  const record = { StreamName: 'events', PartitionKey: 'k', Data: base64('old') };
  for (let left = 3; left > 0; left -= 1) await bench.call('Kinesis_20131202.PutRecord', record);
  await bench.simulation.pass(25 * 3_600_000);
  await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64('young') });
  await bench.admin('POST', '/admin/deliveries/{name}/resume', { name: 'd' });
  await bench.simulation.pass(5000);
  assert.deepEqual(fake.arrived, ['young']);
  const lines = await failed(bench);
  assert.deepEqual(
    lines.map(({ errorCode, shardId, records }) => [errorCode, shardId, records]),
    [['RetentionExceeded', 'shardId-000000000000', 3]],
  );
  assert.match(lines[0].key, /^retention-exceeded\//);
  assert.equal((await status(bench)).recordsLost, 3);
  assert.deepEqual(bench.node.health().problems, ['delivery d: records were gone before they were delivered']);
});

test('lines of an attempt before stay where retention took their records: they may be all that is left of them', async () => {
  const fake = new FakeDestination(refusing(() => true, false));
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections({}, 'events'));
  await bench.admin('POST', '/admin/deliveries/{name}/pause', { name: 'd' });
  const record = { StreamName: 'events', PartitionKey: 'k' };
  await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64('old') });
  await bench.simulation.pass(23 * 3_600_000);
  await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64('young') });
  const { files } = bench.simulation.environment;
  const rename = files.rename.bind(files);
  files.rename = async (from, to) => {
    await rename(from, to);
    // The position cannot be kept.
    const full = Array.from({ length: 50 }, () => 'ENOSPC' as const);
    if (to.includes('fake-failed')) bench.simulation.failNext('write', ...full);
  };
  await bench.admin('POST', '/admin/deliveries/{name}/resume', { name: 'd' });
  await bench.simulation.pass(3000);
  const [first = assert.fail('no line')] = await failed(bench);
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.simulation.pass(2 * 3_600_000);
  await bench.open(sections({}, 'events'));
  await bench.simulation.pass(5000);
  const lines = (await failed(bench)).filter(({ rawData }) => rawData !== undefined);
  assert.deepEqual(texts(lines.filter(({ key }) => key === first.key)), ['old', 'young']);
  const [again, ...more] = lines.filter(({ key }) => key !== first.key);
  assert.deepEqual([texts([again]), more], [['young'], []]);
  assert.match(again.key, /^fake-failed\/2026\/01\/01\/00\/d-1-2026-01-01-00-00-\d\d-[0-9a-f-]{36}$/);
  assert.equal((await status(bench)).underway, undefined);
});

function lossesTold(bench: Bench): readonly unknown[] {
  const told = bench.simulation.logged.filter(({ event }) => event === 'delivery.retention-exceeded');
  return told.map(({ fields }) => fields['records']);
}

test('what was gone is told once, also where the options change before its line is written', async () => {
  const fake = new FakeDestination();
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections({ BufferSeconds: 900 }, 'events'));
  await bench.admin('POST', '/admin/deliveries/{name}/pause', { name: 'd' });
  const record = { StreamName: 'events', PartitionKey: 'k', Data: base64('old') };
  for (let left = 3; left > 0; left -= 1) await bench.call('Kinesis_20131202.PutRecord', record);
  await bench.simulation.pass(25 * 3_600_000);
  await bench.admin('POST', '/admin/deliveries/{name}/resume', { name: 'd' });
  await bench.simulation.pass(5000);
  assert.deepEqual(lossesTold(bench), [3]);
  await bench.simulation.drive(bench.node.reload(sections({ BufferSeconds: 901 }, 'events')));
  await bench.simulation.drive(bench.node.reload(sections({ BufferSeconds: 60 }, 'events')));
  await bench.simulation.pass(120_000);
  assert.deepEqual([lossesTold(bench), (await status(bench)).recordsLost], [[3], 3]);
});

test('records of a batch that are gone are told once, however often it is begun, and those that follow them too', async () => {
  const fake = new FakeDestination();
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections({ BufferSeconds: 900 }, 'events'));
  const { clock } = bench.simulation.environment;
  const hour = 3_600_000;
  // Each attempt outlasts a record: by the second one is gone, by the third another.
  fake.script = async () => {
    if (fake.attempts.length > 6) return [];
    await clock.sleep(fake.attempts.length === 1 ? 24 * hour - 800_000 : 100_000);
    throw new Unavailable('the log does not take part');
  };
  for (const Data of ['a', 'b', 'c'].map(base64)) {
    await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'events', PartitionKey: 'k', Data });
    await bench.simulation.pass(250_000);
  }
  await bench.simulation.pass(26 * hour);
  assert.ok(fake.attempts.length > 4);
  assert.deepEqual(lossesTold(bench), [1, 1, 1]);
  assert.equal((await status(bench)).recordsLost, 3);
});
