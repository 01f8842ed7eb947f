import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { call } from '../test/support/node-process.ts';

/** A delivery of a stream as GZIP objects into a folder. */
export interface GzipDelivery {
  readonly name: string;
  readonly stream: string;
  readonly bucket: string;
  readonly SizeInMBs: number;
  readonly IntervalInSeconds: number;
}

const LOOK_AGAIN_MS = 20;

/** Creates it; it begins with what is put from then on. */
export async function createGzipDelivery(port: number, delivery: GzipDelivery): Promise<void> {
  const { name, stream, bucket, SizeInMBs, IntervalInSeconds } = delivery;
  await action(port, 'Firehose_20150804.CreateDeliveryStream', {
    DeliveryStreamName: name,
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: { KinesisStreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${stream}` },
    ExtendedS3DestinationConfiguration: {
      BucketARN: `arn:aws:s3:::${bucket}`,
      BufferingHints: { SizeInMBs, IntervalInSeconds },
      CompressionFormat: 'GZIP',
    },
  });
}

/** One call of AWS's API; rejects when it is not answered with 200. */
export async function action(port: number, target: string, input: unknown): Promise<void> {
  const answer = await call(`http://127.0.0.1:${port}`, target, input);
  if (answer.status !== 200) throw new Error(`${target}: ${JSON.stringify(answer.body)}`);
}

/** Pauses or resumes a delivery. */
export async function changeDelivery(port: number, name: string, verb: 'pause' | 'resume'): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/deliveries/${name}/${verb}`, { method: 'POST' });
  if (answer.status !== 200) throw new Error(`${verb}: ${await answer.text()}`);
}

/** Delivers all there is. */
export async function flushDelivery(port: number, name: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/deliveries/${name}/flush`, { method: 'POST' });
  if (!((await answer.json()) as { flushed: boolean }).flushed) throw new Error('the flush took too long');
}

/** What a delivery says of itself. */
export interface DeliveryCounts {
  readonly recordsDelivered: number;
  readonly recordsWaiting: number;
}

/** Asks it. */
export async function deliveryCounts(port: number, name: string): Promise<DeliveryCounts> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/deliveries/${name}`);
  return (await answer.json()) as DeliveryCounts;
}

/** Resolves once what it says of itself is so. */
export async function whenDelivery(
  port: number,
  name: string,
  isSo: (counts: DeliveryCounts) => boolean,
): Promise<DeliveryCounts> {
  for (;;) {
    const counts = await deliveryCounts(port, name);
    if (isSo(counts)) return counts;
    await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
  }
}

/** Paths of all objects of a bucket. */
export function objectsOf(scratch: string, bucket: string): readonly string[] {
  const root = join(scratch, 'data', 'buckets', bucket);
  const found = readdirSync(root, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
