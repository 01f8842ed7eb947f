import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { call } from '../../test/support/node-process.ts';
import { bareGzip } from '../bare-gzip.ts';
import { eventRecords } from '../event-records.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';
import { startServer, type Server } from '../server.ts';
import { whenSettled } from '../settled.ts';
import { timed } from '../stopwatch.ts';
import { createStream, STREAM } from '../stream.ts';

const MIB = 1024 * 1024;
/** Below the 128 MiB at which a delivery goes by itself. */
const BYTES = 112 * MIB;
const WARMING_BYTES = 16 * MIB;
const BATCH = 500;
const NAME = 'encoded';
const BUCKET = 'encoded';

/** One object of event JSON delivered as GZIP, from the flush to its place; beside it zlib alone on the same bytes. */
export const encode: Scenario = {
  name: 'encode',
  title: 'encode: 112 MiB of JSON delivered as one GZIP object',
  onRequest: true,
  millraceOnly: true,
  secondsMax: () => 180,
  async measure(place) {
    const server = await startServer(place.contender, `${place.scratch}/data`, place.signal);
    try {
      return await measured(server, place);
    } finally {
      await server.kill();
    }
  },
};

async function measured(server: Server, { scratch }: Place): Promise<Outcome> {
  await createStream(server.port);
  await createDelivery(server.port);
  await put(server.port, eventRecords(WARMING_BYTES, 1));
  await flush(server.port);
  const before = objects(scratch);
  const records = eventRecords(BYTES, 2);
  await put(server.port, records);
  await gathered(server.port, records.length);
  // Nor is what the log does with puts behind them.
  await whenSettled(server.port);
  const lap = await timed(server, async () => await flush(server.port));
  const [made, ...others] = objects(scratch).filter((path) => !before.includes(path));
  if (made === undefined || others.length > 0)
    return { figures: {}, problems: [`${others.length + 1} objects, not one`] };
  const plain = gunzipSync(readFileSync(made));
  const bare = await bareGzip(plain);
  const mib = plain.length / MIB;
  const mibPerSecond = mib / lap.seconds;
  return {
    figures: {
      gzipMiBPerSecond: mibPerSecond,
      gzipServerCpuMs: (lap.serverCpuSeconds * 1000) / mib,
      gzipRatio: plain.length / readFileSync(made).length,
      bareGzipMiBPerSecond: bare.mibPerSecond,
      bareGzipCpuMs: bare.cpuMsPerMib,
      shareOfBareGzip: mibPerSecond / bare.mibPerSecond,
    },
    problems: wrong(plain, records),
  };
}

/** The object holds every record once, whole; shards come one after the other. */
function wrong(plain: Buffer, records: readonly string[]): readonly string[] {
  const found = plain.toString().split('\n').slice(0, -1).toSorted();
  const wanted = records.map((record) => record.slice(0, -1)).toSorted();
  const isSame = found.length === wanted.length && found.every((line, index) => line === wanted[index]);
  return isSame ? [] : [`${found.length} lines delivered of ${wanted.length}, or not the same`];
}

async function createDelivery(port: number): Promise<void> {
  const answer = await call(`http://127.0.0.1:${port}`, 'Firehose_20150804.CreateDeliveryStream', {
    DeliveryStreamName: NAME,
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: { KinesisStreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}` },
    ExtendedS3DestinationConfiguration: {
      BucketARN: `arn:aws:s3:::${BUCKET}`,
      BufferingHints: { SizeInMBs: 128, IntervalInSeconds: 900 },
      CompressionFormat: 'GZIP',
    },
  });
  if (answer.status !== 200) throw new Error(`CreateDeliveryStream: ${JSON.stringify(answer.body)}`);
}

async function put(port: number, records: readonly string[]): Promise<void> {
  for (let from = 0; from < records.length; from += BATCH) {
    const Records = records.slice(from, from + BATCH).map((record, index) => {
      return { Data: Buffer.from(record).toString('base64'), PartitionKey: String(from + index) };
    });
    const answer = await call(`http://127.0.0.1:${port}`, 'Kinesis_20131202.PutRecords', {
      StreamName: STREAM,
      Records,
    });
    if (answer.status !== 200) throw new Error(`PutRecords: ${JSON.stringify(answer.body)}`);
  }
}

/** Counting what came is not part of encoding it. */
async function gathered(port: number, count: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/admin/deliveries/${NAME}`);
    if (((await answer.json()) as { recordsWaiting: number }).recordsWaiting === count) return;
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function flush(port: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/admin/deliveries/${NAME}/flush`, { method: 'POST' });
  if (!((await answer.json()) as { flushed: boolean }).flushed) throw new Error('the flush took too long');
}

function objects(scratch: string): readonly string[] {
  const root = join(scratch, 'data', 'buckets', BUCKET);
  const found = readdirSync(root, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}
