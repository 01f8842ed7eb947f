import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { DeliveryError, EnvironmentError } from '../../../kernel/errors.ts';
import { base64, Bench, toBucket, type Answer } from '../harness.fixture.ts';

const MIB = 1024 * 1024;

async function put(bench: Bench, name: string, data: string | Buffer): Promise<void> {
  const Data = typeof data === 'string' ? base64(data) : data.toString('base64');
  await bench.call('PutRecord', { DeliveryStreamName: name, Record: { Data } });
}

async function status(bench: Bench, name = 'd'): Promise<Answer> {
  return await bench.admin('GET', '/admin/deliveries/{name}', { name });
}

test('an object leaves when its interval has passed since its oldest record, not before', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket('archive', 60) } });
  await put(bench, 'd', 'a');
  await bench.simulation.pass(40_000);
  await put(bench, 'd', 'b');
  await bench.simulation.pass(18_000);
  assert.equal((await status(bench)).objectsDelivered, 0);
  await bench.simulation.pass(4000);
  assert.deepEqual([...(await bench.objects('archive')).values()].map(String), ['ab']);
});

test('an object leaves when the next record would not fit, and none is larger than its size', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket('archive', 900) } });
  for (let index = 0; index < 5; index += 1) await put(bench, 'd', Buffer.alloc(400_000, index));
  await bench.simulation.pass(5000);
  const sizes = [...(await bench.objects('archive')).values()].map(({ length }) => length);
  assert.deepEqual(sizes, [800_000, 800_000]);
  assert.ok(sizes.every((size) => size <= MIB));
  assert.equal((await status(bench)).recordsWaiting, 1);
});

test('a stream of many shards is waited for without a warning of the platform', async () => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', note);
  try {
    const deliveries = { d: { from: 'wide', ...toBucket() } };
    const bench = await new Bench().open({ streams: { wide: { ShardCount: 20 } }, deliveries });
    await bench.simulation.pass(5000);
    assert.deepEqual(warnings, []);
  } finally {
    process.off('warning', note);
  }
});

test('the interval counts on over a power cut', async () => {
  const sections = { deliveries: { d: toBucket('archive', 60) } };
  const bench = await new Bench().open(sections);
  await put(bench, 'd', 'a');
  await bench.simulation.pass(50_000);
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(sections);
  await bench.simulation.pass(15_000);
  assert.equal((await status(bench)).objectsDelivered, 1);
});

test('GZIP makes one member that holds the records', async () => {
  const { ExtendedS3DestinationConfiguration: plain } = toBucket();
  const sections = {
    deliveries: { d: { ExtendedS3DestinationConfiguration: { ...plain, CompressionFormat: 'GZIP' } } },
  };
  const bench = await new Bench().open(sections);
  await put(bench, 'd', 'x'.repeat(1000));
  await bench.simulation.pass(10_000);
  const [[key, content] = []] = await bench.objects('archive');
  assert.match(key ?? '', /\.gz$/);
  assert.equal(gunzipSync(content ?? Buffer.alloc(0)).toString(), 'x'.repeat(1000));
});

test('a disk that is full delays an object and loses nothing', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket('archive', 1) } });
  await put(bench, 'd', 'a');
  bench.simulation.failNext('write', ...Array.from({ length: 6 }, () => 'ENOSPC' as const));
  await bench.simulation.pass(120_000);
  assert.deepEqual([...(await bench.objects('archive')).values()].map(String), ['a']);
  const failed = bench.simulation.logged.filter(({ event }) => event === 'delivery.failed');
  assert.ok(failed.length > 0, 'the failures are logged');
  assert.deepEqual(bench.node.health().problems, []);
});

test('records that retention removed first are counted, said and shown', async () => {
  const day = 24 * 3_600_000;
  const sections = { streams: { events: {} }, deliveries: { d: { from: 'events', ...toBucket('archive', 1) } } };
  const bench = await new Bench().open(sections);
  await bench.close();
  await bench.open({ streams: { events: {} } });
  await bench.admin('GET', '/admin/deliveries');
  // Stop the delivery's clock by taking the node down: what is put meanwhile comes by another node.
  await bench.close();
  await bench.open(sections);
  const record = { StreamName: 'events', PartitionKey: 'k', Data: base64('kept;') };
  await bench.call('Kinesis_20131202.PutRecord', record);
  await bench.close();
  await bench.simulation.pass(day + 60_000);
  await bench.open(sections);
  await bench.simulation.pass(5000);
  const { problems } = bench.node.health();
  assert.deepEqual(problems, ['delivery d: records were gone before they were delivered']);
  assert.ok(
    bench.simulation.logged.some(
      ({ event, fields }) => event === 'delivery.retention-exceeded' && fields['records'] === 1,
    ),
  );
});

test('a stream that is deleted under its delivery is said, and a new one of the name is delivered from its start', async () => {
  const sections = { streams: { events: {} }, deliveries: { d: { from: 'events', ...toBucket('archive', 1) } } };
  const bench = await new Bench().open(sections);
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'events' });
  await bench.simulation.pass(3000);
  assert.deepEqual(bench.node.health().problems, ['delivery d: no stream events']);
  await bench.call('Kinesis_20131202.CreateStream', { StreamName: 'events', ShardCount: 2 });
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'events', PartitionKey: 'k', Data: base64('new;') });
  await bench.simulation.pass(5000);
  assert.deepEqual([...(await bench.objects('archive')).values()].map(String), ['new;']);
});

test('a name that left the file goes on, unmanaged', async () => {
  const sections = { deliveries: { d: toBucket('archive', 1) } };
  const bench = await new Bench().open(sections);
  await bench.simulation.drive(bench.node.reload({}));
  assert.equal((await status(bench)).managed, 'unmanaged');
  await put(bench, 'd', 'a');
  await bench.simulation.pass(3000);
  assert.equal((await status(bench)).objectsDelivered, 1);
});

test('a bucket that somebody removed is made again, and nothing is lost', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket('archive', 1) } });
  await put(bench, 'd', 'a');
  await bench.simulation.pass(3000);
  await bench.simulation.drive(bench.simulation.environment.files.removeTree('/data/buckets'));
  await put(bench, 'd', 'b');
  await bench.simulation.pass(10_000);
  assert.deepEqual([...(await bench.objects('archive')).values()].map(String), ['b']);
  assert.deepEqual((await status(bench)).objectsDelivered, 2);
});

test('a batch that can never arrive as it was planned goes by the options that mend it', async () => {
  const sections = (prefix: string): Record<string, unknown> => {
    const { ExtendedS3DestinationConfiguration: to } = toBucket('archive', 1);
    return { deliveries: { d: { ExtendedS3DestinationConfiguration: { ...to, Prefix: prefix } } } };
  };
  // Longest that is taken; a word for what failed could follow it.
  const bench = await new Bench().open(sections('p'.repeat(231)));
  const { files } = bench.simulation.environment;
  const original = files.rename.bind(files);
  files.rename = async () => {
    throw new DeliveryError('S3.KeyTooLongError', 'a folder cannot hold the key', false);
  };
  await put(bench, 'd', 'a');
  await bench.simulation.pass(10_000);
  files.rename = original;
  assert.equal((await status(bench)).objectsDelivered, 0);
  await bench.simulation.drive(bench.node.reload(sections('fixed/')));
  files.rename = async () => {
    files.rename = original;
    throw new DeliveryError('S3.KeyTooLongError', 'a folder cannot hold the key', false);
  };
  await bench.simulation.pass(120_000);
  assert.match([...(await bench.objects('archive')).keys()].join(), /^fixed\//);
});

test('what went with its stream is no object but a line that says so', async () => {
  const sections = { streams: { events: {} }, deliveries: { d: { from: 'events', ...toBucket('archive', 1) } } };
  const bench = await new Bench().open(sections);
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'events', PartitionKey: 'k', Data: base64('gone;') });
  const { files } = bench.simulation.environment;
  const original = files.rename.bind(files);
  files.rename = async (_from, to) => {
    throw new EnvironmentError('EACCES', `no way to ${to}`);
  };
  await bench.simulation.pass(5000);
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'events' });
  files.rename = original;
  await bench.simulation.pass(60_000);
  const [[key, line] = assert.fail('no object'), ...others] = await bench.objects('archive');
  assert.match(key, /^retention-exceeded\/2026\//);
  const { errorCode, records } = JSON.parse(String(line));
  assert.deepEqual([errorCode, records, others], ['StreamDeleted', 1, []]);
  const { objectsDelivered, recordsDelivered } = await status(bench);
  assert.deepEqual([objectsDelivered, recordsDelivered], [0, 0]);
  const lost = bench.simulation.logged.filter(({ event }) => event === 'delivery.retention-exceeded');
  assert.deepEqual(
    lost.map(({ fields }) => [fields['records'], fields['error']]),
    [[1, 'StreamDeleted']],
  );
});

/** Records that wait are put, and some were delivered before, from a stream that is then deleted. */
async function deletedWithRecords(bench: Bench, seenMs: number): Promise<void> {
  const record = { StreamName: 'events', PartitionKey: 'k' };
  await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64('first;') });
  await bench.simulation.pass(61_000);
  for (const text of ['second;', 'third;']) {
    await bench.call('Kinesis_20131202.PutRecord', { ...record, Data: base64(text) });
  }
  await bench.simulation.pass(3000);
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'events' });
  await bench.simulation.pass(seenMs);
}

test('records that were waiting when their stream was deleted are told of, also after a restart', async () => {
  const sections = { streams: { events: {} }, deliveries: { d: { from: 'events', ...toBucket('archive', 60) } } };
  const table = [
    { seenMs: 5000, records: 2, lost: 2, to: /^\d{56}$/ },
    // Nobody saw how far the stream went: the line says so, and the count is of one.
    { seenMs: 0, records: null, lost: 1, to: /^null$/ },
  ];
  for (const { seenMs, records, lost, to } of table) {
    const bench = await new Bench().open(sections);
    await deletedWithRecords(bench, seenMs);
    bench.simulation.crash();
    bench.simulation.restart();
    await bench.open(sections);
    await bench.simulation.pass(5000);
    const [[, first] = [], [key, line] = assert.fail('no line'), ...others] = [
      ...(await bench.objects('archive')),
    ].toSorted(([one], [other]) => one.localeCompare(other));
    assert.deepEqual([String(first), others], ['first;', []]);
    assert.match(key, /^retention-exceeded\//);
    const told = JSON.parse(String(line));
    assert.deepEqual([told.errorCode, told.records], ['StreamDeleted', records]);
    assert.match(told.fromSequenceNumber, /^\d{56}$/);
    assert.match(String(told.toSequenceNumber), to);
    assert.equal((await status(bench)).recordsLost, lost);
    const counted = bench.simulation.logged.filter(({ event }) => event === 'delivery.retention-exceeded');
    assert.deepEqual(
      counted.map(({ fields }) => fields),
      [{ delivery: 'd', records: lost, error: 'StreamDeleted' }],
    );
    if (seenMs === 0)
      assert.deepEqual(bench.node.health().problems, ['delivery d: records were gone before they were delivered']);
    await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'events', PartitionKey: 'k', Data: base64('new;') });
    await bench.close();
    await bench.open(sections);
    await bench.simulation.pass(70_000);
    const contents = [...(await bench.objects('archive')).values()].map(String);
    assert.deepEqual([contents.length, contents.includes('new;')], [3, true], 'told once');
  }
});

test('a stream whose records were all delivered is deleted and made again without a word', async () => {
  const sections = { streams: { events: {} }, deliveries: { d: { from: 'events', ...toBucket('archive', 1) } } };
  const bench = await new Bench().open(sections);
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'events', PartitionKey: 'k', Data: base64('old;') });
  await bench.simulation.pass(5000);
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'events' });
  await bench.simulation.pass(3000);
  await bench.close();
  await bench.open(sections);
  await bench.call('Kinesis_20131202.PutRecord', { StreamName: 'events', PartitionKey: 'k', Data: base64('new;') });
  await bench.simulation.pass(5000);
  assert.deepEqual([...(await bench.objects('archive')).values()].map(String).sort(), ['new;', 'old;']);
  assert.deepEqual(bench.node.health().problems, []);
});
