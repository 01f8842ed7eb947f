import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createNodeCompute } from '../../environments/node/compute.ts';
import { DeliveryError, EnvironmentError, type EnvironmentCode } from '../../kernel/errors.ts';
import { checkConfig } from '../../kernel/schema/check-config.ts';
import type { Delivered, DeliverySettings, OutgoingRecord } from '../../ports/destination.ts';
import type { Compute, Environment } from '../../ports/environment.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { ScriptedHttp, type HttpScript, type ScriptedAnswer, type SeenRequest } from '../../testing/scripted-http.ts';
import { AT, BATCH_ID, batchOf, type FakeBatch } from './http-endpoint.fixture.ts';
import { httpEndpoint } from './index.ts';
import { httpEndpointOptions, type HttpEndpointOptions } from './options.ts';

const MIB = 1024 * 1024;
const NOW = AT + 60_000;
const PLACE = `${BATCH_ID}/${NOW}`;
const JSON_TYPE = { 'content-type': 'application/json' };

function options(more: Partial<HttpEndpointOptions> = {}): HttpEndpointOptions {
  return { EndpointConfiguration: { Url: 'https://a.example/in' }, S3Configuration: { BucketARN: 'failed' }, ...more };
}

function keyed(AccessKey: string): Partial<HttpEndpointOptions> {
  return { EndpointConfiguration: { Url: 'https://a.example/in', AccessKey } };
}

interface Body {
  readonly requestId: string;
  readonly timestamp: number;
  readonly records: readonly { readonly data: string }[];
}

function bodyOf({ headers, body }: SeenRequest): Body {
  return JSON.parse((headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()) as Body;
}

function dataOf(request: SeenRequest): string[] {
  return bodyOf(request).records.map(({ data }) => Buffer.from(data, 'base64').toString());
}

function accepted(request: SeenRequest): ScriptedAnswer {
  const answer = { requestId: request.headers['x-amz-firehose-request-id'], timestamp: 1_767_225_600 };
  return { headers: JSON_TYPE, body: JSON.stringify(answer) };
}

interface Endpoint {
  readonly seen: SeenRequest[];
  readonly deliver: (batch: FakeBatch, signal?: AbortSignal, place?: string) => Promise<Delivered>;
}

/** An endpoint that does by the script, seen by a destination with these options. */
function endpoint(
  script: HttpScript,
  given: Partial<HttpEndpointOptions> = {},
  on413: DeliverySettings['on413'] = 'bisect',
  compute: Compute = createNodeCompute(quietEnvironment().meter),
): Endpoint {
  const seen: SeenRequest[] = [];
  const { clock, random, log, meter } = quietEnvironment();
  const environment = { clock, random, log, meter, compute } as Environment;
  const http = new ScriptedHttp(clock, (request) => {
    seen.push(request);
    return script(request);
  });
  const doors = { blobs: {} as never, documents: {} as never, clusters: {} as never, http, settings: { on413 } };
  const open = httpEndpoint.open(options(given), doors, environment);
  const never = new AbortController().signal;
  return { seen, deliver: async (batch, signal = never, place = PLACE) => await open.deliver(batch, place, signal) };
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    return `${error.code} ${error.retryable ? 'retryable' : 'final'}: ${error.message}`;
  }
  throw new Error('it did not fail');
}

test('the length of a body is right whatever the clock showed when its batch was put together', async () => {
  const { seen, deliver } = endpoint(accepted);
  for (const at of [0, 59_000, 999_999_999_999, NOW])
    await deliver(batchOf(['one', 'two']), undefined, `${BATCH_ID}/${at}`);
  for (const { headers, body } of seen) assert.equal(headers['content-length'], String(body.length));
});

test('a request as AWS specifies it', async () => {
  const attributes = [
    { AttributeName: 'deployment', AttributeValue: 'prod €' },
    { AttributeName: 'Name', AttributeValue: '' },
  ];
  const { seen, deliver } = endpoint(accepted, {
    ...keyed('key {verbatim}'),
    RequestConfiguration: { CommonAttributes: attributes },
  });
  const batch = batchOf(['one', '', Buffer.from([0xff, 0]), 'four']);
  const delivered = await deliver(batch);
  const [request, ...others] = seen;
  assert.ok(request !== undefined && others.length === 0);
  assert.deepEqual(
    { ...request, body: request.body.toString() },
    {
      method: 'POST',
      url: 'https://a.example/in',
      headers: {
        'content-type': 'application/json',
        'content-length': String(request.body.length),
        'user-agent': 'Amazon Kinesis Data Firehose Agent/1.0',
        'x-amz-firehose-access-key': 'key {verbatim}',
        'x-amz-firehose-common-attributes': '{"commonAttributes":{"deployment":"prod \\u20ac","Name":""}}',
        'x-amz-firehose-protocol-version': '1.0',
        'x-amz-firehose-request-id': BATCH_ID,
        'x-amz-firehose-source-arn': 'arn:aws:firehose:us-east-1:000000000000:deliverystream/d',
      },
      body:
        `{"requestId":"${BATCH_ID}","timestamp":${NOW},"records":[` +
        '{"data":"b25l"},{"data":""},{"data":"/wA="},{"data":"Zm91cg=="}]}',
    },
  );
  assert.deepEqual(delivered, { place: BATCH_ID, sizeBytes: request.body.length, refused: [], status: 200 });
});

test('gzip says its length, and holds the same body', async () => {
  const plain = endpoint(accepted);
  const zipped = endpoint(accepted, { RequestConfiguration: { ContentEncoding: 'GZIP' } });
  const batch = batchOf(Array.from({ length: 1000 }, (_, index) => `${index} `.repeat(100)));
  await plain.deliver(batch);
  const { sizeBytes } = await zipped.deliver(batch);
  const [[one], [other]] = [plain.seen, zipped.seen];
  assert.ok(one !== undefined && other !== undefined);
  assert.ok(gunzipSync(other.body).equals(one.body));
  assert.equal(other.headers['content-encoding'], 'gzip');
  assert.equal(other.headers['content-length'], String(sizeBytes));
  assert.ok(sizeBytes < one.body.length / 2);
});

test('a compressed body that is larger than what is held is made twice, to the same bytes', async () => {
  const { seen, deliver } = endpoint(accepted, { RequestConfiguration: { ContentEncoding: 'GZIP' } });
  let state = 1;
  const noise = Array.from({ length: 6 }, () =>
    Buffer.from(
      Uint32Array.from({ length: MIB / 4 }, () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0)).buffer,
    ),
  );
  const batch = batchOf(noise, { groupMax: 1 });
  const { sizeBytes } = await deliver(batch);
  const [request] = seen;
  assert.ok(request !== undefined && sizeBytes > 5 * MIB);
  assert.equal(request.body.length, sizeBytes);
  assert.equal(request.headers['content-length'], String(sizeBytes));
  assert.ok(
    bodyOf(request).records.every(({ data }, index) => Buffer.from(data, 'base64').equals(noise[index] as Buffer)),
  );
  assert.equal(batch.passes, 3, 'planned, measured, sent');
});

test('a body that could not be encoded is tried again, and what was sent before it is not', async () => {
  const compute = createNodeCompute(quietEnvironment().meter);
  let bodies = 0;
  const ending: Compute = {
    ...compute,
    gzip: async function* (chunks) {
      bodies += 1;
      for await (const piece of compute.gzip(chunks)) {
        if (bodies === 2) throw new EnvironmentError('ENOTENCODED', 'the encoding thread ended');
        yield piece;
      }
    },
  };
  const gzip = { RequestConfiguration: { ContentEncoding: 'GZIP' } };
  const batch = batchOf(
    Array.from({ length: 10_002 }, () => 'x'),
    { groupMax: 1000 },
  );
  const { seen, deliver } = endpoint(accepted, gzip, 'bisect', ending);
  const { refused = [] } = await deliver(batch);
  assert.equal(seen.length, 1);
  assert.deepEqual(refused, [
    { index: 10_000, code: 'HttpEndpoint.EncodingFailed', message: 'the encoding thread ended', retryable: true },
    { index: 10_001, code: 'HttpEndpoint.EncodingFailed', message: 'the encoding thread ended', retryable: true },
  ]);
  bodies = 1;
  assert.equal(
    await failure(deliver(batchOf(['x']))),
    'HttpEndpoint.EncodingFailed retryable: the encoding thread ended',
  );
});

test('batches are cut into requests of 10,000 records and 64 MiB, each with an id of its own', async () => {
  const many = batchOf(
    Array.from({ length: 20_001 }, (_, index) => `${index}`),
    { groupMax: 999 },
  );
  const counted = endpoint(accepted);
  const delivered = await counted.deliver(many);
  assert.deepEqual(
    counted.seen.map((request) => dataOf(request).length),
    [10_000, 10_000, 1],
  );
  assert.deepEqual(counted.seen.flatMap(dataOf), many.data.map(String));
  assert.equal(many.passes, 2, 'planned, and sent in one go');
  const ids = counted.seen.map((request) => bodyOf(request).requestId);
  assert.equal(new Set([...ids, BATCH_ID]).size, 4);
  for (const id of ids) assert.match(id, /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assert.equal(delivered.place, ids[0]);
  const again = endpoint(accepted);
  await again.deliver(many);
  assert.deepEqual(again.seen, counted.seen, 'the same bytes at each attempt');

  const large = batchOf(
    Array.from({ length: 5 }, () => Buffer.alloc(12 * MIB, 'x')),
    { groupMax: 1 },
  );
  const measured = endpoint(accepted);
  await measured.deliver(large);
  assert.deepEqual(
    measured.seen.map((request) => bodyOf(request).records.length),
    [3, 2],
  );
  assert.ok(measured.seen.every(({ body }) => body.length <= 64 * MIB));
});

test('only the requests that failed are attempted again, with the ids they had', async () => {
  const data = Array.from({ length: 25_000 }, (_, index) => `${index}`);
  const first = endpoint((request) => (dataOf(request)[0] === '10000' ? { status: 500 } : accepted(request)));
  const { refused = [], status } = await first.deliver(batchOf(data, { groupMax: 1000 }));
  assert.equal(status, 500);
  assert.deepEqual([refused.length, refused[0]?.index, refused.at(-1)?.index], [10_000, 10_000, 19_999]);
  const message = 'Received the following response from the endpoint destination. 500';
  assert.deepEqual(refused[0], { index: 10_000, code: 'HttpEndpoint.DestinationException', message, retryable: true });
  const rest = batchOf(data.slice(10_000, 20_000), { groupMax: 700, recordCount: 25_000, firstNumber: 10_000 });
  const second = endpoint(accepted);
  await second.deliver(rest);
  assert.deepEqual(second.seen, [first.seen[1]]);
});

test('where nobody answers the later requests are not even begun; a silent one is only one of them', async () => {
  const data = Array.from({ length: 30_000 }, () => 'x');
  const refusing: readonly EnvironmentCode[] = ['ECONNREFUSED', 'ENOTFOUND', 'ENOTALLOWED', 'ETLS'];
  for (const fails of refusing) {
    const down = endpoint(() => ({ fails }));
    await failure(down.deliver(batchOf(data, { groupMax: 1000 })));
    assert.equal(down.seen.length, 1, fails);
  }
  let count = 0;
  const dies = endpoint((request) => ((count += 1) === 1 ? accepted(request) : { fails: 'ECONNREFUSED' }));
  const { refused = [] } = await dies.deliver(batchOf(data, { groupMax: 1000 }));
  assert.deepEqual([dies.seen.length, refused.length, refused[0]?.index], [2, 20_000, 10_000]);
  const silent = endpoint(() => ({ takesMs: 180_000 }));
  const { refused: late = [] } = await silent.deliver(batchOf(data, { groupMax: 1000 }));
  assert.deepEqual([silent.seen.length, late.length, late[0]?.code], [3, 30_000, 'HttpEndpoint.RequestTimeout']);
  assert.ok(late.every(({ mayHaveArrived }) => mayHaveArrived === true));
  assert.ok(refused.every(({ mayHaveArrived }) => mayHaveArrived === undefined));
});

test('what is no success, and how it is told', async () => {
  const ok = JSON.stringify({ requestId: BATCH_ID, timestamp: 1 });
  const said = 'Received the following response from the endpoint destination.';
  const exception = 'HttpEndpoint.DestinationException retryable';
  const invalid = 'HttpEndpoint.InvalidResponseFromDestination retryable: The response of the endpoint is invalid:';
  const page = { headers: { 'content-type': 'text/html' }, body: '<html>' };
  const table: readonly (readonly [answer: ScriptedAnswer, told: string])[] = [
    [{ fails: 'ECONNREFUSED' }, 'HttpEndpoint.ConnectionFailed retryable: a.example: ECONNREFUSED'],
    [{ fails: 'ENOTFOUND' }, 'HttpEndpoint.ConnectionFailed retryable: a.example: ENOTFOUND'],
    [{ fails: 'ENOTALLOWED' }, 'HttpEndpoint.ConnectionFailed retryable: a.example: ENOTALLOWED'],
    [{ fails: 'ECONNRESET' }, 'HttpEndpoint.ConnectionReset retryable: a.example: ECONNRESET'],
    [{ fails: 'ETLS' }, 'HttpEndpoint.SSLHandshakeFailure retryable: a.example: ETLS'],
    [{ fails: 'EOTHER' }, 'HttpEndpoint.InvalidResponseFromDestination retryable: a.example: EOTHER'],
    [{ takesMs: 180_000 }, 'HttpEndpoint.RequestTimeout retryable: no answer within 180000 ms'],
    [{ body: 'x'.repeat(MIB) }, 'HttpEndpoint.ResponseTooLarge retryable: an answer of more than 1048551 bytes'],
    [
      { status: 201, headers: JSON_TYPE, body: ok },
      `${exception}: ${said} 201 {"requestId":"${BATCH_ID}","timestamp":1}`,
    ],
    [{ status: 204 }, `${exception}: ${said} 204`],
    [{ status: 302, headers: { location: 'https://b.example/' } }, `${exception}: ${said} 302`],
    [{ status: 401, ...page }, `${exception}: ${said} 401`],
    [
      { status: 500, body: '{"errorMessage":"no \\"room\\""}' },
      `${exception}: ${said} 500 {"errorMessage":"no \\"room\\""}`,
    ],
    [{ status: 500, body: '{"errorMessage":5,"requestId":[]}' }, `${exception}: ${said} 500`],
    [{ status: 500, body: '[1]' }, `${exception}: ${said} 500`],
    [
      { status: 500, body: '{"errorMessage":"the key s3cret is wrong"}' },
      `${exception}: ${said} 500 {"errorMessage":"the key *** is wrong"}`,
    ],
    [{ status: 401, body: '{"requestId":"no s3cret"}' }, `${exception}: ${said} 401 {"requestId":"no ***"}`],
    [
      { headers: { 'content-type': 'application/json; charset=utf-8' }, body: ok },
      `${invalid} its Content-Type is application/json; charset=utf-8, not application/json`,
    ],
    [
      { headers: { 'content-type': 'text/s3cret' }, body: ok },
      `${invalid} its Content-Type is text/***, not application/json`,
    ],
    [{ status: 413 }, `HttpEndpoint.DestinationException final: ${said} 413`],
    [{ body: ok }, `${invalid} its Content-Type is missing, not application/json`],
    [{ ...page }, `${invalid} its Content-Type is text/html, not application/json`],
    [{ headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body: ok }, `${invalid} it has a Content-Encoding`],
    [{ headers: JSON_TYPE, body: '' }, `${invalid} its body has no requestId, or is no JSON object`],
    [{ headers: JSON_TYPE, body: 'null' }, `${invalid} its body has no requestId, or is no JSON object`],
    [{ headers: JSON_TYPE, body: `${ok}}` }, `${invalid} its body has no requestId, or is no JSON object`],
    [
      { headers: JSON_TYPE, body: Buffer.from([0x22, 0xff, 0x22]) },
      `${invalid} its body has no requestId, or is no JSON object`,
    ],
    [{ headers: JSON_TYPE, body: '{"requestId":"x","timestamp":1}' }, `${invalid} its requestId is another one`],
    [{ headers: JSON_TYPE, body: `{"requestId":"${BATCH_ID}"}` }, `${invalid} its timestamp is no number`],
    [
      { headers: JSON_TYPE, body: `{"requestId":"${BATCH_ID}","timestamp":"1"}` },
      `${invalid} its timestamp is no number`,
    ],
  ];
  for (const [answer, told] of table) {
    assert.equal(await failure(endpoint(() => answer, keyed('s3cret')).deliver(batchOf(['a']))), told);
  }
  const fine = ['application/json', 'Application/JSON'];
  for (const type of fine) {
    const { status } = await endpoint(() => ({ headers: { 'content-type': type }, body: ok })).deliver(batchOf(['a']));
    assert.equal(status, 200);
  }
  const long = endpoint(() => ({ status: 500, body: JSON.stringify({ errorMessage: 'e'.repeat(9000) }) }));
  assert.equal((await failure(long.deliver(batchOf(['a'])))).match(/e{100,}/)?.[0].length, 8192);
});

/** Finds these records too large. */
function poisoned(isPoison: (text: string) => boolean): HttpScript {
  return (request) =>
    dataOf(request).some(isPoison) ? { status: 413, body: '{"errorMessage":"too large"}' } : accepted(request);
}

test('413: one poisonous record is isolated with at most two requests for each halving', async () => {
  const count = 10_000;
  const data = Array.from({ length: count }, (_, index) => `${index}`);
  for (const poison of [0, 1, 4999, 5000, 9998, 9999]) {
    const { seen, deliver } = endpoint(poisoned((text) => text === String(poison)));
    const { refused, status } = await deliver(batchOf(data, { groupMax: 1000 }));
    const message = 'Received the following response from the endpoint destination. 413 {"errorMessage":"too large"}';
    assert.deepEqual(refused, [
      { index: poison, code: 'HttpEndpoint.DestinationException', message, retryable: false },
    ]);
    assert.equal(status, 413);
    assert.ok(seen.length - 1 <= 2 * Math.ceil(Math.log2(count)), `${seen.length} requests`);
    const taken = seen.filter((request) => poisoned((text) => text === String(poison))(request).status === undefined);
    assert.deepEqual(
      taken.flatMap(dataOf),
      data.filter((text) => text !== String(poison)),
      'in order, once each',
    );
    assert.equal(new Set(seen.map(({ headers }) => headers['x-amz-firehose-request-id'])).size, seen.length);
  }
});

test('413: half the batch poisonous, all of it, and what is only too much together', async () => {
  const data = Array.from({ length: 64 }, (_, index) => `${index}`);
  const half = endpoint(poisoned((text) => Number(text) % 2 === 1));
  const { refused = [] } = await half.deliver(batchOf(data));
  assert.deepEqual(
    refused.map(({ index }) => index),
    data.map(Number).filter((index) => index % 2 === 1),
  );
  const all = endpoint(poisoned(() => true));
  const nothing = await all.deliver(batchOf(data));
  assert.equal(nothing.refused?.length, 64);
  assert.ok(nothing.refused?.every(({ retryable }) => !retryable));
  const small = endpoint((request) => (request.body.length > 300 ? { status: 413 } : accepted(request)));
  assert.deepEqual((await small.deliver(batchOf(data))).refused, []);
  const taken = small.seen.filter(({ body }) => body.length <= 300);
  assert.deepEqual(taken.flatMap(dataOf), data);
});

test('one id never stands for two bodies: records that are given up leave the ends of a request as they were', async () => {
  const { seen, deliver } = endpoint(() => ({ status: 500 }));
  const all = batchOf(['0', '1', '2', '3']);
  const records: OutgoingRecord[] = [];
  for await (const some of all.records()) records.push(...some);
  const left = records.filter((_, index) => index !== 1).map((one, index) => ({ ...one, index }));
  const packed = left.map((one, subSequenceNumber) => ({ ...one, sequenceNumber: '1', subSequenceNumber }));
  const attempts: readonly (readonly [count: number, given: readonly OutgoingRecord[], isPart?: true])[] = [
    [5, records],
    [5, left],
    [1, packed],
    [1, packed.slice(0, 2), true],
  ];
  for (const [recordCount, given, isPart] of attempts) {
    const batch = { ...all, recordCount, ...(isPart && { isPart }) };
    batch.records = async function* () {
      yield given;
    };
    await failure(deliver(batch));
  }
  assert.deepEqual(
    seen.map((request) => dataOf(request).length),
    [4, 3, 3, 2],
  );
  assert.equal(new Set(seen.map(({ headers }) => headers['x-amz-firehose-request-id'])).size, 4);
  assert.equal(bodyOf(seen[2] ?? assert.fail()).requestId, BATCH_ID, 'all of the batch');
});

test('413 with `aws`: one request, and all of it has failed', async () => {
  const { seen, deliver } = endpoint(
    poisoned((text) => text === '3'),
    {},
    'aws',
  );
  const told = await failure(deliver(batchOf(['1', '2', '3'])));
  assert.match(told, /^HttpEndpoint\.DestinationException final: .* 413 /);
  assert.equal(seen.length, 1);
});

test('a half that fails otherwise is tried again, alone', async () => {
  const script: HttpScript = (request) => {
    const data = dataOf(request);
    if (data.length > 4) return { status: 413 };
    return data.includes('6') ? { status: 503 } : accepted(request);
  };
  const { deliver } = endpoint(script);
  const { refused = [] } = await deliver(batchOf(['0', '1', '2', '3', '4', '5', '6', '7']));
  assert.deepEqual(
    refused.map(({ index, retryable }) => [index, retryable]),
    [
      [4, true],
      [5, true],
      [6, true],
      [7, true],
    ],
  );
});

test('records that go between two passes are an attempt to be repeated, never a body of others', async () => {
  const batch = batchOf(['a', 'b', 'c', 'd', 'e']);
  const { seen, deliver } = endpoint(accepted);
  const records = batch.records.bind(batch);
  Object.assign(batch, {
    async *records() {
      yield* records();
      batch.data = batch.data.slice(1);
    },
  });
  assert.match(await failure(deliver(batch)), /^HttpEndpoint\.RecordsChanged retryable/);
  assert.equal(seen.length, 0);
});

test('what fails while records are read is not the endpoint’s', async () => {
  const batch = batchOf(['a', 'b']);
  const broken = new RangeError('from the log');
  Object.assign(batch, {
    async *records() {
      if (batch.passes++ > 0) throw broken;
      yield* batchOf(['a', 'b']).records();
    },
  });
  await assert.rejects(endpoint(accepted).deliver(batch), broken);
});

test('a stop ends the attempt', async () => {
  const stop = new AbortController();
  const stopping = endpoint((request) => {
    stop.abort();
    return accepted(request);
  });
  const told = await failure(stopping.deliver(batchOf(['a']), stop.signal));
  assert.equal(told, 'HttpEndpoint.Stopped retryable: the node stops');
});

test('place, buffering, failure path: AWS values and units', () => {
  const open = httpEndpoint.open(options(), { blobs: {} as never } as never, quietEnvironment());
  assert.equal(open.place(batchOf(['a'])), `${BATCH_ID}/1700000000000`);
  const hints = { SizeInMBs: 64, IntervalInSeconds: 0 };
  assert.deepEqual(httpEndpoint.buffering(options()), { bytesMax: 5 * MIB, intervalMs: 300_000 });
  assert.deepEqual(httpEndpoint.buffering(options({ BufferingHints: hints })), { bytesMax: 64 * MIB, intervalMs: 0 });
  const path = httpEndpoint.failures?.(options({ S3BackupMode: 'AllData', RetryOptions: { DurationInSeconds: 0 } }));
  assert.ok(path !== undefined);
  const line = path.line.bind(path);
  assert.deepEqual(JSON.parse(JSON.stringify(path)), {
    errorType: 'http-endpoint-failed',
    backup: { BucketARN: 'failed' },
    backupMode: 'all',
    retryMs: 0,
    backoff: { baseMs: 1000, maxMs: 120_000, spread: 0.15 },
  });
  const record = { data: Buffer.alloc(0), at: AT, partitionKey: 'k', sequenceNumber: '49', shardId: 's', index: 0 };
  assert.deepEqual(line(record), { subsequenceNumber: 0, dataId: '49.0' });
  assert.deepEqual(line({ ...record, subSequenceNumber: 7 }), { subsequenceNumber: 7, dataId: '49.7' });
  assert.equal(httpEndpoint.failures?.(options()).retryMs, 300_000);
  assert.equal(httpEndpoint.failures?.(options()).backupMode, 'failed');
});

test('what shapes alone cannot say', () => {
  const url = (Url: string): Partial<HttpEndpointOptions> => ({ EndpointConfiguration: { Url } });
  const attribute = { AttributeName: 'a', AttributeValue: 'b' };
  const processing = { Enabled: true, Processors: [{ Type: 'AppendDelimiterToRecord' }] };
  const table: readonly (readonly [options: Partial<HttpEndpointOptions>, said: string | undefined])[] = [
    [{}, undefined],
    [url('http://127.0.0.1:8080/in?a=b'), undefined],
    [url('${gateway}/firehose'), undefined],
    [url('https://'), 'EndpointConfiguration.Url: is no URL'],
    [url('https://a b/'), 'EndpointConfiguration.Url: is no URL'],
    [
      url('https://user:pass@a.example/'),
      'EndpointConfiguration.Url: holds a name or a password, and would be shown; AccessKey takes a secret',
    ],
    [keyed('ä €'), 'EndpointConfiguration.AccessKey: holds characters that no header can hold'],
    [{ BufferingHints: { SizeInMBs: 1 } }, 'BufferingHints: give both SizeInMBs and IntervalInSeconds, or none'],
    [
      { RequestConfiguration: { CommonAttributes: [attribute, attribute] } },
      'RequestConfiguration.CommonAttributes: a stands there twice',
    ],
    [{ SecretsManagerConfiguration: { Enabled: false } }, undefined],
    [
      { SecretsManagerConfiguration: { Enabled: true } },
      'SecretsManagerConfiguration is not built yet; EndpointConfiguration.AccessKey takes the key',
    ],
    [
      { ProcessingConfiguration: processing },
      'ProcessingConfiguration: AppendDelimiterToRecord is not built yet for this destination',
    ],
  ];
  for (const [given, said] of table) {
    assert.deepEqual(checkConfig(httpEndpointOptions, options(given)), [], 'the shape takes it');
    assert.equal(httpEndpoint.problem(options(given)), said, JSON.stringify(given));
  }
  assert.deepEqual(httpEndpoint.urls?.(options()), ['https://a.example/in']);
});

test('a description says what holds, and never the key', () => {
  const described = httpEndpoint.describe(options(keyed('s3cret')));
  assert.deepEqual(described, {
    HttpEndpointDestinationDescription: {
      EndpointConfiguration: { Url: 'https://a.example/in' },
      BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300 },
      CloudWatchLoggingOptions: { Enabled: false },
      RequestConfiguration: { ContentEncoding: 'NONE', CommonAttributes: [] },
      RetryOptions: { DurationInSeconds: 300 },
      S3BackupMode: 'FailedDataOnly',
    },
  });
});
