import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinesis } from '../../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../../support/node-process.ts';
import { postWebhook } from '../../support/post-webhook.ts';
import {
  sendWebhookSearchEvents,
  WEBHOOK_SEARCH,
  webhookSearchEvents,
  webhookSearchExpected,
} from '../../support/webhook-search.ts';
import { errorLines, failureOf } from '../deliveries.ts';
import { until } from '../program.ts';
import type { Group } from '../run.ts';
import { startCheckingProxy } from './checking-proxy.ts';
import { installOpenSearch, startOpenSearch, type OpenSearch } from './server.ts';

const WAIT_MS_MAX = 90_000;
const RECORDS = 6000;
const RECORDS_OF_A_PUT = 500;
const PASSWORD = 'correct horse';
/** Each with a stream of its own. */
const DELIVERIES = ['mixed', 'twice', 'daily', 'blocked', 'many', 'brief', 'proven', 'unproven'];

interface Hit {
  readonly _id: string;
  readonly _source: { readonly n?: number };
}

/** `brief` gives up soon; the last two ask through a proxy that wants a password. */
function config(cluster: string, proxies: readonly string[]): string {
  const [proven = '', unproven = ''] = proxies;
  const delivery = (name: string): string => {
    const endpoint = { proven, unproven }[name] ?? cluster;
    const retry = name === 'brief' ? 'RetryOptions: { DurationInSeconds: 2 }, ' : '';
    const rotation = name === 'daily' ? 'IndexRotationPeriod: OneDay, ' : '';
    const hints = 'BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 1 }';
    const members = `ClusterEndpoint: "${endpoint}", IndexName: ${name}, ${retry}${rotation}${hints}`;
    const failed = `S3Configuration: { BucketARN: failed-${name} }`;
    return `  ${name}: { from: ${name}, AmazonopensearchserviceDestinationConfiguration: { ${members}, ${failed} } }`;
  };
  return [
    'opensearch:',
    `  "${proven}": { username: writer, password: "${PASSWORD}" }`,
    'streams:',
    ...DELIVERIES.map((name) => `  ${name}: { ShardCount: 1 }`),
    'deliveries:',
    ...DELIVERIES.map(delivery),
    '',
  ].join('\n');
}

/** Resolves with the sequence numbers that the records were given. */
async function put(node: NodeProcess, StreamName: string, texts: readonly string[]): Promise<string[]> {
  const given: string[] = [];
  for (let at = 0; at < texts.length; at += RECORDS_OF_A_PUT) {
    const Records = texts.slice(at, at + RECORDS_OF_A_PUT).map((text) => {
      return { PartitionKey: 'k', Data: Buffer.from(text).toString('base64') };
    });
    const answer = (await kinesis(node.api, 'PutRecords', { StreamName, Records })) as {
      Records: readonly { SequenceNumber: string }[];
    };
    given.push(...answer.Records.map(({ SequenceNumber }) => SequenceNumber));
  }
  return given;
}

/** All documents of an index; none where there is no index. */
async function documents(search: OpenSearch, index: string): Promise<readonly Hit[]> {
  await search.ask('POST', `/${index}/_refresh?ignore_unavailable=true`);
  const path = `/${index}/_search?size=10000&ignore_unavailable=true`;
  const { hits } = await search.ask<{ hits: { hits: readonly Hit[] } }>('GET', path);
  return hits.hits;
}

async function arrived(search: OpenSearch, index: string, count: number): Promise<readonly Hit[]> {
  return await until(`${count} documents in ${index}`, WAIT_MS_MAX, async () => {
    const found = await documents(search, index);
    return found.length >= count ? found : undefined;
  });
}

/** The lines about what failed, once there are so many. */
async function lines(node: NodeProcess, name: string, count: number): Promise<ReturnType<typeof errorLines>> {
  return await until(`${count} lines about ${name}`, WAIT_MS_MAX, () => {
    const found = errorLines(node, `failed-${name}`, 'AmazonOpenSearchService-failed');
    return found.length >= count ? found : undefined;
  });
}

function sorted(values: readonly unknown[]): string[] {
  return values.map((value) => JSON.stringify(value)).sort();
}

/** Taken, and refused for good, in one bulk. */
async function checkMixed(node: NodeProcess, search: OpenSearch): Promise<number> {
  await search.ask('PUT', '/mixed', { mappings: { properties: { n: { type: 'long' }, big: { type: 'keyword' } } } });
  const texts = [
    '{"n":1}',
    '{"n":"no number"}',
    'no JSON',
    '{"_id":"own","n":2}',
    '{\n"n":3,"big":123456789012345678901}',
  ];
  const ids = (await put(node, 'mixed', texts)).map((id) => `${id}.0`);
  const found = await arrived(search, 'mixed', 2);
  assert.deepEqual(sorted(found.map(({ _id }) => _id)), sorted([ids[0], ids[4]]));
  const failed = await lines(node, 'mixed', 3);
  const told = failed.map(({ esDocumentId, errorCode, rawData, esIndexName, attemptsMade }) => {
    return [esDocumentId, errorCode, Buffer.from(String(rawData), 'base64').toString(), esIndexName, attemptsMade];
  });
  const wanted = [1, 2, 3].map((at) => [ids[at], at === 2 ? 'OS.InvalidDocument' : '400', texts[at], 'mixed', 1]);
  assert.deepEqual(sorted(told), sorted(wanted));
  assert.match(
    String(failed.find(({ esDocumentId }) => esDocumentId === ids[1])?.['errorMessage']),
    /mapper_parsing_exception/,
  );
  const kept = await (await fetch(`${search.url}/mixed/_source/${ids[4]}`)).text();
  assert.match(kept, /123456789012345678901/);
  return 1;
}

/** 201, 409 and 400 in one answer: two documents under one id, the second as if it had been sent before. */
async function checkConflict(node: NodeProcess, search: OpenSearch): Promise<number> {
  const source = "ctx._id = 'twice'; ctx._version = 1L; ctx._version_type = 'external';";
  await search.ask('PUT', '/_ingest/pipeline/once', { processors: [{ script: { source } }] });
  const mappings = { properties: { n: { type: 'long' } } };
  await search.ask('PUT', '/twice', { settings: { 'index.default_pipeline': 'once' }, mappings });
  await put(node, 'twice', ['{"n":1}', '{"n":2}', '{"n":"no number"}']);
  const [line, ...others] = await lines(node, 'twice', 1);
  assert.deepEqual([line?.['errorCode'], others], ['400', []], 'what is there already has no line');
  const found = await documents(search, 'twice');
  assert.deepEqual(
    found.map(({ _id, _source }) => [_id, _source.n]),
    [['twice', 1]],
  );
  const answer = await fetch(`${node.api}/admin/deliveries/twice`);
  assert.equal(((await answer.json()) as { recordsDelivered: number }).recordsDelivered, 2);
  return 1;
}

async function checkDaily(node: NodeProcess, search: OpenSearch): Promise<number> {
  const before = new Date().toISOString().slice(0, 10);
  await put(node, 'daily', ['{"n":1}']);
  await arrived(search, 'daily-*', 1);
  const names = Object.keys(await search.ask<object>('GET', '/daily-*'));
  assert.ok(
    [before, new Date().toISOString().slice(0, 10)].some((day) => names.includes(`daily-${day}`)),
    names.join(),
  );
  return 1;
}

/** What is blocked for writing waits, and arrives when it no longer is. */
async function checkBlocked(node: NodeProcess, search: OpenSearch): Promise<number> {
  await search.ask('PUT', '/blocked', {});
  await search.ask('PUT', '/blocked/_settings', { 'index.blocks.read_only': true });
  await put(node, 'blocked', ['{"n":1}']);
  await until('the failure is shown', WAIT_MS_MAX, async () =>
    /cluster_block_exception/.test(await failureOf(node, 'blocked')),
  );
  await search.ask('PUT', '/blocked/_settings', { 'index.blocks.read_only': false });
  await arrived(search, 'blocked', 1);
  return 1;
}

async function checkProof(node: NodeProcess, search: OpenSearch): Promise<number> {
  await put(node, 'proven', ['{"n":1}']);
  await arrived(search, 'proven', 1);
  await put(node, 'unproven', ['{"n":1}']);
  await until('the 401 is shown', WAIT_MS_MAX, async () =>
    /answered 401: Unauthorized/.test(await failureOf(node, 'unproven')),
  );
  assert.ok(!node.output().includes(PASSWORD), 'the password stays out of the log');
  return 2;
}

/** The example as its README says: what came before there was a cluster, too, and what it refuses is kept. */
async function checkExample(search: OpenSearch, data: string): Promise<number> {
  const { index, documents: count, failedBucket, accepted } = webhookSearchExpected();
  const options = { config: WEBHOOK_SEARCH, data };
  const before = await startNodeProcess(options);
  const sent = await sendWebhookSearchEvents(before);
  await before.stop();
  const node = await startNodeProcess({ ...options, environment: { OPENSEARCH_URL: search.url, BUFFER_SECONDS: '1' } });
  try {
    const found = await arrived(search, index, count);
    assert.equal(sent.length, accepted);
    assert.deepEqual(
      sorted(found.map(({ _id }) => _id)),
      sorted(sent.map(({ SequenceNumber }) => `${SequenceNumber}.0`)),
    );
    const bodies = webhookSearchEvents().map((body) => JSON.parse(body.toString()) as unknown);
    assert.deepEqual(sorted(found.map(({ _source }) => _source)), sorted(bodies));
    const refused = '{"repository":"a text where an object is known"}';
    await postWebhook(`${node.gateway}/test/git-data`, node.secret('GITHUB_WEBHOOK'), 'refused', refused);
    const [line] = await until('a line about what the cluster refused', WAIT_MS_MAX, () => {
      const told = errorLines(node, failedBucket, 'AmazonOpenSearchService-failed');
      return told.length > 0 ? told : undefined;
    });
    assert.equal(Buffer.from(String(line?.['rawData']), 'base64').toString(), refused);
  } finally {
    await node.stop();
  }
  return 1;
}

/** Killed while documents come, and started again: each is there, once, under its id. */
async function checkKill(node: NodeProcess, search: Started, folder: string): Promise<Started> {
  const texts = Array.from({ length: RECORDS }, (_, n) => `{"n":${n},"text":"${'x'.repeat(1500)}"}`);
  const putting = put(node, 'many', texts);
  await arrived(search, 'many', 1);
  await search.kill();
  const ids = await putting;
  await put(node, 'brief', ['{"n":1}', '{"n":2}']);
  const failed = await lines(node, 'brief', 2);
  assert.ok(
    failed.every(({ errorCode }) => errorCode === 'OS.ConnectionFailed'),
    JSON.stringify(failed),
  );
  const again = await startOpenSearch(folder, search.port);
  const found = await arrived(again, 'many', RECORDS);
  assert.deepEqual(found.map(({ _id }) => _id).sort(), ids.map((id) => `${id}.0`).sort());
  assert.equal(new Set(found.map(({ _source }) => _source.n)).size, RECORDS);
  assert.deepEqual(await documents(again, 'brief'), [], 'what stands in the error output is given up');
  return again;
}

type Started = Awaited<ReturnType<typeof startOpenSearch>>;

async function play(folder: string): Promise<number> {
  const home = join(folder, 'opensearch');
  let search = await startOpenSearch(home);
  const proxies = [
    await startCheckingProxy(search.url, 'writer', PASSWORD),
    await startCheckingProxy(search.url, 'writer', PASSWORD),
  ];
  const file = join(folder, 'millrace.yaml');
  const urls = proxies.map(({ url }) => url);
  writeFileSync(file, config(search.url, urls));
  const node = await startNodeProcess({ config: file, data: join(folder, 'node') });
  try {
    let passed = await checkMixed(node, search);
    passed += await checkConflict(node, search);
    passed += await checkDaily(node, search);
    passed += await checkBlocked(node, search);
    passed += await checkProof(node, search);
    passed += await checkExample(search, join(folder, 'example'));
    search = await checkKill(node, search, home);
    return passed + 2;
  } finally {
    await node.stop();
    for (const proxy of proxies) proxy.close();
    await search.kill();
  }
}

/** Documents arrive in a real OpenSearch once each, over its refusals and its end, or a line tells why they did not. */
export const openSearch: Group = {
  name: 'opensearch',
  install: installOpenSearch,
  async run() {
    const folder = temporaryDirectory('opensearch');
    try {
      return await play(folder);
    } finally {
      removeDirectory(folder);
    }
  },
};
