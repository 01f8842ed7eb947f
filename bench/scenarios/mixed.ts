import { put } from '../load.ts';
import { Verdict } from '../records.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';
import { onServer, type Server } from '../server.ts';
import { latencyFigures } from '../statistics.ts';
import { timed } from '../stopwatch.ts';
import { createStream, ShardReader } from '../stream.ts';

const WRITERS = 4;
const BATCH = 100;
const IDS_PER_WRITER = 4_000_000;
/** A reader that found nothing waits this long: a closed loop of empty reads would measure itself. */
const PAUSE_MS = 5;

/** Four writers and a tailing reader for each of the four shards; the time of sending is in the record. */
export const mixed: Scenario = {
  name: 'mixed',
  title: `${WRITERS} writers of PutRecords x${BATCH} with 4 tailing readers`,
  onRequest: false,
  millraceOnly: false,
  secondsMax: ({ seconds }) => seconds * 5 + 30,
  async measure(place) {
    return await onServer(place, async (server) => await measureOn(server, place));
  },
};

async function measureOn(server: Server, { options, contender: { wire } }: Place): Promise<Outcome> {
  const shardIds = await createStream(server.port);
  const verdict = new Verdict(wire, WRITERS * IDS_PER_WRITER, IDS_PER_WRITER);
  const delaysMs: number[] = [];
  let written = Number.POSITIVE_INFINITY;
  const tail = async (shardId: string): Promise<void> => {
    const reader = await ShardReader.open(server.port, shardId, verdict, WRITERS);
    while (verdict.count < written) {
      const { found, isAtTip } = await reader.next((timeUs) => delaysMs.push(performance.now() - timeUs / 1000));
      if (isAtTip && Number.isFinite(written)) break;
      if (found === 0) await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
    reader.close();
  };
  const lap = await timed(server, async () => {
    const tails = shardIds.map(tail);
    const endAt = performance.now() + options.seconds * 1000;
    const load = { wire, connections: WRITERS, batch: BATCH, idsPerWriter: IDS_PER_WRITER, timed: true };
    const writing = put(server.port, { ...load, isOver: () => performance.now() >= endAt });
    const stored = await Promise.race([writing, Promise.all(tails).then(async () => await writing)]);
    const seconds = (performance.now() - endAt) / 1000 + options.seconds;
    written = stored.reduce((sum, { count }) => sum + count, 0);
    await Promise.all(tails);
    return { stored, seconds };
  });
  const latencies = lap.result.stored.flatMap(({ latenciesMs }) => latenciesMs);
  const missing = written - verdict.count;
  return {
    figures: {
      putRecordsPerSecond: written / lap.result.seconds,
      ...latencyFigures(latencies, delaysMs),
      putServerCpuUs: (lap.serverCpuSeconds / written) * 1e6,
      putClientCpuUs: (lap.clientCpuSeconds / written) * 1e6,
      peakRssMiB: server.usage().peakRssMiB,
    },
    problems: missing === 0 ? verdict.problems : [...verdict.problems, `${missing} missing`],
  };
}
