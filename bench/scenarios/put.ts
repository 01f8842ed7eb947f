import { bareDisk, type BareDisk } from '../bare-disk.ts';
import type { Figures } from '../figures.ts';
import { put, type Stored } from '../load.ts';
import { recordBytes, Verdict } from '../records.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';
import { onServer, type Server } from '../server.ts';
import { whenSettled } from '../settled.ts';
import { percentile } from '../statistics.ts';
import { timed, type Lap } from '../stopwatch.ts';
import { createStream, drain } from '../stream.ts';

const IDS_MAX = 16_000_000;
const MIB = 1024 * 1024;
/** About what one commit holds: batches, or what 64 connections put at once. */
const BARE_BLOCK_BYTES = { batch: MIB, single: 64 * 1024 };

/** Puts in a closed loop, then reads everything back. */
export function putScenario(name: string, connections: number, batch: number): Scenario {
  const isSingle = batch === 1;
  return {
    name,
    title: `${isSingle ? 'PutRecord' : `PutRecords x${batch}`}, ${connections} connections`,
    onRequest: false,
    millraceOnly: false,
    secondsMax: ({ seconds, settled }) => seconds * 20 + 60 + (settled ? 180 : 0),
    async measure(place) {
      const { contender, scratch } = place;
      const bare = contender.isMillrace
        ? bareDisk(scratch, isSingle ? BARE_BLOCK_BYTES.single : BARE_BLOCK_BYTES.batch)
        : undefined;
      return await onServer(place, async (server) => await measureOn(server, { place, connections, batch, bare }));
    },
  };
}

interface Shape {
  readonly place: Place;
  readonly connections: number;
  readonly batch: number;
  readonly bare: BareDisk | undefined;
}

async function measureOn(server: Server, shape: Shape): Promise<Outcome> {
  const { place, connections, batch, bare } = shape;
  const shardIds = await createStream(server.port);
  const idsPerWriter = Math.floor(IDS_MAX / connections);
  const endAt = performance.now() + place.options.seconds * 1000;
  const { wire } = place.contender;
  const load = { wire, connections, batch, idsPerWriter, isOver: () => performance.now() >= endAt };
  const putting = await timed(server, async () => await put(server.port, load));
  const stored = putting.result.reduce((sum, { count }) => sum + count, 0);
  const drainOnce = async (): Promise<Drained> =>
    await drainAll(server, shardIds, stored, new Verdict(wire, IDS_MAX, idsPerWriter), connections);
  const first = await drainOnce();
  const figures: Figures = {
    ...putFigures(putting.result, putting, stored),
    drainRecordsPerSecond: stored / first.lap.seconds,
    drainServerCpuUs: (first.lap.serverCpuSeconds / stored) * 1e6,
    drainClientCpuUs: (first.lap.clientCpuSeconds / stored) * 1e6,
    ...(bare !== undefined && bareFigures(bare, putting, stored)),
  };
  const again = batch === 1 ? await drainAgain(stored, drainOnce) : { figures: {}, problems: [] };
  const settles = place.options.settled && place.contender.isMillrace && batch === 1;
  const settled = settles ? await drainSettled(server, stored, drainOnce) : { figures: {}, problems: [] };
  return {
    figures: { ...figures, ...again.figures, ...settled.figures, peakRssMiB: server.usage().peakRssMiB },
    problems: [...first.problems, ...again.problems, ...settled.problems],
  };
}

interface Drained {
  readonly lap: Lap;
  readonly problems: readonly string[];
}

async function drainAll(
  server: Server,
  shardIds: readonly string[],
  stored: number,
  verdict: Verdict,
  writers: number,
): Promise<Drained> {
  const lap = await timed(server, async () => await drain(server.port, shardIds, verdict, writers));
  const missing = stored - verdict.count;
  return { lap, problems: missing === 0 ? verdict.problems : [...verdict.problems, `${missing} missing`] };
}

function putFigures(results: readonly Stored[], lap: Lap, stored: number): Figures {
  const latencies = results.flatMap(({ latenciesMs }) => latenciesMs);
  return {
    putRecordsPerSecond: stored / lap.seconds,
    putP50Ms: percentile(latencies, 0.5),
    putP99Ms: percentile(latencies, 0.99),
    putServerCpuUs: (lap.serverCpuSeconds / stored) * 1e6,
    putClientCpuUs: (lap.clientCpuSeconds / stored) * 1e6,
  };
}

function bareFigures(bare: BareDisk, lap: Lap, stored: number): Figures {
  return {
    diskBytesPerByte: lap.writtenBytes / (stored * recordBytes),
    bareMiBPerSecond: bare.mibPerSecond,
    bareP50Ms: bare.p50Ms,
    shareOfBare: lap.writtenBytes / MIB / lap.seconds / bare.mibPerSecond,
  };
}

/** Single puts are few: the first drain of them is over before a platform that compiles what runs often has done so. */
async function drainAgain(stored: number, drainOnce: () => Promise<Drained>): Promise<Outcome> {
  const { lap, problems } = await drainOnce();
  const figures = {
    drainAgainRecordsPerSecond: stored / lap.seconds,
    drainAgainServerCpuUs: (lap.serverCpuSeconds / stored) * 1e6,
  };
  return { figures, problems };
}

async function drainSettled(server: Server, stored: number, drainOnce: () => Promise<Drained>): Promise<Outcome> {
  const settledAfterSeconds = await whenSettled(server.port);
  if (settledAfterSeconds === undefined) return { figures: {}, problems: [] };
  const { lap, problems } = await drainOnce();
  const figures = {
    settledAfterSeconds,
    settledDrainRecordsPerSecond: stored / lap.seconds,
    settledDrainServerCpuUs: (lap.serverCpuSeconds / stored) * 1e6,
  };
  return { figures, problems };
}
