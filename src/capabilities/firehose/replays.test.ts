import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../../kernel/errors.ts';
import { FakeDestination, refusing } from '../../testing/fake-destination.ts';
import { SIMULATED_DATA } from '../../testing/open-node.ts';
import { base64, Bench, FakeFunctions, toBucket, type Answer } from './harness.fixture.ts';

const REPLAY = '/admin/deliveries/{name}/replay';
const STATUS = '/admin/deliveries/{name}/replays/{id}';

async function put(bench: Bench, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const record = { StreamName: 'events', PartitionKey: 'k', Data: base64(text) };
    await bench.call('Kinesis_20131202.PutRecord', record);
  }
}

async function done(bench: Bench, { delivery, id }: Answer): Promise<Answer> {
  for (let left = 50; left > 0; left -= 1) {
    const status = await bench.admin('GET', STATUS, { name: delivery, id });
    if (status.state === 'done') return status;
  }
  return assert.fail('the replay did not end');
}

function toFake(more: object = {}, format = 'UNCOMPRESSED'): Record<string, unknown> {
  const S3Configuration = { BucketARN: 'failed', CompressionFormat: format };
  return {
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', fake: { S3Configuration } }, ...more },
  };
}

test('a span of time is delivered once more, and the same request writes the same objects', async () => {
  const sections = {
    streams: { events: { ShardCount: 2 } },
    deliveries: { d: { from: 'events', ...toBucket('archive', 1) } },
  };
  const bench = await new Bench().open(sections);
  await put(bench, 'early;');
  await bench.simulation.pass(60_000);
  const from = new Date(bench.simulation.environment.clock.now()).toISOString();
  await put(bench, 'one;', 'two;');
  await bench.simulation.pass(10_000);
  const to = new Date(bench.simulation.environment.clock.now()).toISOString();
  await put(bench, 'late;');
  await bench.simulation.pass(10_000);
  const before = await bench.objects('archive');
  const dry = await bench.admin('POST', REPLAY, { name: 'd' }, { from, to, dryRun: 'true' });
  assert.deepEqual([dry.records, dry.dryRun], [2, true]);
  assert.deepEqual(await bench.objects('archive'), before);
  const first = await done(bench, await bench.admin('POST', REPLAY, { name: 'd' }, { from, to }));
  assert.deepEqual([first.recordsDelivered, first.recordsFailed], [2, 0]);
  const after = await bench.objects('archive');
  const added = [...after].filter(([key]) => !before.has(key)).map(([, content]) => String(content));
  assert.deepEqual(added, ['one;two;']);
  const again = await done(bench, await bench.admin('POST', REPLAY, { name: 'd' }, { from, to }));
  assert.equal(again.id, first.id);
  assert.deepEqual(await bench.objects('archive'), after);
});

test('what stands in the error output is delivered, also packed, to the same delivery or another one', async () => {
  for (const format of ['UNCOMPRESSED', 'GZIP']) {
    const fake = new FakeDestination(refusing((text) => text.startsWith('bad'), false));
    const bench = await new Bench(1, { destinations: [fake.kind] }).open(
      toFake({ other: toBucket('other', 1) }, format),
    );
    await put(bench, 'good', 'bad1');
    await bench.simulation.pass(5000);
    await put(bench, 'bad2;');
    await bench.simulation.pass(5000);
    fake.script = () => [];
    const [{ sequenceNumber } = assert.fail()] = fake.attempts.at(-1)?.records ?? [];
    const status = await done(bench, await bench.admin('POST', REPLAY, { name: 'd' }, { errors: 'true' }));
    assert.deepEqual([status.objects, status.recordsDelivered], [2, 2]);
    assert.deepEqual(fake.arrived, ['good', 'bad1', 'bad2;']);
    assert.equal(fake.attempts.at(-1)?.records[0]?.sequenceNumber, sequenceNumber, 'under its number');
    const places = fake.attempts.slice(-2).map(({ place }) => place);
    await done(bench, await bench.admin('POST', REPLAY, { name: 'd' }, { errors: 'true' }));
    assert.deepEqual(
      fake.attempts.slice(-2).map(({ place }) => place),
      places,
    );
    await done(bench, await bench.admin('POST', REPLAY, { name: 'd' }, { errors: 'true', toDelivery: 'other' }));
    assert.deepEqual([...(await bench.objects('other')).values()].map(String), ['bad1', 'bad2;']);
  }
});

test('a replay goes on after a crash, to the same places', async () => {
  const fake = new FakeDestination();
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(toFake());
  await put(bench, 'one');
  await bench.simulation.pass(5000);
  fake.script = async () => await new Promise<never>(() => undefined);
  const { id } = await bench.admin('POST', REPLAY, { name: 'd' }, { from: '0' });
  await bench.simulation.pass(1000);
  bench.simulation.crash();
  bench.simulation.restart();
  fake.script = () => [];
  await bench.open(toFake());
  const status = await done(bench, { delivery: 'd', id });
  assert.equal(status.recordsDelivered, 1);
  const [, second, third] = fake.attempts.map(({ place }) => place);
  assert.equal(second, third);
  assert.deepEqual(fake.arrived, ['one', 'one']);
});

test('records that are named leave in the order of their shard, and none of those between them', async () => {
  const bench = await new Bench().open({
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', ...toBucket('archive', 1) } },
  });
  const numbers: string[] = [];
  for (const text of ['a;', 'b;', 'c;', 'd;', 'e;']) {
    const record = { StreamName: 'events', PartitionKey: 'k', Data: base64(text) };
    const { SequenceNumber } = await bench.call('Kinesis_20131202.PutRecord', record);
    numbers.push(String(SequenceNumber));
  }
  await bench.simulation.pass(60_000);
  const before = await bench.objects('archive');
  const [a = '', , c = '', d = ''] = numbers;
  const named = { sequenceNumbers: [d, a, c, a] };
  const dry = await bench.admin('POST', REPLAY, { name: 'd' }, { dryRun: 'true' }, named);
  assert.equal(dry.records, 3);
  const first = await done(bench, await bench.admin('POST', REPLAY, { name: 'd' }, {}, named));
  assert.equal(first.recordsDelivered, 3);
  const after = await bench.objects('archive');
  const added = [...after].filter(([key]) => !before.has(key)).map(([, content]) => String(content));
  assert.deepEqual(added.sort(), ['a;', 'c;d;']);
  await done(bench, await bench.admin('POST', REPLAY, { name: 'd' }, {}, named));
  assert.deepEqual(await bench.objects('archive'), after, 'the same again');
});

test('records that cannot be named', async () => {
  const bench = await new Bench().open({
    streams: { events: { ShardCount: 1 }, other: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', ...toBucket() } },
  });
  const record = { StreamName: 'other', PartitionKey: 'k', Data: base64('x') };
  const { SequenceNumber: foreign } = await bench.call('Kinesis_20131202.PutRecord', record);
  const list = 'the body is {"sequenceNumbers": [NUMBER, ...]} with 1 to 1000 sequence numbers';
  const beside = 'sequenceNumbers say which records are meant: no from, to or errors beside them';
  const table: readonly (readonly [body: unknown, query: Record<string, string>, said: string])[] = [
    [{ sequenceNumbers: [] }, {}, list],
    [{ sequenceNumbers: [7] }, {}, list],
    [{ sequenceNumbers: Array.from({ length: 1001 }, () => '1') }, {}, list],
    ['text', {}, list],
    [{ sequenceNumbers: ['7'] }, {}, '7 is no sequence number'],
    [{ sequenceNumbers: [foreign] }, {}, '1 of these records are not in events, or not any more'],
    [{ sequenceNumbers: ['7'] }, { from: '0' }, beside],
    [{ sequenceNumbers: ['7'] }, { errors: 'true' }, beside],
  ];
  for (const [body, query, said] of table) {
    await assert.rejects(bench.admin('POST', REPLAY, { name: 'd' }, query, body), { message: said });
  }
});

test('what cannot be replayed', async () => {
  const bench = await new Bench().open({
    streams: { events: {} },
    deliveries: { d: { from: 'events', ...toBucket() } },
  });
  const table: readonly (readonly [name: string, query: Record<string, string>, said: string])[] = [
    ['x', { from: '0' }, 'no delivery x'],
    ['d', {}, 'say from when: from=TIME, or errors=true'],
    ['d', { from: 'soon' }, 'from is a time of ISO 8601, or seconds since 1970'],
    ['d', { errors: 'yes' }, 'errors is true or false'],
    [
      'd',
      { errors: 'true' },
      'd attempts until all has arrived: it has no lines of records that its destination did not take',
    ],
    ['d', { from: '0', stream: 'none' }, 'no stream none'],
    ['d', { from: '0', toDelivery: 'none' }, 'no delivery none'],
  ];
  for (const [name, query, said] of table) {
    await assert.rejects(bench.admin('POST', REPLAY, { name }, query), { message: said });
  }
  await assert.rejects(bench.admin('GET', STATUS, { name: 'd', id: 'none' }), { message: 'no replay none of d' });
});

/** Processes records: fails those that begin with `odd`. */
const PROCESSING = {
  ProcessingConfiguration: {
    Enabled: true,
    Processors: [
      {
        Type: 'Lambda',
        Parameters: [
          { ParameterName: 'LambdaArn', ParameterValue: 'f' },
          { ParameterName: 'BufferIntervalInSeconds', ParameterValue: '1' },
        ],
      },
    ],
  },
};

function processing(): FakeFunctions {
  return new FakeFunctions({
    f: ({ records }) => ({
      records: (records as readonly Answer[]).map(({ recordId, data }) => {
        const text = Buffer.from(data, 'base64').toString();
        const result = text.startsWith('odd') ? 'ProcessingFailed' : 'Ok';
        return { recordId, result, data: base64(text.toUpperCase()) };
      }),
    }),
  });
}

test('where records are processed, its own lines are replayed, and no raw ones of another delivery', async () => {
  const fake = new FakeDestination(refusing((text) => text.toLowerCase().startsWith('bad'), false));
  const S3Configuration = { BucketARN: 'failed' };
  const sections = {
    streams: { events: { ShardCount: 1 } },
    deliveries: {
      raw: { from: 'events', fake: { S3Configuration } },
      made: { from: 'events', fake: { S3Configuration, ...PROCESSING } },
    },
  };
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(sections, processing());
  await put(bench, 'bad', 'odd');
  await bench.simulation.pass(15_000);
  const before = fake.attempts.length;
  await assert.rejects(bench.admin('POST', REPLAY, { name: 'raw' }, { errors: 'true', toDelivery: 'made' }), {
    message: 'made has its records processed first, which a replay would leave out: not built yet',
  });
  assert.equal(fake.attempts.length, before);
  fake.script = () => [];
  fake.arrived.length = 0;
  const planned = await bench.admin('POST', REPLAY, { name: 'made' }, { errors: 'true', dryRun: 'true' });
  assert.deepEqual([planned.objects, planned.unprocessedObjects], [1, 1]);
  await done(bench, await bench.admin('POST', REPLAY, { name: 'made' }, { errors: 'true' }));
  assert.deepEqual(fake.arrived, ['BAD']);
});

test('a delivery to S3 whose function failed records says truly what it has no lines of', async () => {
  const { ExtendedS3DestinationConfiguration: to } = toBucket('archive', 1);
  const d = { from: 'events', ExtendedS3DestinationConfiguration: { ...to, ...PROCESSING } };
  const bench = await new Bench().open({ streams: { events: {} }, deliveries: { d } }, processing());
  await assert.rejects(bench.admin('POST', REPLAY, { name: 'd' }, { errors: 'true' }), {
    message:
      'd attempts until all has arrived: it has no lines of records that its destination did not take; ' +
      'lines of type processing-failed are not replayed',
  });
});

test('error objects are found wherever the prefix puts them, and those of other deliveries are not', async () => {
  const prefixes = [
    '',
    'plain',
    'a/!{firehose:error-output-type}/',
    '!{firehose:error-output-type}',
    'b+!{firehose:error-output-type}-',
    'c/!{firehose:error-output-type}/!{timestamp:yyyy}-x.',
    'd/!{firehose:error-output-type}!{firehose:random-string}',
  ];
  for (const ErrorOutputPrefix of prefixes) {
    const fake = new FakeDestination(refusing((text) => text.startsWith('bad'), false));
    const to = { from: 'events', fake: { S3Configuration: { BucketARN: 'failed', ErrorOutputPrefix } } };
    const bench = await new Bench(1, { destinations: [fake.kind] }).open({
      streams: { events: { ShardCount: 1 } },
      deliveries: { d: to, 'd.2': to },
    });
    await put(bench, 'bad');
    await bench.simulation.pass(5000);
    for (const name of ['d', 'd.2']) {
      const planned = await bench.admin('POST', REPLAY, { name }, { errors: 'true', dryRun: 'true' });
      assert.equal(planned.objects, 1, `${name} at ${ErrorOutputPrefix}`);
    }
  }
});

/** The delivery to it has had one record; `other` goes to a bucket. */
async function withOneRecord(fake: FakeDestination): Promise<Bench> {
  const bench = await new Bench(1, { destinations: [fake.kind] }).open(toFake({ other: toBucket('other', 1) }));
  await put(bench, 'one;');
  await bench.simulation.pass(5000);
  return bench;
}

test('a replay that cannot get over something ends, and one that is cancelled, too: the next has its turn', async () => {
  const fake = new FakeDestination(refusing(() => true, false));
  const bench = await withOneRecord(fake);
  const [key = assert.fail('no object')] = [...(await bench.objects('failed')).keys()];
  const { files } = bench.simulation.environment;
  const file = await bench.simulation.drive(files.open(`${SIMULATED_DATA}/buckets/failed/${key}`, 'write'));
  await bench.simulation.drive(file.truncate(0));
  await bench.simulation.drive(file.write(Buffer.from('no line'), 0));
  await bench.simulation.drive(file.close());
  const broken = await bench.admin('POST', REPLAY, { name: 'd' }, { errors: 'true', toDelivery: 'other' });
  const { state, failure } = await bench.admin('GET', STATUS, { name: 'other', id: broken.id });
  assert.deepEqual([state, failure], ['failed', `${key} holds a line that is no JSON`]);
  fake.script = async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    throw new DeliveryError('Fake.Stopped', 'stopped', true);
  };
  const stuck = await bench.admin('POST', REPLAY, { name: 'd' }, { from: '0' });
  const next = await bench.admin('POST', REPLAY, { name: 'd' }, { from: '0', toDelivery: 'other' });
  assert.equal((await bench.admin('GET', STATUS, { name: 'other', id: next.id })).recordsDelivered, 0);
  const shown = await running(bench);
  assert.deepEqual(shown, [
    ['d', [[stuck.id, 'running']]],
    ['other', [[next.id, 'waiting']]],
  ]);
  const cancelled = await bench.admin('DELETE', STATUS, { name: 'd', id: stuck.id });
  assert.equal(cancelled.state, 'cancelled');
  assert.equal((await done(bench, next)).recordsDelivered, 1);
  assert.equal((await bench.admin('GET', STATUS, { name: 'd', id: stuck.id })).state, 'cancelled');
  assert.deepEqual(await running(bench), [
    ['d', []],
    ['other', []],
  ]);
});

test('a replay that a fault of the node ends is shown as failed, with why, and is not begun again by a restart', async () => {
  const fake = new FakeDestination();
  const bench = await withOneRecord(fake);
  fake.script = () => {
    throw new Error('odd');
  };
  const broken = await bench.admin('POST', REPLAY, { name: 'd' }, { from: '0' });
  const next = await bench.admin('POST', REPLAY, { name: 'd' }, { from: '0', toDelivery: 'other' });
  assert.equal((await done(bench, next)).recordsDelivered, 1);
  const shown = async (): Promise<unknown> => {
    const { state, failure, doneAt } = await bench.admin('GET', STATUS, { name: 'd', id: broken.id });
    return [state, failure, typeof doneAt];
  };
  assert.deepEqual(await shown(), ['failed', 'odd', 'string']);
  const attempts = fake.attempts.length;
  await bench.close();
  await bench.open();
  await bench.simulation.pass(60_000);
  assert.equal(fake.attempts.length, attempts);
  assert.deepEqual(await shown(), ['failed', 'odd', 'string']);
});

/** Of each delivery the replays that are shown with it, and how they fare. */
async function running(bench: Bench): Promise<readonly unknown[]> {
  const { deliveries } = await bench.admin('GET', '/admin/deliveries');
  return (deliveries as readonly Answer[]).map(({ name, replays = [] }) => [
    name,
    (replays as readonly Answer[]).map(({ id, state }) => [id, state]),
  ]);
}

test('a replay goes with its delivery, whatever its destination does: the next has its turn', async () => {
  const fake = new FakeDestination();
  const bench = await withOneRecord(fake);
  fake.script = () => {
    throw new DeliveryError('Fake.Down', 'down', true);
  };
  const stuck = await bench.admin('POST', REPLAY, { name: 'd' }, { from: '0' });
  await bench.simulation.pass(1000);
  const next = await bench.admin('POST', REPLAY, { name: 'd' }, { from: '0', toDelivery: 'other' });
  assert.ok(fake.attempts.length > 1);
  await bench.call('DeleteDeliveryStream', { DeliveryStreamName: 'd' });
  const attempts = fake.attempts.length;
  assert.equal((await done(bench, next)).recordsDelivered, 1);
  await bench.simulation.pass(60_000);
  assert.equal(fake.attempts.length, attempts);
  await assert.rejects(bench.admin('GET', STATUS, { name: 'd', id: stuck.id }), { code: 'NotFound' });
});
