import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpScript, SeenRequest } from '../../testing/scripted-http.ts';
import { base64, Bench, type Answer } from './harness.fixture.ts';

const NAME = { DeliveryStreamName: 'd' };

/** A destination whose key is `s3cret`. */
function toEndpoint(Url = 'https://a.example/in', more: object = {}): object {
  return {
    HttpEndpointDestinationConfiguration: {
      EndpointConfiguration: { Url, Name: 'Collector', AccessKey: 's3cret' },
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 5 },
      S3Configuration: { BucketARN: 'arn:aws:s3:::failed' },
      ...more,
    },
  };
}

function servedBy(servers: HttpScript): Bench {
  return new Bench(1, { servers });
}

function bodyOf({ body }: SeenRequest): Answer {
  return JSON.parse(body.toString());
}

const accepted: HttpScript = (request) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ requestId: bodyOf(request).requestId, timestamp: 1 }),
});

test('records put to a delivery to an endpoint arrive there, after failures under the same id', async () => {
  const seen: SeenRequest[] = [];
  const bench = servedBy((request) => {
    seen.push(request);
    return seen.length < 3 ? { status: 503 } : accepted(request);
  });
  await bench.open();
  await bench.call('CreateDeliveryStream', { ...NAME, ...toEndpoint() });
  for (const text of ['one', 'two']) await bench.call('PutRecord', { ...NAME, Record: { Data: base64(text) } });
  await bench.simulation.pass(30_000);
  assert.equal(seen.length, 3);
  const [first, ...repeats] = seen;
  for (const repeat of repeats) assert.deepEqual(repeat, first, 'the same bytes');
  const { requestId, records } = bodyOf(first as SeenRequest);
  assert.equal(first?.headers['x-amz-firehose-request-id'], requestId);
  assert.deepEqual(records, [{ data: base64('one') }, { data: base64('two') }]);
  const told = JSON.stringify([bench.simulation.logged, [...bench.simulation.metrics], bench.node.health()]);
  assert.ok(!told.includes('s3cret'));
  await bench.close();
});

test('DescribeDeliveryStream of an endpoint never shows the key', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', { ...NAME, ...toEndpoint() });
  const { DeliveryStreamDescription } = await bench.call('DescribeDeliveryStream', NAME);
  assert.deepEqual(DeliveryStreamDescription.Destinations, [
    {
      DestinationId: 'destinationId-000000000001',
      HttpEndpointDestinationDescription: {
        EndpointConfiguration: { Url: 'https://a.example/in', Name: 'Collector' },
        BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 5 },
        CloudWatchLoggingOptions: { Enabled: false },
        RequestConfiguration: { ContentEncoding: 'NONE', CommonAttributes: [] },
        RetryOptions: { DurationInSeconds: 300 },
        S3BackupMode: 'FailedDataOnly',
        S3DestinationDescription: {
          BucketARN: 'arn:aws:s3:::failed',
          BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300 },
          CompressionFormat: 'UNCOMPRESSED',
          EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
          CloudWatchLoggingOptions: { Enabled: false },
        },
      },
    },
  ]);
  assert.ok(!JSON.stringify(await bench.admin('GET', '/admin/deliveries')).includes('s3cret'));
  await bench.close();
});

test('a file that names an address which is not asked is refused', async () => {
  const open = new Bench().open({ deliveries: { d: toEndpoint('http://192.168.0.1/') } });
  const name = 'deliveries.d.HttpEndpointDestinationConfiguration';
  await assert.rejects(open, {
    code: 'InvalidConfig',
    message: `${name}: 192.168.0.1 is private; outgoing.allow can list it`,
  });
});

/** Lines of the objects below `failed`. */
async function failed(bench: Bench): Promise<readonly Answer[]> {
  const objects = [...(await bench.objects('failed'))];
  for (const [key] of objects) assert.match(key, /^http-endpoint-failed\/\d{4}\/\d\d\/\d\d\/\d\d\/d-1-/);
  return objects.flatMap(([, content]) =>
    content
      .toString()
      .trimEnd()
      .split('\n')
      .map((line): Answer => JSON.parse(line)),
  );
}

function textsOf(request: SeenRequest): string[] {
  return (bodyOf(request).records as readonly { readonly data: string }[]).map(({ data }) =>
    Buffer.from(data, 'base64').toString(),
  );
}

async function put(bench: Bench, ...texts: readonly string[]): Promise<void> {
  const Records = texts.map((text) => ({ Data: base64(text) }));
  await bench.call('PutRecordBatch', { ...NAME, Records });
}

test('what was not taken within its time stands in the error output, with what the endpoint said last', async () => {
  let count = 0;
  const bench = servedBy(() => ({
    status: 500,
    body: JSON.stringify({ errorMessage: `no "room" ${(count += 1)}` }),
  }));
  await bench.open();
  await bench.call('CreateDeliveryStream', {
    ...NAME,
    ...toEndpoint(undefined, { RetryOptions: { DurationInSeconds: 5 } }),
  });
  await put(bench, 'one', 'two');
  await bench.simulation.pass(60_000);
  const lines = await failed(bench);
  assert.deepEqual(
    lines.map(({ rawData }) => Buffer.from(rawData, 'base64').toString()),
    ['one', 'two'],
  );
  const { arrivalTimestamp, attemptEndingTimestamp, dataId, ...rest } = lines[0];
  assert.deepEqual(rest, {
    attemptsMade: count,
    errorCode: 'HttpEndpoint.DestinationException',
    errorMessage:
      'Received the following response from the endpoint destination. 500 ' +
      JSON.stringify({ errorMessage: `no "room" ${count}` }),
    rawData: base64('one'),
    subsequenceNumber: 0,
  });
  assert.ok(count >= 3 && count <= 5, `${count} attempts within five seconds`);
  assert.match(dataId, /^\d{56}\.0$/);
  assert.ok(attemptEndingTimestamp - arrivalTimestamp >= 5000);
  await bench.close();
});

test('one record that is too large has a line, the others arrive once; with `aws` all of them have lines', async () => {
  for (const on413 of [undefined, 'aws'] as const) {
    const arrived: string[] = [];
    const bench = servedBy((request) => {
      const texts = textsOf(request);
      if (texts.includes('poison')) return { status: 413 };
      arrived.push(...texts);
      return accepted(request);
    });
    await bench.open({ deliveries: { d: { ...toEndpoint(), ...(on413 !== undefined && { on413 }) } } });
    await put(bench, 'one', 'two', 'poison', 'three', 'four');
    await bench.simulation.pass(30_000);
    const lines = (await failed(bench)).map(({ rawData }) => Buffer.from(rawData, 'base64').toString());
    const all = ['one', 'two', 'poison', 'three', 'four'];
    const others = all.filter((text) => text !== 'poison');
    assert.deepEqual([arrived, lines], on413 === undefined ? [others, ['poison']] : [[], all]);
    await bench.close();
  }
});

test('a refusal in several requests: nothing is lost, and what arrived is not sent again', async () => {
  const arrived: string[] = [];
  let isUp = false;
  const bench = servedBy((request) => {
    const texts = textsOf(request);
    if (!isUp && texts.includes('0')) return { status: 503 };
    if (texts.length > 2) return { status: 413 };
    arrived.push(...texts);
    return accepted(request);
  });
  await bench.open();
  await bench.call('CreateDeliveryStream', { ...NAME, ...toEndpoint() });
  isUp = true;
  const texts = Array.from({ length: 9 }, (_, index) => `${index + 1}`);
  await put(bench, ...texts);
  await bench.simulation.pass(30_000);
  assert.deepEqual(arrived, texts);
  isUp = false;
  await put(bench, '0', ...texts);
  await bench.simulation.pass(6000);
  isUp = true;
  await bench.simulation.pass(60_000);
  assert.deepEqual(arrived.slice(9).toSorted(), ['0', ...texts].toSorted());
  assert.deepEqual(await failed(bench), []);
  await bench.close();
});

test('requests that failed are repeated each as it was: two that stand side by side are not joined', async () => {
  const seen: SeenRequest[] = [];
  let isUp = false;
  const bench = servedBy((request) => {
    seen.push(request);
    const texts = textsOf(request);
    if (isUp) return accepted(request);
    if (texts.length > 2) return { status: 413 };
    return texts.includes('4') || texts.includes('5') ? { status: 503 } : accepted(request);
  });
  await bench.open();
  await bench.call('CreateDeliveryStream', { ...NAME, ...toEndpoint() });
  await put(bench, ...Array.from({ length: 8 }, (_, index) => `${index + 1}`));
  await bench.simulation.pass(5500);
  const failed = seen.filter((request) => ['3,4', '5,6'].includes(textsOf(request).join()));
  assert.equal(failed.length, 2);
  isUp = true;
  const before = seen.length;
  await bench.simulation.pass(30_000);
  assert.deepEqual(seen.slice(before), failed, 'the same ids and bodies');
  await bench.close();
});

test('where a record went is the request that carried it', async () => {
  const carried = new Map<string, string>();
  const bench = servedBy((request) => {
    const texts = textsOf(request);
    if (texts.length > 2 || (carried.size === 2 && texts.includes('3'))) return { status: 413 };
    for (const text of texts) carried.set(text, request.headers['x-amz-firehose-request-id'] ?? '');
    return accepted(request);
  });
  await bench.open();
  await bench.call('CreateDeliveryStream', { ...NAME, ...toEndpoint() });
  const ids: string[] = [];
  for (const text of ['1', '2', '3', '4', '5', '6', '7']) {
    ids.push((await bench.call('PutRecord', { ...NAME, Record: { Data: base64(text) } })).RecordId as string);
  }
  await bench.simulation.pass(30_000);
  const told: Answer[] = [];
  for (const id of ids) told.push(await bench.admin('GET', '/admin/deliveries/{name}/records/{id}', { name: 'd', id }));
  assert.equal(new Set(carried.values()).size > 2, true);
  assert.deepEqual(
    told.map(({ state, place }) => [state, state === 'failed' ? undefined : place]),
    ['1', '2', '3', '4', '5', '6', '7'].map((text) =>
      carried.has(text) ? ['delivered', carried.get(text)] : ['failed', undefined],
    ),
  );
  await bench.close();
});

test('waits double, are spread by 15 %, and none is longer than two minutes', async () => {
  const at: number[] = [];
  const bench: Bench = servedBy(() => {
    at.push(bench.simulation.environment.clock.now());
    return { status: 503 };
  });
  await bench.open();
  await bench.call('CreateDeliveryStream', {
    ...NAME,
    ...toEndpoint(undefined, { RetryOptions: { DurationInSeconds: 7200 } }),
  });
  await put(bench, 'one');
  await bench.simulation.pass(7_000_000);
  // Between answers, which take a millisecond.
  const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0) - 1);
  assert.ok(waits.length > 60, `${waits.length} waits`);
  for (const [index, wait] of waits.entries()) {
    const full = Math.min(120_000, 1000 * 2 ** index);
    assert.ok(wait >= full * 0.85 - 1 && wait <= Math.min(120_000, full * 1.15) + 1, `wait ${index + 1}: ${wait} ms`);
  }
  const late = waits.slice(7);
  assert.ok(new Set(late).size > late.length / 2, 'those that failed together do not come back together');
  await bench.close();
});

test('later attempts go by the new address and key, and a crash keeps id and bytes', async () => {
  const seen: SeenRequest[] = [];
  const bench = servedBy((request) => {
    seen.push(request);
    return request.headers['x-amz-firehose-access-key'] === 'n3w' ? accepted(request) : { status: 401 };
  });
  await bench.open();
  await bench.call('CreateDeliveryStream', { ...NAME, ...toEndpoint() });
  await put(bench, 'one');
  await bench.simulation.pass(8000);
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open();
  await bench.simulation.pass(8000);
  const before = seen.length;
  await bench.call('UpdateDestination', {
    ...NAME,
    CurrentDeliveryStreamVersionId: '1',
    DestinationId: 'destinationId-000000000001',
    HttpEndpointDestinationUpdate: { EndpointConfiguration: { Url: 'https://b.example/', AccessKey: 'n3w' } },
  });
  await bench.simulation.pass(120_000);
  const last = seen.at(-1);
  assert.ok(before > 2);
  assert.deepEqual(new Set(seen.map(({ body }) => body.toString())).size, 1);
  assert.equal(last?.url, 'https://b.example/');
  assert.equal(seen.filter(({ headers }) => headers['x-amz-firehose-access-key'] === 'n3w').length, 1);
  await bench.close();
});

test('the stored key goes to no other server: an update that leads there says its own', async () => {
  const seen: SeenRequest[] = [];
  const bench = servedBy((request) => {
    seen.push(request);
    return accepted(request);
  });
  await bench.open();
  await bench.call('CreateDeliveryStream', { ...NAME, ...toEndpoint() });
  const change = (CurrentDeliveryStreamVersionId: string, EndpointConfiguration: object): object => ({
    ...NAME,
    CurrentDeliveryStreamVersionId,
    DestinationId: 'destinationId-000000000001',
    HttpEndpointDestinationUpdate: { EndpointConfiguration },
  });
  assert.equal(
    await bench.refusal('UpdateDestination', change('1', { Url: 'https://b.example/in' })),
    'InvalidArgumentException: EndpointConfiguration.AccessKey: the one that is stored does not go to another server; ' +
      'give the new one, or an empty one',
  );
  await bench.call('UpdateDestination', change('1', { Url: 'https://a.example/other' }));
  await put(bench, 'one');
  await bench.simulation.pass(8000);
  await bench.call('UpdateDestination', change('2', { Url: 'https://b.example/in', AccessKey: '' }));
  await put(bench, 'two');
  await bench.simulation.pass(8000);
  const told = seen.map(({ url, headers }) => [url, headers['x-amz-firehose-access-key']]);
  assert.deepEqual(told, [
    ['https://a.example/other', 's3cret'],
    ['https://b.example/in', undefined],
  ]);
  await bench.close();
});

test('the node’s own address in a URL is the file’s to say', async () => {
  const bench = await new Bench().open({ deliveries: { f: toEndpoint('${gateway}/in') } });
  const said = "InvalidArgumentException: ${api} in a URL is the config file's; say the address";
  for (const url of ['https://${api}/', 'https://a.example/${api}']) {
    assert.equal(await bench.refusal('CreateDeliveryStream', { ...NAME, ...toEndpoint(url) }), said);
  }
  const change = (EndpointConfiguration: object): object => ({
    DeliveryStreamName: 'f',
    CurrentDeliveryStreamVersionId: '1',
    DestinationId: 'destinationId-000000000001',
    HttpEndpointDestinationUpdate: { EndpointConfiguration, RetryOptions: { DurationInSeconds: 1 } },
  });
  const moved = change({ Url: 'https://a.example/${api}', AccessKey: 'k' });
  assert.equal(await bench.refusal('UpdateDestination', moved), said);
  const { EndpointConfiguration: _, ...rest } = (change({}) as Answer).HttpEndpointDestinationUpdate;
  await bench.call('UpdateDestination', { ...change({}), HttpEndpointDestinationUpdate: rest });
  await bench.close();
  const file = new Bench().open({ deliveries: { d: toEndpoint('https://${api}/') } });
  await assert.rejects(file, { code: 'InvalidConfig', message: /Url: names no host: \$\{api\} and \$\{gateway\} are/ });
});
