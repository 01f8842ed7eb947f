import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { changeDelivery, createGzipDelivery, deliveryCounts, flushDelivery, objectsOf } from '../delivery.ts';
import { put, type Stored } from '../load.ts';
import { DIGITS, recordBytes } from '../records.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';
import { onServer, type Server } from '../server.ts';
import { timed } from '../stopwatch.ts';
import { createStream, STREAM } from '../stream.ts';
import { wires, type Wire } from '../wire.ts';

const MIB = 1024 * 1024;
const CONNECTIONS = 4;
const BATCH = 500;
const NAME = 'late';
const BUCKET = 'late';
const TENTHS = 10;
const LOOK_AGAIN_MS = 50;
/** Of a record's data, that are a number's digits in base64. */
const NUMBER_BYTES = (DIGITS / 4) * 3;

/** A delivery that begins once all is there: memory must not grow with what lies before it. */
export const catchUp: Scenario = {
  name: 'catch-up',
  title: 'catch-up: 1 KiB records that lie before a delivery, delivered as GZIP',
  onRequest: true,
  millraceOnly: true,
  roundsMax: 1,
  secondsMax: ({ records }) => 120 + records / 10_000,
  async measure(place) {
    return await onServer(place, async (server) => await measured(server, place));
  },
};

async function measured(server: Server, { contender, options, scratch }: Place): Promise<Outcome> {
  const { port } = server;
  await createStream(port);
  const hints = { SizeInMBs: 64, IntervalInSeconds: 900 };
  await createGzipDelivery(port, { name: NAME, stream: STREAM, bucket: BUCKET, ...hints });
  await changeDelivery(port, NAME, 'pause');
  let left = options.records;
  const isOver = (): boolean => (left -= BATCH) < 0;
  const idsPerWriter = options.records;
  const load = { wire: contender.wire, connections: CONNECTIONS, batch: BATCH, idsPerWriter, isOver };
  const stored = await put(port, load);
  const count = stored.reduce((sum, part) => sum + part.count, 0);
  const { result: tenths, ...lap } = await timed(server, async () => {
    await changeDelivery(port, NAME, 'resume');
    return await caughtUp(server, count);
  });
  process.stderr.write(`  highest RSS in each tenth, MiB: ${tenths.map((rss) => rss.toFixed(0)).join(', ')}\n`);
  // In the first tenth a fresh process grows to what it needs.
  const [, firstRssMiB = 0, ...later] = tenths;
  const mib = (count * recordBytes) / MIB;
  return {
    figures: {
      caughtUpMiBPerSecond: mib / lap.seconds,
      caughtUpServerCpuMs: (lap.serverCpuSeconds * 1000) / mib,
      firstRssMiB,
      grownRssMiB: Math.max(...later) - firstRssMiB,
      peakRssMiB: server.usage().peakRssMiB,
    },
    problems: await wrong(objectsOf(scratch, BUCKET), stored, { wire: contender.wire, idsPerWriter }),
  };
}

/** Resolves once all is delivered, with the highest RSS seen in each tenth of it. */
async function caughtUp(server: Server, count: number): Promise<readonly number[]> {
  const tenths = Array.from({ length: TENTHS }, () => 0);
  let flushing: Promise<void> | undefined;
  for (let delivered = 0; delivered < count;) {
    const { recordsDelivered, recordsWaiting } = await deliveryCounts(server.port, NAME);
    delivered = recordsDelivered;
    const tenth = Math.min(TENTHS - 1, Math.floor((delivered / count) * TENTHS));
    tenths[tenth] = Math.max(tenths[tenth] ?? 0, server.usage().rssMiB);
    // The last batch is not full.
    if (recordsWaiting > 0 && delivered + recordsWaiting === count) flushing ??= flushDelivery(server.port, NAME);
    await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
  }
  await flushing;
  return tenths;
}

/** Every record stands in the objects once. */
async function wrong(
  paths: readonly string[],
  stored: readonly Stored[],
  { wire, idsPerWriter }: { readonly wire: Wire; readonly idsPerWriter: number },
): Promise<string[]> {
  const idOf = (record: Buffer): number =>
    Number(wire === wires.json ? record.toString('base64', 0, NUMBER_BYTES) : record.toString('latin1', 0, DIGITS));
  const seen = new Uint8Array(CONNECTIONS * idsPerWriter);
  let [found, odd] = [0, 0];
  const take = (record: Buffer): void => {
    const id = idOf(record);
    found += 1;
    if (seen[id] !== 0) odd += 1;
    seen[id] = 1;
  };
  for (const path of paths) {
    let held = Buffer.alloc(0);
    for await (const chunk of createReadStream(path).pipe(createGunzip({ chunkSize: MIB }))) {
      held = Buffer.concat([held, chunk as Buffer]);
      const whole = held.length - (held.length % recordBytes);
      for (let at = 0; at < whole; at += recordBytes) take(held.subarray(at, at + recordBytes));
      held = held.subarray(whole);
    }
    odd += held.length;
  }
  const wanted = stored.reduce((sum, { count }) => sum + count, 0);
  if (found === wanted && odd === 0) return [];
  return [`${found} records delivered of ${wanted}, ${odd} of them doubled, unknown or cut`];
}
