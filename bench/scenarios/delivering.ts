import { action, changeDelivery, createGzipDelivery, deliveryCounts, whenDelivery } from '../delivery.ts';
import { eventRecords } from '../event-records.ts';
import { put, type Stored } from '../load.ts';
import { Verdict } from '../records.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';
import { onServer, type Server } from '../server.ts';
import { whenSettled } from '../settled.ts';
import { percentile } from '../statistics.ts';
import { createStream, drain } from '../stream.ts';

const MIB = 1024 * 1024;
/** What a delivery at full speed may take of a backlog in a second. */
const MIB_PER_SECOND = 150;
/** Different records of the backlog: more than any window of a compressor. */
const EVENT_BYTES = 16 * MIB;
const BATCH = 500;
const BACKLOG = 'backlog';
const PHASES = 4;
const WRITERS = 16;
const PUTS_PER_SECOND = 400;
const IDS_PER_WRITER = 100_000;

/** PutRecord at a fixed rate, with and without a delivery of another stream's backlog at full speed, in turns. */
export const delivering: Scenario = {
  name: 'delivering',
  title: `delivering: PutRecord at ${PUTS_PER_SECOND} records/s, and a backlog of JSON delivered as GZIP`,
  onRequest: true,
  millraceOnly: true,
  secondsMax: ({ seconds }) => 120 + seconds * 30,
  async measure(place) {
    return await onServer(place, async (server) => await measured(server, place));
  },
};

async function measured(server: Server, { contender, options }: Place): Promise<Outcome> {
  const { port } = server;
  const { wire } = contender;
  const shardIds = await createStream(port);
  const bytesPerRecord = await fill(port, (options.seconds * PHASES * MIB_PER_SECOND * MIB) / 2);
  const [alone, beside, rates]: [number[], number[], number[]] = [[], [], []];
  let stored: readonly Stored[] = [];
  // The first puts wait for code that the platform has not compiled yet.
  for (let phase = -1; phase < PHASES; phase += 1) {
    const isDelivering = phase % 2 === 1;
    if (isDelivering) await changeDelivery(port, BACKLOG, 'resume');
    const before = await deliveryCounts(port, BACKLOG);
    if (isDelivering) await whenDelivery(port, BACKLOG, (now) => now.recordsDelivered > before.recordsDelivered);
    const begun = await deliveryCounts(port, BACKLOG);
    const startedAt = performance.now();
    const nextIds = stored.map(({ firstId, count }) => firstId + count);
    const load = { wire, connections: WRITERS, batch: 1, idsPerWriter: IDS_PER_WRITER, ...paced(options.seconds) };
    stored = await put(port, load, stored.length === 0 ? undefined : nextIds);
    const ended = await deliveryCounts(port, BACKLOG);
    const seconds = (performance.now() - startedAt) / 1000;
    const latencies = stored.flatMap(({ latenciesMs }) => latenciesMs);
    if (isDelivering) {
      await changeDelivery(port, BACKLOG, 'pause');
      rates.push(((ended.recordsDelivered - begun.recordsDelivered) * bytesPerRecord) / MIB / seconds);
    }
    if (phase >= 0) (isDelivering ? beside : alone).push(...latencies);
  }
  const verdict = new Verdict(wire, WRITERS * IDS_PER_WRITER, IDS_PER_WRITER);
  await drain(port, shardIds, verdict, WRITERS);
  const wanted = stored.reduce((sum, { firstId, count }, writer) => sum + firstId + count - writer * IDS_PER_WRITER, 0);
  const [aloneP99Ms, deliveringP99Ms] = [percentile(alone, 0.99), percentile(beside, 0.99)];
  return {
    figures: {
      aloneP99Ms,
      deliveringP99Ms,
      deliveringTimesAlone: deliveringP99Ms / aloneP99Ms,
      deliveredMiBPerSecond: rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
      peakRssMiB: server.usage().peakRssMiB,
    },
    problems: [
      ...verdict.problems,
      ...(verdict.count === wanted ? [] : [`${wanted - verdict.count} missing`]),
      ...(rates.every((rate) => rate > 0) ? [] : ['the backlog was too short']),
    ],
  };
}

/** At the fixed rate, on all connections in turn. */
function paced(seconds: number): { isOver: () => boolean; turn: () => Promise<void> } {
  const beginAt = performance.now();
  let sent = 0;
  return {
    isOver: () => performance.now() >= beginAt + seconds * 1000,
    turn: async () => {
      const leftMs = beginAt + (sent++ / PUTS_PER_SECOND) * 1000 - performance.now();
      if (leftMs > 0) await new Promise((done) => setTimeout(done, leftMs));
    },
  };
}

/** A paused delivery with at least so many bytes before it; resolves with the bytes of one record, on average. */
async function fill(port: number, sizeBytes: number): Promise<number> {
  await action(port, 'Kinesis_20131202.CreateStream', { StreamName: BACKLOG, ShardCount: 4 });
  const hints = { SizeInMBs: 32, IntervalInSeconds: 900 };
  await createGzipDelivery(port, { name: BACKLOG, stream: BACKLOG, bucket: BACKLOG, ...hints });
  await changeDelivery(port, BACKLOG, 'pause');
  const records = eventRecords(EVENT_BYTES, 1);
  const bytesPerRecord = records.reduce((sum, record) => sum + record.length, 0) / records.length;
  const inputs = Array.from({ length: Math.floor(records.length / BATCH) }, (_, index) => ({
    StreamName: BACKLOG,
    Records: records.slice(index * BATCH, (index + 1) * BATCH).map((record, at) => {
      return { Data: Buffer.from(record).toString('base64'), PartitionKey: String(index * BATCH + at) };
    }),
  }));
  for (let put = 0; put * BATCH * bytesPerRecord < sizeBytes; put += 1) {
    await action(port, 'Kinesis_20131202.PutRecords', inputs[put % inputs.length]);
  }
  await whenSettled(port);
  return bytesPerRecord;
}
