import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, NodeBench, type Answer } from '../../testing/node-bench.ts';
import { Engine } from './engine.fixture.ts';

const CLUSTER = 'http://127.0.0.1:9201';

/** A stream, and a delivery of it to a cluster. */
function sections(
  ClusterEndpoint: string,
  from: { from?: string } = { from: 'events' },
): Readonly<Record<string, unknown>> {
  const hints = { SizeInMBs: 1, IntervalInSeconds: 1 };
  const AmazonopensearchserviceDestinationConfiguration = {
    ClusterEndpoint,
    IndexName: 'logs',
    BufferingHints: hints,
    S3Configuration: { BucketARN: 'failed' },
  };
  return { streams: { events: {} }, deliveries: { d: { ...from, AmazonopensearchserviceDestinationConfiguration } } };
}

async function put(bench: NodeBench, text: string): Promise<string> {
  const record = { StreamName: 'events', PartitionKey: 'k', Data: base64(text) };
  return ((await bench.call('Kinesis_20131202.PutRecord', record)) as { SequenceNumber: string }).SequenceNumber;
}

async function status(bench: NodeBench): Promise<Answer> {
  return await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
}

async function reload(bench: NodeBench, changed: Readonly<Record<string, unknown>>): Promise<void> {
  await bench.simulation.drive(bench.node.reload(changed));
}

test('records of a stream become documents, under the sequence numbers they were given', async () => {
  const engine = new Engine();
  const bench = await new NodeBench(1, { servers: engine.script }).open(sections(CLUSTER));
  const ids = [await put(bench, '{"n":1}'), await put(bench, '{"n":2}')];
  await bench.simulation.pass(5000);
  assert.deepEqual(
    [...engine.documents.keys()],
    ids.map((id) => `logs/${id}.0`),
  );
  const { state, recordsDelivered, lastObject } = await status(bench);
  assert.deepEqual([state, recordsDelivered, lastObject], ['active', 2, `${CLUSTER}/logs`]);
});

test('a crash repeats the same documents under the same ids', async () => {
  const engine = new Engine();
  const bench = await new NodeBench(1, { servers: engine.script }).open(sections(CLUSTER));
  // Taken, and not known to be: the answer never comes.
  engine.answer = (count) => (engine.requests.length === 1 ? { takesMs: 80_000, body: ok(count) } : undefined);
  const id = await put(bench, '{"n":1}');
  await bench.simulation.pass(5000);
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open(sections(CLUSTER));
  await bench.simulation.pass(5000);
  const [first, second] = engine.requests.map(({ body }) => String(body));
  assert.equal(engine.requests.length, 2);
  assert.equal(first, second);
  assert.deepEqual([...engine.documents.keys()], [`logs/${id}.0`]);
});

function ok(count: number): string {
  return JSON.stringify({ errors: false, items: Array.from({ length: count }, () => ({ index: { status: 201 } })) });
}

test('what is refused for good has a line; what is refused for now comes alone again', async () => {
  const engine = new Engine();
  const bench = await new NodeBench(1, { servers: engine.script }).open(sections(CLUSTER));
  let isBusy = true;
  engine.answer = (_, body) => {
    const items = String(body)
      .split('\n')
      .filter((_line, at) => at % 2 === 1)
      .map((line) => verdict(line, isBusy));
    isBusy = false;
    return { body: JSON.stringify({ errors: true, items }) };
  };
  const texts = ['{"n":1}', '{"bad":2}', 'not JSON', '{"busy":3}'];
  const ids: string[] = [];
  for (const text of texts) ids.push(await put(bench, text));
  await bench.simulation.pass(10_000);
  assert.equal(engine.requests.length, 2);
  assert.match(String(engine.requests[1]?.body), /^\{"index":\{"_index":"logs","_id":"\d+\.0"\}\}\n\{"busy":3\}\n$/);
  const [[key = '', object] = []] = await bench.objects('failed');
  assert.match(key, /^AmazonOpenSearchService-failed\/2026\/01\/01\/00\/d-1-/);
  const lines = String(object)
    .trim()
    .split('\n')
    .map((line): Answer => JSON.parse(line));
  const told = lines.map(
    ({ esDocumentId, esIndexName, esTypeName, errorCode, errorMessage, attemptsMade, rawData }) => {
      const text = Buffer.from(String(rawData), 'base64').toString();
      return [esDocumentId, esIndexName, esTypeName, errorCode, errorMessage, attemptsMade, text];
    },
  );
  const reason = '{"type":"mapper_parsing_exception","reason":"no"}';
  assert.deepEqual(told, [
    [`${ids[1]}.0`, 'logs', '', '400', reason, 1, '{"bad":2}'],
    [`${ids[2]}.0`, 'logs', '', 'OS.InvalidDocument', 'the record is not one JSON object', 1, 'not JSON'],
  ]);
  assert.equal((await status(bench)).state, 'active');
});

function verdict(document: string, isBusy: boolean): object {
  const error = { type: 'mapper_parsing_exception', reason: 'no' };
  if (document.includes('bad')) return { index: { status: 400, error } };
  return { index: document.includes('busy') && isBusy ? { status: 429, error } : { status: 201 } };
}

test('away for longer than the time for retries: all of it stands in the error output, and the next batch is tried', async () => {
  const engine = new Engine();
  const bench = await new NodeBench(1, { servers: engine.script }).open(sections(CLUSTER));
  engine.answer = () => ({ status: 401, body: 'who?' });
  await put(bench, '{"n":1}');
  await bench.simulation.pass(20_000);
  const { state, failure } = await status(bench);
  assert.equal(state, 'retrying');
  assert.match(failure, /answered 401: who\?/);
  await bench.simulation.pass(600_000);
  const [[, object] = []] = await bench.objects('failed');
  const line: Answer = JSON.parse(String(object));
  assert.deepEqual([line.errorCode, line.errorMessage], ['401', `${CLUSTER} answered 401: who?`]);
  engine.answer = () => undefined;
  const id = await put(bench, '{"n":2}');
  await bench.simulation.pass(5000);
  assert.deepEqual([...engine.documents.keys()], [`logs/${id}.0`]);
});

test('a line names the index that was asked, whatever the options say by then', async () => {
  const engine = new Engine();
  const bench = await new NodeBench(1, { servers: engine.script }).open(sections(CLUSTER));
  engine.answer = () => ({ status: 503 });
  await put(bench, '{"n":1}');
  await bench.simulation.pass(5000);
  const { deliveries, ...rest } = sections(CLUSTER) as { deliveries: { d: Record<string, object> } };
  const kind = 'AmazonopensearchserviceDestinationConfiguration';
  const d = { ...deliveries.d, [kind]: { ...deliveries.d[kind], IndexName: 'newest', IndexRotationPeriod: 'OneDay' } };
  await reload(bench, { ...rest, deliveries: { d } });
  await bench.simulation.pass(600_000);
  assert.match(String(engine.requests.at(-1)?.body), /"_index":"logs"/);
  const [[, object] = []] = await bench.objects('failed');
  const line: Answer = JSON.parse(String(object));
  assert.equal(line.esIndexName, 'logs');
});

async function assertNoCluster(bench: NodeBench): Promise<void> {
  const { state, failure } = await status(bench);
  assert.deepEqual([state, failure], ['paused: not built', 'no cluster is named (ClusterEndpoint: embedded)']);
}

test('a cluster that is part of millrace is not built: paused, nothing held, healthy; then from the oldest record on', async () => {
  const engine = new Engine();
  const bench = await new NodeBench(1, { servers: engine.script }).open(sections('embedded'));
  const first = await put(bench, '{"n":1}');
  await bench.simulation.pass(5000);
  await assertNoCluster(bench);
  assert.deepEqual(bench.node.health(), { ok: true, problems: [] });
  await reload(bench, sections(CLUSTER));
  await bench.simulation.pass(5000);
  assert.deepEqual([...engine.documents.keys()], [`logs/${first}.0`]);
  // And back: nothing is asked any more, also not after a restart, until there is a cluster again.
  await reload(bench, sections('embedded'));
  const second = await put(bench, '{"n":2}');
  await bench.simulation.pass(5000);
  await bench.close();
  await bench.open(sections('embedded'));
  await bench.simulation.pass(5000);
  await assertNoCluster(bench);
  assert.deepEqual(bench.node.health(), { ok: true, problems: [] });
  assert.equal(engine.requests.length, 1);
  await reload(bench, sections(CLUSTER));
  await bench.simulation.pass(5000);
  assert.deepEqual(
    [...engine.documents.keys()],
    [first, second].map((id) => `logs/${id}.0`),
  );
});

test('what is put directly to a delivery that waits is refused, and the API makes none', async () => {
  const engine = new Engine();
  const bench = await new NodeBench(1, { servers: engine.script }).open(sections('embedded', {}));
  const said = 'ServiceUnavailableException: d is paused: no cluster is named (ClusterEndpoint: embedded).';
  const direct = { DeliveryStreamName: 'd', Record: { Data: base64('{}') } };
  assert.equal(await bench.refusal('PutRecord', direct), said);
  await reload(bench, sections(CLUSTER, {}));
  await bench.call('PutRecord', direct);
  await bench.simulation.pass(5000);
  assert.equal(engine.documents.size, 1);
  await reload(bench, sections('embedded', {}));
  assert.equal(await bench.refusal('PutRecord', direct), said);
  const kind = 'AmazonopensearchserviceDestinationConfiguration';
  const { deliveries } = sections('embedded') as { deliveries: { d: Record<string, object> } };
  const S3Configuration = { BucketARN: 'arn:aws:s3:::failed' };
  assert.equal(
    await bench.refusal('CreateDeliveryStream', {
      DeliveryStreamName: 'other',
      [kind]: { ...deliveries.d[kind], S3Configuration },
    }),
    `InvalidArgumentException: ${kind}: no cluster is named (ClusterEndpoint: embedded).`,
  );
});
