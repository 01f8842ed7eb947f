/**
 * Firehose delivers to the node itself, which stores the records in MongoDB: by its receiver, and by the function that
 * was published for this purpose, as it stands in its article. MongoDB is the bundled peer, or MONGODB_URI's, asked by the
 * official driver.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ObjectId, type Collection, type Document } from 'mongodb';
import type { ServedNode } from '../../src/compose/serve.ts';
import { serveOnLoopback } from '../../src/testing/serve-on-loopback.ts';
import { createLambdaRuntime } from '../../src/drivers/lambda-runtime/index.ts';
import { createMongodbStore } from '../../src/drivers/mongodb/index.ts';
import { NodeHttpClient } from '../../src/environments/node/http-client.ts';
import { createNodeEnvironment } from '../../src/environments/node/index.ts';
import { fakeDrivers } from '../../src/testing/fake-drivers.ts';
import { namedCollection, openTarget, type Target } from '../../src/testing/mongo-peer/peer.fixture.ts';
import { codeBlocks, documentsMissing } from '../support/published-code.ts';

const KEY = 'the access key';
const TITLE = 'Using MongoDB Realm WebHooks';
const IDS = ['0123456789abcdef01234567', '0123456789abcdef01234568'];
const WAIT_MS = 20_000;

function delivery(path: string, key: string, ContentEncoding: 'GZIP' | 'NONE'): object {
  return {
    from: 'realm',
    HttpEndpointDestinationConfiguration: {
      EndpointConfiguration: { Url: `\${gateway}${path}`, Name: 'RealmCloud', AccessKey: key },
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 0 },
      RequestConfiguration: { ContentEncoding },
      RetryOptions: { DurationInSeconds: 300 },
      S3Configuration: { BucketARN: 'realm-kinesis' },
    },
  };
}

describe('the loop of a delivery to an HTTP endpoint and its receiver', () => {
  let target: Target;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-loop-'));

  before(async () => {
    target = await openTarget();
  });
  after(async () => {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function loop(sections: object, work: (node: ServedNode) => Promise<void>): Promise<void> {
    const environment = createNodeEnvironment({ log: 'silent' });
    const machine = { nodePath: process.execPath, variables: { PATH: process.env['PATH'] ?? '' } };
    const functionRuntime = createLambdaRuntime(machine, environment);
    const documents = createMongodbStore();
    const http = new NodeHttpClient(environment.meter);
    const dataDirectory = mkdtempSync(join(folder, 'data-'));
    const node = await serveOnLoopback({
      environment,
      drivers: fakeDrivers(environment.clock, { functionRuntime, documents, http }),
      configFolder: folder,
      dataDirectory,
      sections: { streams: { realm: { ShardCount: 1 } }, ...sections },
    });
    try {
      for (const [index, id] of IDS.entries()) {
        const document = { _id: id, nodeName: 'pi', humidity: 41.5 + index };
        await put(node, JSON.stringify(document));
      }
      await work(node);
    } finally {
      await node.stop(1000);
      await documents.close();
      await functionRuntime.close();
    }
  }

  async function put(node: ServedNode, text: string): Promise<void> {
    const answer = await fetch(node.api, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Kinesis_20131202.PutRecord',
        'x-amz-date': '20260131T000000Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=a/20260131/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=00',
      },
      body: JSON.stringify({ StreamName: 'realm', PartitionKey: '1', Data: Buffer.from(text).toString('base64') }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }

  async function documents(collection: Collection, count: number): Promise<readonly Document[]> {
    const end = Date.now() + WAIT_MS;
    for (;;) {
      const found = await collection.find().sort({ _id: 1 }).toArray();
      if (found.length >= count || Date.now() > end) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const expected = IDS.map((id, index) => ({ _id: new ObjectId(id), nodeName: 'pi', humidity: 41.5 + index }));

  test('by the receiver; a server that fails once delays it', async () => {
    const { uri, database, peer } = target;
    const place = { uri, database: database.databaseName, collection: 'firehose', upsertOn: '_id' };
    const receive = { firehose: { accessKeys: [KEY] } };
    const config = {
      deliveries: { RealmDeliveryStream: delivery('/firehose/reports', KEY, 'GZIP') },
      gateway: { routes: { 'POST /firehose/reports': { receive, to: { mongodb: place } } } },
    };
    // A real server does not fail on demand.
    peer?.fail({ commands: ['update'], times: 2, errorCode: 91, errorMessage: 'by script' });
    await loop(config, async (node) => {
      assert.deepEqual(await documents(database.collection('firehose'), 2), expected);
      const { routes } = (await (await fetch(`${node.api}/admin/routes`)).json()) as { routes: Document[] };
      assert.equal(routes[0]?.['destination'], 'mongodb');
      if (peer !== undefined) assert.ok(Number(routes[0]?.['refused']?.DestinationFailed) >= 1);
    });
  });

  test('by the published function', { skip: documentsMissing }, async () => {
    const code = codeBlocks(TITLE, 'javascript').find((one) => one.includes('function(payload, response)')) ?? '';
    writeFileSync(join(folder, 'receive.js'), code);
    const config = {
      deliveries: { RealmDeliveryStream: delivery('/realm', KEY, 'NONE') },
      functions: {
        receive: {
          runtime: 'realm',
          code: folder,
          handler: 'receive.exports',
          timeoutSeconds: 30,
          values: { FIREHOSE_ACCESS_KEY: KEY },
          services: { 'mongodb-atlas': { mongodb: target.uri } },
        },
      },
      gateway: { routes: { 'POST /realm': { verify: 'none', function: 'receive', event: 'realm' } } },
    };
    const { collection, drop } = await namedCollection(target, 'monitors', 'firehose');
    await loop(config, async () => {
      assert.deepEqual(await documents(collection, 2), expected);
    });
    await drop();
  });
});
