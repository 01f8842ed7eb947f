import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch, OpenDestination } from '../../ports/destination.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpClient } from '../../ports/http-client.ts';
import { fakeDrivers } from '../../testing/fake-drivers.ts';
import { openClusters } from '../../testing/open-clusters.ts';
import { quietEnvironment } from '../../testing/quiet-environment.ts';
import { attemptBounds } from './bulk-memory.ts';
import { openSearch } from './index.ts';

const MIB = 1024 * 1024;
const TOGETHER = 128 * MIB;

test('an attempt holds no more than its batch comes to, nor than one request may hold', () => {
  const table = [
    // A few small records: the least.
    { sizeBytes: 20, recordCount: 2, bytesMax: 64 * 1024, documentsMax: 2 },
    { sizeBytes: 5 * MIB, recordCount: 1000, bytesMax: 5 * MIB + 512_000, documentsMax: 5000 },
    { sizeBytes: 100 * MIB, recordCount: 100_000, bytesMax: 10 * MIB, documentsMax: 5000 },
    // One that holds many.
    { sizeBytes: 100_000, recordCount: 1, bytesMax: 100_512, documentsMax: 500 },
  ];
  for (const { sizeBytes, recordCount, ...expected } of table) {
    const { answerBytesMax, ...bounds } = attemptBounds({ sizeBytes, recordCount });
    assert.deepEqual(bounds, expected);
    assert.equal(answerBytesMax, 64 * 1024 + expected.documentsMax * 3300);
  }
});

/** A cluster that answers when it is told to, and counts the requests that wait for it. */
class SlowCluster {
  readonly waiting: (() => void)[] = [];
  mostAtOnce = 0;
  held = 0;
  mostHeld = 0;

  open(): OpenDestination {
    const { clock, random, log, meter: quiet } = quietEnvironment();
    const meter = {
      ...quiet,
      gauge: (name: string, _labels: object, value: number): void => {
        if (name === 'opensearch_held_bytes') this.held = value;
        this.mostHeld = Math.max(this.mostHeld, this.held);
      },
    };
    const http = { send: async () => await this.#answer() } as unknown as HttpClient;
    const doors = { blobs: {} as BlobStore, ...fakeDrivers(clock, { clusters: openClusters() }), http };
    const options = {
      ClusterEndpoint: 'http://127.0.0.1:9201',
      IndexName: 'logs',
      S3Configuration: { BucketARN: 'failed' },
    };
    return openSearch.open(options, { ...doors, settings: { on413: 'bisect' } }, {
      clock,
      random,
      log,
      meter,
    } as Environment);
  }

  async #answer(): Promise<object> {
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      this.mostAtOnce = Math.max(this.mostAtOnce, this.waiting.length);
    });
    const body = Buffer.from('{"items":[{"index":{"status":201}}]}');
    return { status: 200, headers: {}, readBody: async () => body };
  }
}

/** Said to be so large, with one record. */
function batch(sizeBytes: number): Batch {
  const record = { data: Buffer.from('{}'), at: 0, partitionKey: 'k', sequenceNumber: '1', shardId: 's', index: 0 };
  return {
    id: 'batch',
    deliveryStream: 'd',
    deliveryStreamArn: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/d',
    versionId: '1',
    oldestAt: 0,
    recordCount: 1,
    sizeBytes,
    records: async function* () {
      yield [record];
    },
  };
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

test('all deliveries together hold so much of requests and answers, however slow clusters are; others wait', async () => {
  const cluster = new SlowCluster();
  const live = new AbortController().signal;
  const opened = cluster.open();
  const all = Array.from({ length: 20 }, async () => await opened.deliver(batch(20 * MIB), 'logs/NoRotation', live));
  const stop = new AbortController();
  const stopped = opened.deliver(batch(20 * MIB), 'logs/NoRotation', stop.signal);
  await turn();
  stop.abort();
  await assert.rejects(stopped, { code: 'OS.Stopped', retryable: true });
  for (let rounds = 0; rounds < 100 && cluster.held > 0; rounds += 1) {
    await turn();
    for (const answer of cluster.waiting.splice(0)) answer();
  }
  await Promise.all(all);
  assert.ok(cluster.mostAtOnce > 1 && cluster.mostAtOnce < 6, String(cluster.mostAtOnce));
  assert.ok(cluster.mostHeld > TOGETHER / 2 && cluster.mostHeld <= TOGETHER, String(cluster.mostHeld));
  assert.equal(cluster.held, 0);
});
