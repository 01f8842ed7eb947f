import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { filesBelow } from '../support/files-below.ts';
import { readAll } from '../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';
import { startRecentchangeFeed } from '../support/recentchange-feed.ts';

const HOME = 'examples/sse-archive';
const WAIT_MS_MAX = 30_000;

interface Expected {
  readonly events: number;
  readonly since: string;
  readonly stream: string;
  readonly records: number;
  readonly repeatedAfterRestart: number;
  readonly bucket: string;
  readonly objects: number;
  readonly objectName: string;
}

interface View {
  readonly stored: number;
  readonly repeated: number;
}

/** What the admin API says of the source once `isThere`. */
async function viewWhen(node: NodeProcess, isThere: (view: View) => boolean): Promise<View> {
  const end = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const view = (await (await fetch(`${node.api}/admin/sources/wikimedia`)).json()) as View;
    if (isThere(view)) return view;
    assert.ok(performance.now() < end, `not within ${WAIT_MS_MAX} ms: ${JSON.stringify(view)}`);
    await sleep(50);
  }
}

/** The data of events as the file holds them. */
function sampleEvents(): readonly string[] {
  const lines = readFileSync(join(HOME, 'events/recentchange.sse'), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length));
}

test('sse-archive: its feed in, its objects out, over a restart', async () => {
  const expected = JSON.parse(readFileSync(join(HOME, 'expected.json'), 'utf8')) as Expected;
  const { events, since } = expected;
  const feed = await startRecentchangeFeed('--rate', '1000', '--count', String(events), '--start', since);
  const data = temporaryDirectory('example');
  const environment = { SSE_URL: `${feed.url}?since=0` };
  const options = { config: join(HOME, 'millrace.yaml'), data, environment };
  let node = await startNodeProcess(options);
  try {
    await viewWhen(node, ({ stored }) => stored === expected.records);
    await node.kill();
    node = await startNodeProcess(options);
    const { stored } = await viewWhen(node, ({ repeated }) => repeated >= expected.repeatedAfterRestart);
    assert.equal(stored, 0, 'nothing is stored again');
    const records = [...(await readAll(node.api, expected.stream)).values()].flat();
    assert.equal(records.length, expected.records);
    for (const { key, text } of records) assert.equal(key, (JSON.parse(text) as { meta: { id: string } }).meta.id);
    const texts = new Set(records.map(({ text }) => text));
    assert.ok(sampleEvents().length > 0);
    for (const sample of sampleEvents()) assert.ok(texts.has(sample), 'the sample events are the first of the feed');
    await fetch(`${node.api}/admin/deliveries/archive/flush`, { method: 'POST' });
    const bucket = join(data, 'buckets', expected.bucket);
    const objects = filesBelow(bucket);
    assert.equal(objects.length, expected.objects);
    assert.match(relative(bucket, objects[0] ?? ''), new RegExp(expected.objectName));
    const delivered = gunzipSync(readFileSync(objects[0] ?? ''));
    assert.equal(
      delivered.length,
      records.reduce((sum, record) => sum + record.data.length, 0),
    );
    for (const { data: bytes } of records)
      assert.ok(delivered.includes(bytes), 'every event is delivered byte for byte');
  } finally {
    assert.equal(await node.stop(), 0, node.output());
    await feed.stop();
    removeDirectory(data);
  }
});
