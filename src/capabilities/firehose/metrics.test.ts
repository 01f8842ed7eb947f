import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { HttpScript } from '../../testing/scripted-http.ts';
import { base64, Bench, FakeFunctions, toBucket, type Answer } from './harness.fixture.ts';

/** AWS's metrics of the delivery `d`, by the names behind `aws_firehose_`. */
function measured(bench: Bench, ...names: readonly string[]): readonly (number | undefined)[] {
  return names.map((name) => bench.simulation.metrics.get(`aws_firehose_${name}{"delivery":"d"}`));
}

async function put(bench: Bench, ...texts: readonly string[]): Promise<void> {
  const Records = texts.map((text) => ({ Data: base64(text) }));
  await bench.call('PutRecordBatch', { DeliveryStreamName: 'd', Records });
}

const endpoint = {
  HttpEndpointDestinationConfiguration: {
    EndpointConfiguration: { Url: 'https://a.example/in' },
    BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 5 },
    RetryOptions: { DurationInSeconds: 7200 },
    S3Configuration: { BucketARN: 'failed' },
  },
};

/** An endpoint that is down until it is told otherwise. */
function endpointBench(): { readonly bench: Bench; readonly so: { isUp: boolean } } {
  const so = { isUp: false };
  const servers: HttpScript = ({ body }) => {
    if (!so.isUp) return { status: 503 };
    const { requestId } = JSON.parse(body.toString()) as { requestId: string };
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ requestId, timestamp: 1 }) };
  };
  return { bench: new Bench(1, { servers }), so };
}

test('calls that put records are measured each under its own names, with how long they took', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket() } });
  await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64('four') } });
  await put(bench, 'a', 'bc', 'def');
  await put(bench, 'g');
  const single = ['requests_total', 'bytes_total'].map((name) => `put_record_${name}`);
  assert.deepEqual(measured(bench, ...single), [1, 4]);
  const several = ['requests_total', 'records_total', 'bytes_total'].map((name) => `put_record_batch_${name}`);
  assert.deepEqual(measured(bench, ...several), [2, 4, 7]);
  const incoming = ['put_requests_total', 'records_total', 'bytes_total'].map((name) => `incoming_${name}`);
  assert.deepEqual(measured(bench, ...incoming), [3, 5, 11]);
  const [one = 0, batches = 0] = measured(bench, 'put_record_latency_ms', 'put_record_batch_latency_ms');
  assert.ok(one > 0 && batches > 0, `${one} and ${batches} ms`);
  await bench.simulation.pass(10_000);
  const s3 = ['attempts', 'success', 'object_count', 'records', 'bytes'].map((name) => `delivery_to_s3_${name}_total`);
  assert.deepEqual(measured(bench, ...s3), [1, 1, 1, 5, 11]);
  await bench.close();
});

test('while a destination is down its attempts count, and what waits grows older all the time', async () => {
  const { bench, so } = endpointBench();
  await bench.open({ deliveries: { d: endpoint } });
  const names = ['attempts_total', 'success_total', 'records_total', 'data_freshness_ms'];
  const shown = (): readonly (number | undefined)[] =>
    measured(bench, ...names.map((name) => `delivery_to_http_endpoint_${name}`));
  await put(bench, 'a', 'b');
  await bench.simulation.pass(60_000);
  const [attempts = 0, success, , age = 0] = shown();
  assert.ok(attempts >= 4 && success === undefined, `${attempts} attempts, ${success}`);
  assert.ok(age > 50_000 && age <= 60_000, `${age} ms`);
  // Two attempts lie two minutes apart now.
  await bench.simulation.pass(600_000);
  for (let seconds = 0; seconds < 30; seconds += 6) {
    const [, , , before = 0] = shown();
    await bench.simulation.pass(6000);
    const [, , , after = 0] = shown();
    assert.ok(after > before, `${before} and ${after} ms`);
  }
  so.isUp = true;
  await bench.simulation.pass(150_000);
  assert.deepEqual(shown().slice(1), [1, 2, 0]);
  await bench.close();
});

test('the backup of all records is measured on its own, also while it fails', async () => {
  const d = {
    ExtendedS3DestinationConfiguration: {
      BucketARN: 'archive',
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 5 },
      S3BackupMode: 'Enabled',
      S3BackupConfiguration: { BucketARN: 'backup', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 5 } },
    },
  };
  const bench = await new Bench().open({ deliveries: { d } });
  const { files } = bench.simulation.environment;
  const rename = files.rename.bind(files);
  files.rename = async (from, to) => {
    if (to.includes('/backup/')) throw new EnvironmentError('EACCES', 'no way');
    await rename(from, to);
  };
  await put(bench, 'one', 'two');
  await bench.simulation.pass(60_000);
  const names = ['success_total', 'records_total', 'bytes_total', 'data_freshness_ms'];
  const backup = names.map((name) => `backup_to_s3_${name}`);
  const [success, , , age = 0] = measured(bench, ...backup);
  const [attempts = 0] = measured(bench, 'backup_to_s3_attempts_total');
  assert.ok(attempts > 3 && success === undefined && age > 50_000, `${attempts} attempts, ${success}, ${age} ms`);
  const main = names.map((name) => `delivery_to_s3_${name}`);
  assert.deepEqual(measured(bench, ...main), [1, 2, 6, 0]);
  files.rename = rename;
  await bench.simulation.pass(120_000);
  assert.deepEqual(measured(bench, ...backup), [1, 2, 6, 0]);
  assert.deepEqual(measured(bench, ...main), [1, 2, 6, 0], 'the delivery itself is not counted again');
  await bench.close();
});

test('what a delivery reads of a stream is counted once, and how far behind it is, is told while it waits', async () => {
  const { bench, so } = endpointBench();
  await bench.open({ streams: { events: { ShardCount: 1 } }, deliveries: { d: { from: 'events', ...endpoint } } });
  const send = async (text: string): Promise<void> => {
    const record = { StreamName: 'events', PartitionKey: 'k', Data: base64(text) };
    await bench.call('Kinesis_20131202.PutRecord', record);
  };
  await send('one');
  await bench.simulation.pass(30_000);
  const read = ['records', 'bytes'].map((name) => `data_read_from_kinesis_stream_${name}_total`);
  assert.deepEqual(measured(bench, ...read), [1, 3], 'however often it was attempted');
  assert.deepEqual(measured(bench, 'kinesis_behind_latest_ms'), [0]);
  await send('later');
  await bench.simulation.pass(60_000);
  const [behind = 0] = measured(bench, 'kinesis_behind_latest_ms');
  assert.ok(behind > 50_000 && behind <= 60_000, `${behind} ms`);
  so.isUp = true;
  await bench.simulation.pass(200_000);
  assert.deepEqual(measured(bench, ...read, 'kinesis_behind_latest_ms'), [2, 8, 0]);
  await bench.close();
});

test('what waits for the function that processes it grows older, put directly or read of a stream', async () => {
  const so = { isUp: false };
  const functions = new FakeFunctions({
    f: ({ records }) => {
      if (!so.isUp) throw new Error('down');
      return { records: (records as readonly Answer[]).map((record) => ({ ...record, result: 'Ok' })) };
    },
  });
  const Parameters = Object.entries({ LambdaArn: 'f', NumberOfRetries: '300', BufferIntervalInSeconds: '1' });
  const processing = {
    ProcessingConfiguration: {
      Enabled: true,
      Processors: [
        {
          Type: 'Lambda',
          Parameters: Parameters.map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue })),
        },
      ],
    },
  };
  const target = { ...toBucket().ExtendedS3DestinationConfiguration, ...processing };
  for (const from of [undefined, 'events']) {
    so.isUp = false;
    const bench = await new Bench().open(
      {
        ...(from !== undefined && { streams: { [from]: { ShardCount: 1 } } }),
        deliveries: { d: { ...(from !== undefined && { from }), ExtendedS3DestinationConfiguration: target } },
      },
      functions,
    );
    if (from === undefined) await put(bench, 'a');
    else await bench.call('Kinesis_20131202.PutRecord', { StreamName: from, PartitionKey: 'k', Data: base64('a') });
    await bench.simulation.pass(60_000);
    const [age = 0] = measured(bench, 'delivery_to_s3_data_freshness_ms');
    assert.ok(age > 50_000 && age <= 60_000, `${age} ms, of ${from}`);
    so.isUp = true;
    await bench.simulation.pass(300_000);
    assert.deepEqual(measured(bench, 'delivery_to_s3_data_freshness_ms', 'delivery_to_s3_records_total'), [0, 1]);
    await bench.close();
  }
});

test('nobody is behind a stream that was deleted, and nothing waits for a backup or a destination that is none any more', async () => {
  const { bench, so } = endpointBench();
  const all = { ...endpoint.HttpEndpointDestinationConfiguration, S3BackupMode: 'AllData' };
  const sections = (target: object): object => ({
    streams: { events: { ShardCount: 1 } },
    deliveries: { d: { from: 'events', HttpEndpointDestinationConfiguration: target } },
  });
  await bench.open(sections(all) as Record<string, unknown>);
  const { files } = bench.simulation.environment;
  files.rename = async () => {
    throw new EnvironmentError('EACCES', 'no way');
  };
  for (const text of ['one', 'two']) {
    const record = { StreamName: 'events', PartitionKey: 'k', Data: base64(text) };
    await bench.call('Kinesis_20131202.PutRecord', record);
    await bench.simulation.pass(30_000);
  }
  const names = ['kinesis_behind_latest_ms', 'backup_to_s3_data_freshness_ms'];
  const [behind = 0, backup = 0] = measured(bench, ...names);
  assert.ok(behind > 20_000 && backup > 20_000, `${behind} and ${backup} ms`);
  await bench.simulation.drive(bench.node.reload(sections({ ...all, S3BackupMode: 'FailedDataOnly' }) as never));
  await bench.call('Kinesis_20131202.DeleteStream', { StreamName: 'events' });
  so.isUp = true;
  await bench.simulation.pass(300_000);
  assert.deepEqual(measured(bench, ...names), [0, 0]);
  await bench.close();
});
