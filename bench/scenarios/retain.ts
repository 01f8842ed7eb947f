import { statfsSync } from 'node:fs';
import { put, type Stored } from '../load.ts';
import { recordBytes, Verdict } from '../records.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';
import { onServer, startServer, type Server } from '../server.ts';
import { percentile } from '../statistics.ts';
import { timed, type Lap } from '../stopwatch.ts';
import { createStream, drain, ShardReader } from '../stream.ts';

const CONNECTIONS = 4;
const BATCH = 500;
/** Disk taken at most for each byte of data: frame, names, what is written anew. */
const DISK_SHARE = 1.2;
const SPARE_BYTES = 1e9;
/** Load before the process is killed. */
const KILL_AFTER_MS = 2000;
/** Ids beyond the retained ones, for the load that is cut short. */
const SPARE_IDS = 4_000_000;
const KILLS = 3;

/** Many records put and read back: memory must not grow with what is retained. */
export const retain: Scenario = {
  name: 'retain',
  title: 'retain: 1 KiB records put by x500, all kept, then drained',
  onRequest: true,
  millraceOnly: true,
  roundsMax: 1,
  secondsMax: ({ records }) => 60 + records / 10_000,
  async measure(place) {
    return await onServer(place, async (server) => {
      const { filled, shardIds } = await fill(server, place);
      const putPeakRssMiB = server.usage().peakRssMiB;
      const drained = await drainAll(server, shardIds, place, filled.stored);
      return {
        figures: {
          ...fillFigures(filled.lap, filled.stored),
          drainRecordsPerSecond: drained.count / drained.lap.seconds,
          drainServerCpuUs: (drained.lap.serverCpuSeconds / drained.count) * 1e6,
          drainClientCpuUs: (drained.lap.clientCpuSeconds / drained.count) * 1e6,
          putPeakRssMiB,
          peakRssMiB: server.usage().peakRssMiB,
        },
        problems: drained.problems,
      };
    });
  },
};

/** The same records, then kill -9 under load, and the time of the next start; nothing acknowledged may be missing. */
export const restart: Scenario = {
  name: 'restart',
  title: `restart: kill -9 under load with the same records retained, slowest of ${KILLS}`,
  onRequest: true,
  millraceOnly: true,
  roundsMax: 1,
  secondsMax: ({ records }) => 180 + records / 5_000,
  async measure(place) {
    let server = await startServer(place.contender, `${place.scratch}/data`, place.signal);
    try {
      const { filled, shardIds } = await fill(server, place);
      const stored = [...filled.stored];
      let [readyAfterKillMs, readAfterKillMs] = [0, 0];
      for (let kill = 0; kill < KILLS; kill += 1) {
        stored.push(...(await killUnderLoad(server, place, stored.slice(-CONNECTIONS))));
        server = await startServer(place.contender, `${place.scratch}/data`, place.signal);
        readyAfterKillMs = Math.max(readyAfterKillMs, server.readyMs);
        readAfterKillMs = Math.max(readAfterKillMs, server.readyMs + (await firstReadMs(server, place, shardIds)));
      }
      const { problems } = await drainAll(server, shardIds, place, stored);
      return { figures: { readyAfterKillMs, readAfterKillMs, peakRssMiB: server.usage().peakRssMiB }, problems };
    } finally {
      await server.kill();
    }
  },
};

/** From now to the answer to the first GetRecords, its iterator included. */
async function firstReadMs(server: Server, { contender }: Place, shardIds: readonly string[]): Promise<number> {
  const before = performance.now();
  const idsMax = CONNECTIONS * SPARE_IDS;
  const verdict = new Verdict(contender.wire, idsMax, idsMax);
  const reader = await ShardReader.open(server.port, shardIds[0] ?? '', verdict, 1);
  await reader.next();
  reader.close();
  return performance.now() - before;
}

function idsPerWriter({ options }: Place): number {
  return Math.ceil((options.records + SPARE_IDS) / CONNECTIONS);
}

interface Filled {
  readonly stored: readonly Stored[];
  readonly lap: Lap;
}

async function fill(server: Server, place: Place): Promise<{ filled: Filled; shardIds: readonly string[] }> {
  assertRoom(place);
  const shardIds = await createStream(server.port);
  let left = place.options.records;
  // Each request takes its records off before it is sent: the sum is exact.
  const isOver = (): boolean => (left -= BATCH) < 0;
  const { wire } = place.contender;
  const load = { wire, connections: CONNECTIONS, batch: BATCH, idsPerWriter: idsPerWriter(place), isOver };
  const { result, ...lap } = await timed(server, async () => await put(server.port, load));
  return { filled: { stored: result, lap }, shardIds };
}

function assertRoom({ scratch, options }: Place): void {
  const needed = options.records * recordBytes * DISK_SHARE + SPARE_BYTES;
  const { bavail, bsize } = statfsSync(scratch);
  const free = bavail * bsize;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  process.stderr.write(`  needs ${gigabytes(needed)} of disk below ${scratch}; free: ${gigabytes(free)}\n`);
  if (free < needed) throw new Error(`only ${gigabytes(free)} free, ${gigabytes(needed)} needed: fewer --records?`);
}

async function killUnderLoad(server: Server, place: Place, stored: readonly Stored[]): Promise<readonly Stored[]> {
  // What was in flight at the last kill may be there: its ids are not used again.
  const nextIds = stored.map(({ firstId, count }) => firstId + count + BATCH);
  const { wire } = place.contender;
  const shape = { wire, connections: CONNECTIONS, batch: BATCH, idsPerWriter: idsPerWriter(place) };
  const cut = put(server.port, { ...shape, mayBreak: true, isOver: () => false }, nextIds);
  await new Promise((done) => setTimeout(done, KILL_AFTER_MS));
  await server.kill();
  return await cut;
}

interface Drained {
  readonly lap: Lap;
  readonly count: number;
  readonly problems: readonly string[];
}

async function drainAll(
  server: Server,
  shardIds: readonly string[],
  place: Place,
  stored: readonly Stored[],
): Promise<Drained> {
  const perWriter = idsPerWriter(place);
  const verdict = new Verdict(place.contender.wire, perWriter * CONNECTIONS, perWriter);
  const lap = await timed(server, async () => await drain(server.port, shardIds, verdict, CONNECTIONS));
  return { lap, count: verdict.count, problems: [...verdict.problems, ...missing(verdict, stored)] };
}

/** Every acknowledged record must have come; of those in flight when the process was killed, any. */
function missing(verdict: Verdict, stored: readonly Stored[]): readonly string[] {
  let count = 0;
  for (const part of stored) {
    for (let id = part.firstId; id < part.firstId + part.count; id += 1) if (!verdict.has(id)) count += 1;
  }
  return count === 0 ? [] : [`${count} missing`];
}

function fillFigures(lap: Lap, parts: readonly Stored[]): Outcome['figures'] {
  const stored = parts.reduce((sum, { count }) => sum + count, 0);
  const latencies = parts.flatMap(({ latenciesMs }) => latenciesMs);
  return {
    putRecordsPerSecond: stored / lap.seconds,
    putP50Ms: percentile(latencies, 0.5),
    putP99Ms: percentile(latencies, 0.99),
    putServerCpuUs: (lap.serverCpuSeconds / stored) * 1e6,
    putClientCpuUs: (lap.clientCpuSeconds / stored) * 1e6,
    diskBytesPerByte: lap.writtenBytes / (stored * recordBytes),
  };
}
