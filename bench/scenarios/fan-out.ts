import { Connection } from '../client.ts';
import { put, type Stored } from '../load.ts';
import { Verdict } from '../records.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';
import { onServer, type Server } from '../server.ts';
import { latencyFigures } from '../statistics.ts';
import { timed } from '../stopwatch.ts';
import { callJson, createStream, STREAM } from '../stream.ts';
import { Subscriber } from '../subscriber.ts';
import type { Wire } from '../wire.ts';

const WRITERS = 4;
const IDS_PER_WRITER = 100_000;
/** What is late by then is missing. */
const LATE_MS_MAX = 10_000;

/** What is put, and who is sent it. */
interface Shape {
  readonly shards: number;
  readonly consumers: number;
  /** Records in one request; 1: PutRecord. */
  readonly batch: number;
  readonly recordsPerSecond: number;
}

/** A fixed rate of records, each sent to every consumer; the time of sending is in the record. */
export function fanOutScenario(name: string, title: string, shape: Shape): Scenario {
  return {
    name,
    title,
    onRequest: false,
    millraceOnly: false,
    isFanOut: true,
    secondsMax: ({ seconds }) => seconds * 3 + 60,
    async measure(place) {
      return await onServer(place, async (server) => await measureOn(server, place, shape));
    },
  };
}

async function measureOn(server: Server, { options, contender }: Place, shape: Shape): Promise<Outcome> {
  const shardIds = await createStream(server.port, shape.shards);
  const delaysMs: number[] = [];
  const { wire } = contender;
  const idsMax = WRITERS * IDS_PER_WRITER;
  const verdicts = Array.from({ length: shape.consumers }, () => new Verdict(wire, idsMax, IDS_PER_WRITER));
  const subscribers = (await registerAll(server.port, shape.consumers)).flatMap((ConsumerARN, index) =>
    shardIds.map((ShardId) => {
      const onTime = (timeUs: number): void => void delaysMs.push(performance.now() - timeUs / 1000);
      return new Subscriber(server.port, { ConsumerARN, ShardId }, verdicts[index] as Verdict, WRITERS, onTime);
    }),
  );
  // The first records wait for connections that are being made, nobody's figure.
  await new Promise((done) => setTimeout(done, 500));
  const lap = await timed(server, async () => {
    const stored = await putPaced(server.port, wire, shape, options.seconds);
    const written = stored.reduce((sum, { count }) => sum + count, 0);
    await received(verdicts, subscribers, written);
    return { written, latenciesMs: stored.flatMap(({ latenciesMs }) => latenciesMs) };
  });
  const { written, latenciesMs } = lap.result;
  const problems = problemsOf(verdicts, subscribers, written);
  for (const subscriber of subscribers) subscriber.close();
  const sent = written * shape.consumers;
  return {
    figures: {
      putRecordsPerSecond: written / options.seconds,
      ...latencyFigures(latenciesMs, delaysMs),
      fanOutServerCpuUs: (lap.serverCpuSeconds / sent) * 1e6,
      fanOutClientCpuUs: (lap.clientCpuSeconds / sent) * 1e6,
      peakRssMiB: server.usage().peakRssMiB,
    },
    problems,
  };
}

function problemsOf(verdicts: readonly Verdict[], subscribers: readonly Subscriber[], written: number): string[] {
  const ended = subscribers.flatMap(({ problem }) => problem ?? []);
  const missing = verdicts.reduce((sum, { count }) => sum + written - count, 0);
  const all = [
    ...ended,
    ...verdicts.flatMap(({ problems }) => problems),
    ...(missing === 0 ? [] : [`${missing} missing`]),
  ];
  return [...new Set(all)];
}

/** Registers consumers and waits until each is active. */
async function registerAll(port: number, count: number): Promise<readonly string[]> {
  const connection = await Connection.open(port);
  const { StreamDescription } = await callJson(connection, 'DescribeStream', { StreamName: STREAM });
  const { StreamARN } = StreamDescription as { StreamARN: string };
  const arns: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const ConsumerName = `consumer-${index}`;
    const { Consumer } = await callJson(connection, 'RegisterStreamConsumer', { StreamARN, ConsumerName });
    const { ConsumerARN } = Consumer as { ConsumerARN: string };
    for (;;) {
      const { ConsumerDescription } = await callJson(connection, 'DescribeStreamConsumer', { ConsumerARN });
      if ((ConsumerDescription as { ConsumerStatus: string }).ConsumerStatus === 'ACTIVE') break;
      await new Promise((done) => setTimeout(done, 20));
    }
    arns.push(ConsumerARN);
  }
  connection.close();
  return arns;
}

/** Puts at the rate of the shape, on all connections in turn. */
async function putPaced(port: number, wire: Wire, shape: Shape, seconds: number): Promise<readonly Stored[]> {
  const betweenMs = (shape.batch / shape.recordsPerSecond) * 1000;
  const beginAt = performance.now();
  const endAt = beginAt + seconds * 1000;
  let sent = 0;
  const turn = async (): Promise<void> => {
    const at = beginAt + sent * betweenMs;
    sent += 1;
    const leftMs = at - performance.now();
    if (leftMs > 0) await new Promise((done) => setTimeout(done, leftMs));
  };
  const isOver = (): boolean => performance.now() >= endAt;
  return await put(port, {
    wire,
    connections: WRITERS,
    batch: shape.batch,
    idsPerWriter: IDS_PER_WRITER,
    timed: true,
    isOver,
    turn,
  });
}

/** Waits until all consumers have all records, or some are late. */
async function received(
  verdicts: readonly Verdict[],
  subscribers: readonly Subscriber[],
  written: number,
): Promise<void> {
  const lateAt = performance.now() + LATE_MS_MAX;
  const isDone = (): boolean =>
    verdicts.every(({ count }) => count >= written) || subscribers.some(({ problem }) => problem !== undefined);
  while (!isDone() && performance.now() < lateAt) await new Promise((done) => setTimeout(done, 5));
}
