import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { action, changeDelivery } from '../delivery.ts';
import { eventRecords } from '../event-records.ts';
import type { Outcome, Scenario } from '../scenario.ts';
import { onServer, type Server } from '../server.ts';
import { whenSettled } from '../settled.ts';
import { timed } from '../stopwatch.ts';

const MIB = 1024 * 1024;
const BYTES = 96 * MIB;
const BATCH = 500;
/** Of a request at most (AWS), and of most requests here: a batch holds more. */
const REQUEST_RECORDS = 10_000;
const NAME = 'sent';
const LOOK_AGAIN_MS = 5;

/** Event JSON that waits in the log is sent to a local receiver in requests of 10,000 records. */
export const httpEndpoint: Scenario = {
  name: 'http-endpoint',
  title: 'http-endpoint: 96 MiB of JSON to a local receiver, 10,000 records a request',
  onRequest: true,
  millraceOnly: true,
  secondsMax: () => 180,
  async measure(place) {
    const receiver = await startReceiver();
    try {
      return await onServer(place, async (server) => await measured(server, receiver));
    } finally {
      receiver.close();
    }
  },
};

interface Receiver {
  readonly url: string;
  /** Bodies as they came; looked into when nothing is measured any more. */
  readonly bodies: readonly Buffer[];
  /** Records so far. */
  readonly count: () => number;
  readonly close: () => void;
}

const RECORD = Buffer.from('{"data":');

async function startReceiver(): Promise<Receiver> {
  const bodies: Buffer[] = [];
  let count = 0;
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    bodies.push(body);
    for (let at = body.indexOf(RECORD); at >= 0; at = body.indexOf(RECORD, at + RECORD.length)) count += 1;
    const requestId = request.headers['x-amz-firehose-request-id'];
    const text = JSON.stringify({ requestId, timestamp: Date.now() });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, bodies, count: () => count, close: () => void server.close() };
}

async function measured(server: Server, receiver: Receiver): Promise<Outcome> {
  await createDelivery(server.port, receiver.url);
  await changeDelivery(server.port, NAME, 'pause');
  const records = eventRecords(BYTES, 2);
  await put(server.port, records);
  await whenSettled(server.port);
  const lap = await timed(server, async () => {
    await changeDelivery(server.port, NAME, 'resume');
    while (receiver.count() < records.length) await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
  });
  const mib = records.reduce((sum, record) => sum + record.length, 0) / MIB;
  return {
    figures: { httpMiBPerSecond: mib / lap.seconds, httpServerCpuMs: (lap.serverCpuSeconds * 1000) / mib },
    problems: wrong(receiver.bodies, records),
  };
}

/** Every record came once, whole, and most in full requests. */
function wrong(bodies: readonly Buffer[], records: readonly string[]): readonly string[] {
  const requests = bodies.map(
    (body) => (JSON.parse(body.toString()) as { records: readonly { data: string }[] }).records,
  );
  const found = requests.flat().map(({ data }) => Buffer.from(data, 'base64').toString());
  const [sorted, wanted] = [found.toSorted(), records.toSorted()];
  const isSame = sorted.length === wanted.length && sorted.every((record, index) => record === wanted[index]);
  const full = requests.filter(({ length }) => length === REQUEST_RECORDS).length;
  return [
    ...(isSame ? [] : [`${found.length} records arrived of ${records.length}, or not the same`]),
    ...(full * 2 > requests.length ? [] : [`${full} of ${requests.length} requests had ${REQUEST_RECORDS} records`]),
  ];
}

async function createDelivery(port: number, Url: string): Promise<void> {
  await action(port, 'Firehose_20150804.CreateDeliveryStream', {
    DeliveryStreamName: NAME,
    HttpEndpointDestinationConfiguration: {
      EndpointConfiguration: { Url },
      BufferingHints: { SizeInMBs: 16, IntervalInSeconds: 1 },
      S3Configuration: { BucketARN: 'arn:aws:s3:::failed' },
    },
  });
}

async function put(port: number, records: readonly string[]): Promise<void> {
  for (let from = 0; from < records.length; from += BATCH) {
    const Records = records.slice(from, from + BATCH).map((record) => {
      return { Data: Buffer.from(record).toString('base64') };
    });
    await action(port, 'Firehose_20150804.PutRecordBatch', { DeliveryStreamName: NAME, Records });
  }
}
