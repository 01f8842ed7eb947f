import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { bareGzip } from '../bare-gzip.ts';
import { action, createGzipDelivery, flushDelivery, objectsOf, whenDelivery } from '../delivery.ts';
import { eventRecords } from '../event-records.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';
import { onServer, type Server } from '../server.ts';
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
    return await onServer(place, async (server) => await measured(server, place));
  },
};

async function measured(server: Server, { scratch }: Place): Promise<Outcome> {
  await createStream(server.port);
  const hints = { SizeInMBs: 128, IntervalInSeconds: 900 };
  await createGzipDelivery(server.port, { name: NAME, stream: STREAM, bucket: BUCKET, ...hints });
  await put(server.port, eventRecords(WARMING_BYTES, 1));
  await flushDelivery(server.port, NAME);
  const before = objectsOf(scratch, BUCKET);
  const records = eventRecords(BYTES, 2);
  await put(server.port, records);
  // Counting what came is not part of encoding it.
  await whenDelivery(server.port, NAME, ({ recordsWaiting }) => recordsWaiting === records.length);
  // Nor is what the log does with puts behind them.
  await whenSettled(server.port);
  const lap = await timed(server, async () => await flushDelivery(server.port, NAME));
  const [made, ...others] = objectsOf(scratch, BUCKET).filter((path) => !before.includes(path));
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

async function put(port: number, records: readonly string[]): Promise<void> {
  for (let from = 0; from < records.length; from += BATCH) {
    const Records = records.slice(from, from + BATCH).map((record, index) => {
      return { Data: Buffer.from(record).toString('base64'), PartitionKey: String(from + index) };
    });
    await action(port, 'Kinesis_20131202.PutRecords', { StreamName: STREAM, Records });
  }
}
