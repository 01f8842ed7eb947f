import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../kernel/schema/check-config.ts';
import type { AnyDestination, Batch, Delivered, OutgoingRecord } from '../../ports/destination.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { SearchClusters } from '../../ports/search-clusters.ts';
import { fakeDrivers } from '../../testing/fake-drivers.ts';
import { openClusters } from '../../testing/open-clusters.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { ScriptedHttp, type ScriptedAnswer } from '../../testing/scripted-http.ts';
import { smithySigner } from '../../wire/sigv4/smithy.fixture.ts';
import { Engine } from './engine.fixture.ts';
import { elasticsearch, openSearch } from './index.ts';
import type { OpenSearchOptions } from './options.ts';

const AT = Date.parse('2026-01-31T23:04:05.678Z');
const CLUSTER = 'http://127.0.0.1:9201';
const BARE: OpenSearchOptions = {
  ClusterEndpoint: CLUSTER,
  IndexName: 'logs',
  S3Configuration: { BucketARN: 'failed' },
};
const live = new AbortController().signal;
/** One that stands alone, of `text`. */
const record = (text: string, index = 0, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  data: Buffer.from(text),
  at: AT,
  partitionKey: 'k',
  sequenceNumber: `49${index}`,
  shardId: 's',
  index,
  ...more,
});

function batch(records: readonly OutgoingRecord[], groups = 1): Batch {
  return {
    id: 'batch',
    deliveryStream: 'events',
    deliveryStreamArn: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/events',
    versionId: '1',
    oldestAt: AT,
    recordCount: records.length,
    sizeBytes: records.reduce((sum, { data }) => sum + data.length, 0),
    records: async function* () {
      const size = Math.ceil(records.length / groups);
      for (let at = 0; at < records.length; at += size) yield records.slice(at, at + size);
    },
  };
}

function open(engine: Engine, options = BARE, clusters: SearchClusters = openClusters(), kind = openSearch) {
  const environment = quietEnvironment();
  const http = new ScriptedHttp(environment.clock, engine.script);
  const doors = { blobs: {} as BlobStore, ...fakeDrivers(environment.clock, { http, clusters }) };
  return kind.open(options, { ...doors, settings: { on413: 'bisect' } }, environment);
}

async function deliver(
  engine: Engine,
  records: readonly OutgoingRecord[],
  options = BARE,
  clusters: SearchClusters = openClusters(),
): Promise<Delivered> {
  const opened = open(engine, options, clusters);
  return await opened.deliver(batch(records), opened.place(batch([])), live);
}

function texts(...documents: readonly string[]): OutgoingRecord[] {
  return documents.map((text, index) => record(text, index));
}

test('what shapes alone cannot say', () => {
  const { ClusterEndpoint: _, ...none } = BARE;
  const arn = 'arn:aws:es:us-east-1:000000000000:domain/logs';
  const table: readonly (readonly [options: OpenSearchOptions, said: string | undefined])[] = [
    [BARE, undefined],
    [{ ...BARE, ClusterEndpoint: 'embedded' }, undefined],
    [{ ...BARE, ClusterEndpoint: 'https://search.example:9200/behind/a/proxy/' }, undefined],
    [{ ...none, DomainARN: arn }, undefined],
    [none, 'Give one of DomainARN and ClusterEndpoint, and not both.'],
    [{ ...BARE, DomainARN: arn }, 'Give one of DomainARN and ClusterEndpoint, and not both.'],
    [{ ...BARE, ClusterEndpoint: 'https://' }, 'ClusterEndpoint: it is no URL'],
    [{ ...BARE, ClusterEndpoint: `${CLUSTER}/?pretty` }, 'ClusterEndpoint: it may have a path, and no query'],
    [
      { ...BARE, ClusterEndpoint: 'https://me:secret@search.example' },
      'ClusterEndpoint: it holds a name or a password, and would be shown; the section opensearch takes them',
    ],
    [{ ...BARE, IndexName: 'Logs' }, 'IndexName: Logs has capital letters, which no index may have'],
    [
      { ...BARE, BufferingHints: { SizeInMBs: 1 } },
      'BufferingHints: give both SizeInMBs and IntervalInSeconds, or none',
    ],
    [
      { ...BARE, ProcessingConfiguration: { Enabled: true, Processors: [{ Type: 'RecordDeAggregation' }] } },
      'ProcessingConfiguration: RecordDeAggregation is not built yet for this destination',
    ],
  ];
  for (const [options, said] of table) {
    assert.deepEqual(checkConfig(openSearch.options, options), [], 'the shape takes it');
    assert.equal(openSearch.problem(options), said, JSON.stringify(options));
  }
  assert.notDeepEqual(checkConfig(openSearch.options, { ...BARE, ClusterEndpoint: 'ftp://x' }), []);
  assert.equal(openSearch.lacks?.(BARE), undefined);
  assert.match(openSearch.lacks?.({ ...BARE, ClusterEndpoint: 'embedded' }) ?? '', /^no cluster is named/);
});

test('AWS defaults, and what each of the two names says of itself', () => {
  const kinds: readonly AnyDestination[] = [openSearch, elasticsearch];
  assert.deepEqual(
    kinds.map(({ name }) => name),
    ['AmazonopensearchserviceDestinationConfiguration', 'ElasticsearchDestinationConfiguration'],
  );
  assert.deepEqual(openSearch.buffering(BARE), { bytesMax: 5_242_880, intervalMs: 300_000 });
  const described = {
    ClusterEndpoint: CLUSTER,
    IndexName: 'logs',
    IndexRotationPeriod: 'NoRotation',
    BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300 },
    RetryOptions: { DurationInSeconds: 300 },
    S3BackupMode: 'FailedDocumentsOnly',
    CloudWatchLoggingOptions: { Enabled: false },
  };
  assert.deepEqual(openSearch.describe(BARE), { AmazonopensearchserviceDestinationDescription: described });
  assert.deepEqual(elasticsearch.describe(BARE), {
    ElasticsearchDestinationDescription: { ...described, IndexRotationPeriod: 'OneDay' },
  });
});

test('the failure path: type of error, retry, backup, members of a line', () => {
  const path = openSearch.failures?.(BARE) ?? assert.fail();
  const { errorType, backup, backupMode, retryMs, backoff } = path;
  assert.deepEqual([errorType, backupMode, retryMs], ['AmazonOpenSearchService-failed', 'failed', 300_000]);
  assert.deepEqual([backup, backoff], [{ BucketARN: 'failed' }, { baseMs: 1000, maxMs: 60_000 }]);
  assert.deepEqual(path.line(record('', 7)), { esDocumentId: '497.0', esIndexName: 'logs', esTypeName: '' });
  assert.equal(path.line(record('', 7), 'before/OneDay')['esIndexName'], 'before-2026-01-31', 'where it was to go');
  const other = elasticsearch.failures?.({
    ...BARE,
    TypeName: 'log',
    S3BackupMode: 'AllDocuments',
    RetryOptions: { DurationInSeconds: 0 },
    DocumentIdOptions: { DefaultDocumentIdFormat: 'NO_DOCUMENT_ID' },
  });
  assert.equal(other?.errorType, 'elasticsearch-failed');
  assert.deepEqual([other.backupMode, other.retryMs], ['all', 0]);
  const packed = record('', 7, { subSequenceNumber: 3 });
  assert.deepEqual(other.line(packed), { esIndexName: 'logs-2026-01-31', esTypeName: 'log' });
  assert.deepEqual(path.line(packed)['esDocumentId'], '497.3');
});

test('a bulk request: action and document in two lines, ids that stay, one line for each document', async () => {
  const engine = new Engine();
  const records = [record('{"a":1}', 0), record('{\n"n":123456789012345678901}\n', 1, { subSequenceNumber: 2 })];
  const delivered = await deliver(engine, records);
  const [request] = engine.requests;
  assert.equal(
    String(request?.body),
    '{"index":{"_index":"logs","_id":"490.0"}}\n{"a":1}\n' +
      '{"index":{"_index":"logs","_id":"491.2"}}\n{ "n":123456789012345678901}\n',
  );
  assert.equal(request?.method, 'POST');
  assert.match(request.url, /^http:\/\/127\.0\.0\.1:9201\/_bulk\?filter_path=errors,items\.\*\.status,/);
  assert.deepEqual(request.headers, { 'content-type': 'application/x-ndjson' });
  assert.deepEqual(delivered, { place: `${CLUSTER}/logs`, status: 200, sizeBytes: request.body.length, refused: [] });
  // The same again finds the same documents.
  await deliver(engine, records);
  assert.deepEqual([...engine.documents.keys()], ['logs/490.0', 'logs/491.2']);
});

test('an index for each hour in which records arrived, also under newer options', async () => {
  const engine = new Engine();
  const opened = open(engine, { ...BARE, IndexRotationPeriod: 'OneHour' });
  const place = opened.place(batch([]));
  assert.equal(place, 'logs/OneHour');
  const records = [record('{}', 0), record('{}', 1, { at: AT + 3_600_000 })];
  const { place: arrived } = await opened.deliver(batch(records), place, live);
  assert.equal(arrived, `${CLUSTER}/logs-2026-01-31-23,logs-2026-02-01-00`);
  const newest = { ...BARE, IndexName: 'other', ClusterEndpoint: 'http://127.0.0.1:9202/' };
  await open(engine, newest).deliver(batch(records), place, live);
  assert.equal(engine.requests[1]?.url.startsWith('http://127.0.0.1:9202/_bulk'), true);
  assert.deepEqual([...engine.documents.keys()], ['logs-2026-01-31-23/490.0', 'logs-2026-02-01-00/491.0']);
});

test('NO_DOCUMENT_ID: the engine makes ids, and a repeat makes others', async () => {
  const engine = new Engine();
  const options = { ...BARE, DocumentIdOptions: { DefaultDocumentIdFormat: 'NO_DOCUMENT_ID' } };
  await deliver(engine, texts('{}'), options);
  await deliver(engine, texts('{}'), options);
  assert.equal(String(engine.requests[0]?.body), '{"index":{"_index":"logs"}}\n{}\n');
  assert.equal(engine.documents.size, 2);
});

test('types go to who needs them, and to nobody else', async () => {
  const table: readonly (readonly [version: object, type: string | undefined])[] = [
    [{ number: '6.8.0' }, 'log'],
    [{ number: '5.1' }, 'log'],
    [{ number: '7.10.2' }, undefined],
    [{ number: '8.19.0' }, undefined],
    [{ number: '1.3.0', distribution: 'opensearch' }, undefined],
    [{ number: 6 }, undefined],
  ];
  for (const [version, type] of table) {
    const engine = new Engine();
    engine.version = version;
    await deliver(engine, texts('{}'), { ...BARE, TypeName: 'log' });
    const [action = ''] = String(engine.requests[1]?.body).split('\n');
    const { index } = JSON.parse(action) as { index: { _type?: string } };
    assert.equal(index._type, type, JSON.stringify(version));
  }
});

test('each document has a verdict of its own', async () => {
  const engine = new Engine();
  const table: readonly (readonly [
    document: string,
    refused: readonly [code: string, retryable: boolean] | undefined,
  ])[] = [
    ['{}', undefined],
    ['not JSON', ['OS.InvalidDocument', false]],
    ['{"status":400}', ['400', false]],
    ['{"status":409,"type":"version_conflict_engine_exception"}', undefined],
    ['{"status":409}', ['409', false]],
    ['{"status":429,"type":"es_rejected_execution_exception"}', ['429', true]],
    ['{"status":403,"type":"cluster_block_exception"}', ['403', true]],
    ['{"status":404,"type":"index_not_found_exception"}', ['404', true]],
    ['{"status":413}', ['413', false]],
    ['{"status":503,"type":"unavailable_shards_exception"}', ['503', true]],
    ['[]', ['OS.InvalidDocument', false]],
    ['{"last":true}', undefined],
  ];
  const { refused = [] } = await deliver(engine, texts(...table.map(([document]) => document)));
  const wanted = table.flatMap(([, said], index) => (said === undefined ? [] : [[index, ...said] as const]));
  assert.deepEqual(
    refused.map(({ index, code, retryable }) => [index, code, retryable]),
    wanted,
  );
  assert.equal(refused[1]?.message, '{"type":"mapper_parsing_exception","reason":"for 400"}');
  assert.deepEqual(engine.bulks, [10], 'what is no document is not sent');
});

test('a conflict under an id that the engine made is none of ours', async () => {
  const options = { ...BARE, DocumentIdOptions: { DefaultDocumentIdFormat: 'NO_DOCUMENT_ID' } };
  const conflict = '{"status":409,"type":"version_conflict_engine_exception"}';
  const { refused } = await deliver(new Engine(), texts(conflict), options);
  assert.deepEqual(
    refused?.map(({ code, retryable }) => [code, retryable]),
    [['409', false]],
  );
});

test('a refusal of all is a failure of its own, which says what was said', async () => {
  const table: readonly (readonly [status: number, retryable: boolean])[] = [
    [301, true],
    [400, false],
    [401, true],
    [403, true],
    [404, true],
    [405, false],
    [429, true],
    [500, true],
    [503, true],
  ];
  for (const [status, retryable] of table) {
    const engine = new Engine();
    engine.answer = () => ({ status, body: '{"error":"no"}' });
    const message = `${CLUSTER} answered ${status}: {"error":"no"}`;
    if (retryable) {
      await assert.rejects(deliver(engine, texts('{}', '{}')), {
        name: 'DeliveryError',
        code: String(status),
        message,
        retryable,
      });
      continue;
    }
    const { refused } = await deliver(engine, texts('{}', '{}'));
    const one = { code: String(status), message, retryable };
    assert.deepEqual(refused, [
      { index: 0, ...one },
      { index: 1, ...one },
    ]);
  }
});

test('connections that fail, and answers that are none', async () => {
  const table = [
    [{ fails: 'ECONNREFUSED' }, 'OS.ConnectionFailed'],
    [{ fails: 'ENOTFOUND' }, 'OS.ConnectionFailed'],
    [{ fails: 'ENOTALLOWED' }, 'OS.ConnectionFailed'],
    [{ fails: 'ECONNRESET' }, 'OS.ConnectionReset'],
    [{ fails: 'ETLS' }, 'OS.SSLHandshakeFailure'],
    [{ takesMs: 90_000 }, 'OS.RequestTimeout'],
    [{ body: '' }, 'OS.InvalidResponse'],
    [{ body: '<html>' }, 'OS.InvalidResponse'],
    [{ body: 'null' }, 'OS.InvalidResponse'],
    [{ body: '{"items":[]}' }, 'OS.InvalidResponse'],
    [{ body: '{"items":[{"index":{"status":201}},{"index":{"status":201}}]}' }, 'OS.InvalidResponse'],
    [{ body: '{"items":[null]}' }, 'OS.InvalidResponse'],
    [{ body: '{"items":[{}]}' }, 'OS.InvalidResponse'],
    [{ body: '{"items":[{"index":{"status":"201"}}]}' }, 'OS.InvalidResponse'],
    [{ body: Buffer.alloc(16 * 1024 * 1024 + 1) }, 'OS.ResponseTooLarge'],
  ] as const;
  for (const [answer, code] of table) {
    const engine = new Engine();
    engine.answer = () => answer;
    await assert.rejects(
      deliver(engine, texts('{}')),
      { name: 'DeliveryError', code, retryable: true },
      JSON.stringify(answer).slice(0, 80),
    );
  }
});

test('too large for whoever takes it: halves, down to the one that no half makes smaller', async () => {
  const engine = new Engine();
  engine.answer = (_, body) => (body.includes('"large"') || body.length > 200 ? { status: 413 } : undefined);
  const documents = texts('{"n":0}', '{"n":1}', '{"large":2}', '{"n":3}', '{"n":4}', '{"n":5}', '{"n":6}');
  const { refused, sizeBytes } = await deliver(engine, documents);
  assert.deepEqual(
    refused?.map(({ index, code, retryable }) => [index, code, retryable]),
    [[2, '413', false]],
  );
  assert.deepEqual(
    [...engine.documents.values()]
      .map(({ source }) => source)
      .sort()
      .join(''),
    '{"n":0}{"n":1}{"n":3}{"n":4}{"n":5}{"n":6}',
  );
  assert.ok(sizeBytes > 200);
});

test('requests of bounded size; what fails later is tried again without what arrived', async () => {
  const engine = new Engine();
  const documents = Array.from({ length: 12_000 }, (_, index) => record(`{"n":${index}}`, index));
  assert.deepEqual((await deliver(engine, documents)).refused, []);
  assert.deepEqual(engine.bulks, [5000, 5000, 2000]);
  const large = Array.from({ length: 12 }, (_, index) => record(`{"text":"${'x'.repeat(1_000_000)}"}`, index));
  const other = new Engine();
  await deliver(other, large);
  assert.deepEqual(other.bulks, [10, 2]);
  const failing = new Engine();
  failing.answer = () => (failing.requests.length === 2 ? { fails: 'ECONNRESET' } : undefined);
  const { refused = [] } = await deliver(failing, documents);
  assert.deepEqual(failing.bulks, [5000, 5000], 'after a failure nothing more is sent');
  assert.deepEqual(
    refused.map(({ index }) => index),
    documents.slice(5000).map(({ index }) => index),
  );
  assert.ok(refused.every(({ code, retryable }) => code === 'OS.ConnectionReset' && retryable));
  const unanswered = refused.filter(({ mayHaveArrived }) => mayHaveArrived === true);
  assert.deepEqual([unanswered.length, unanswered.at(-1)?.index], [5000, 9999], 'what was not sent has not arrived');
});

test('one document larger than a request may be goes alone', async () => {
  const engine = new Engine();
  const large = `{"text":"${'x'.repeat(11 * 1024 * 1024)}"}`;
  await deliver(engine, texts('{}', large, '{}'));
  assert.deepEqual(engine.bulks, [1, 1, 1]);
});

test('who asks is proven as the section says', async () => {
  const engine = new Engine();
  const basic = { kind: 'basic', username: 'me', password: 'pässword' } as const;
  await deliver(engine, texts('{}'), BARE, openClusters(basic));
  assert.equal(engine.requests[0]?.headers['authorization'], 'Basic bWU6cMOkc3N3b3Jk');
  const keys = { region: 'eu-west-1', accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' };
  await deliver(engine, texts('{}'), BARE, openClusters({ kind: 'sigv4', ...keys }));
  const { headers } = engine.requests[1] ?? assert.fail();
  assert.match(
    headers['authorization'] ?? '',
    /^AWS4-HMAC-SHA256 Credential=AKID\/20231114\/eu-west-1\/es\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
  );
  assert.equal(headers['x-amz-security-token'], 'token');
  const missing = openClusters({ kind: 'missing', reason: 'no keys' });
  const wanted = { code: 'OS.NoCredentials', message: `${CLUSTER}: no keys`, retryable: true };
  await assert.rejects(deliver(engine, texts('{}'), BARE, missing), wanted);
});

test('what the engine repeats of the password, or of the header, is shown nowhere', async () => {
  const basic = { kind: 'basic', username: 'me', password: 'pä"ssword' } as const;
  const pair = Buffer.from('me:pä"ssword').toString('base64');
  const said = `pä"ssword, ${pair}`;
  const headers = { authorization: 'Basic b3RoZXI=' };
  const table: readonly (readonly [answer: ScriptedAnswer, told: string])[] = [
    [{ status: 401, body: `no: ${said}` }, `${CLUSTER} answered 401: no: ***, ***`],
    [{ status: 401, body: JSON.stringify({ said, headers }) }, '{"said":"***, ***","headers":{"authorization":"***"}}'],
    [
      { body: JSON.stringify({ errors: true, items: [{ index: { status: 400, error: { reason: said } } }] }) },
      '{"reason":"***, ***"}',
    ],
    [{ body: JSON.stringify({ errors: true, items: [{ index: { status: 400, error: said } }] }) }, '***, ***'],
  ];
  for (const [answer, told] of table) {
    const engine = new Engine();
    engine.answer = () => answer;
    const delivered = await deliver(engine, texts('{}'), BARE, openClusters(basic)).catch((error: Error) => error);
    const message = 'message' in delivered ? delivered.message : delivered.refused?.[0]?.message;
    assert.ok(message?.endsWith(told), message);
  }
});

test('AWS’s own signer makes the same signature', async () => {
  const engine = new Engine();
  const keys = { region: 'eu-west-1', accessKeyId: 'AKID', secretAccessKey: 'secret' };
  const records = Array.from({ length: 3000 }, (_, index) => record(`{"n":"${'x'.repeat(1000)}"}`, index));
  await deliver(engine, records, BARE, openClusters({ kind: 'sigv4', ...keys }));
  const { method, url, headers, body } = engine.requests[0] ?? assert.fail();
  const { hostname, port, pathname, searchParams, host } = new URL(url);
  const signed = await smithySigner(keys, keys.region, 'es').sign(
    {
      method,
      protocol: 'http:',
      hostname,
      port: Number(port),
      path: pathname,
      query: Object.fromEntries(searchParams),
      headers: { host, 'content-type': 'application/x-ndjson' },
      body,
    },
    { signingDate: new Date(quietEnvironment().clock.now()) },
  );
  assert.equal(headers['authorization'], signed.headers['authorization']);
});

test('a domain is where the section says', async () => {
  const engine = new Engine();
  const { ClusterEndpoint: _, ...rest } = BARE;
  const options = { ...rest, DomainARN: 'arn:aws:es:us-east-1:000000000000:domain/search' };
  const { place } = await deliver(
    engine,
    texts('{}'),
    options,
    openClusters({ kind: 'none' }, { search: `${CLUSTER}/` }),
  );
  assert.equal(place, `${CLUSTER}/logs`);
  const wanted = { code: 'OS.DomainNotFound', retryable: true };
  await assert.rejects(deliver(engine, texts('{}'), options), wanted);
});

test('a node that stops', async () => {
  const stop = new AbortController();
  stop.abort();
  const opened = open(new Engine());
  const wanted = { code: 'OS.Stopped', retryable: true };
  await assert.rejects(opened.deliver(batch(texts('{}')), 'logs/NoRotation', stop.signal), wanted);
});
