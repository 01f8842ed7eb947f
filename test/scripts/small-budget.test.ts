/** Requests that are compressed and small take no more memory of a node than they are, however small the node is. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { serveOnLoopback } from '../../src/testing/serve-on-loopback.ts';
import { createNodeEnvironment } from '../../src/environments/node/index.ts';
import { fakeDrivers } from '../../src/testing/fake-drivers.ts';
import { FakeDocuments } from '../../src/testing/fake-documents.ts';

const KEY = 'the access key';
/** The least that a config file may say. */
const IN_FLIGHT_BYTES = 64 * 1024 * 1024;
const SENDERS = 12;
/** A request that has no room waits for 5 s. */
const AT_ONCE_MS = 2500;

/** A database that takes nothing, and says nothing, before it is told to. */
class SilentDocuments extends FakeDocuments {
  asked = 0;
  readonly #waiting: (() => void)[] = [];

  override async upsert(...asked: Parameters<FakeDocuments['upsert']>): ReturnType<FakeDocuments['upsert']> {
    this.asked += 1;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return await super.upsert(...asked);
  }

  answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

test('compressed requests that wait for their database leave the other routes their memory', async (context) => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-budget-'));
  const environment = createNodeEnvironment({ log: 'silent' });
  const documents = new SilentDocuments();
  const to = { mongodb: { uri: 'mongodb://db/', database: 'd', collection: 'c', upsertOn: '_id' } };
  const receive = { firehose: { accessKeys: [KEY] } };
  const routes = {
    'POST /firehose': { receive, to },
    'POST /hook': { verify: 'none', to: 'hooks', payload: 'envelope' },
  };
  const node = await serveOnLoopback({
    environment,
    drivers: fakeDrivers(environment.clock, { documents }),
    dataDirectory,
    sections: { streams: { hooks: { ShardCount: 1 } }, gateway: { routes } },
    limits: { inFlightBytesMax: IN_FLIGHT_BYTES },
  });
  context.after(async () => {
    documents.answer();
    await node.stop(1000);
    rmSync(dataDirectory, { recursive: true, force: true });
  });
  const deliver = async (index: number): Promise<number> => {
    const requestId = `ed4acda5-034f-9f42-bba1-${String(index).padStart(12, '0')}`;
    const records = [{ data: Buffer.from(`{"_id":${index}}`).toString('base64') }];
    const headers = {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'x-amz-firehose-protocol-version': '1.0',
      'x-amz-firehose-request-id': requestId,
      'x-amz-firehose-access-key': KEY,
    };
    const body = gzipSync(JSON.stringify({ requestId, timestamp: 1_578_090_901_599, records }));
    return (await fetch(`${node.gateway}/firehose`, { method: 'POST', headers, body })).status;
  };
  const waiting = Array.from({ length: SENDERS }, async (_, index) => await deliver(index));
  const end = Date.now() + 10_000;
  while (documents.asked < SENDERS && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(documents.asked, SENDERS, 'all of them came through to the database');
  const startedAt = Date.now();
  const other = await fetch(`${node.gateway}/hook`, { method: 'POST', body: Buffer.alloc((1024 * 1024) / 2) });
  assert.equal(other.status, 200, await other.text());
  assert.ok(Date.now() - startedAt < AT_ONCE_MS, `${Date.now() - startedAt} ms`);
  documents.answer();
  assert.deepEqual(await Promise.all(waiting), Array(SENDERS).fill(200));
});
