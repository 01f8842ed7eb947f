import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { SeededRandom } from '../../../environments/simulated/chance.ts';
import { SimulatedCrash } from '../../../environments/simulated/index.ts';
import { openedBlock } from '../../../kernel/bytes/snappy-block.fixture.ts';
import { RequestError, ThrottleError } from '../../../kernel/errors.ts';
import type { ScriptedAnswer, SeenRequest } from '../../../testing/scripted-http.ts';
import { aggregated } from '../../../wire/kpl/aggregated-record.fixture.ts';
import { Unavailable } from '../../../ports/stream-store.ts';
import { firehoseEvents } from '../events.ts';
import { Bench, type Answer } from '../harness.fixture.ts';

const KINESIS = 'Kinesis_20131202';
const STREAM = 'events';
const SECRET = 'a secret of the test';

/** Reads objects of a CompressionFormat by its description. */
const FORMATS: Readonly<Record<string, (packed: Buffer) => Buffer>> = {
  UNCOMPRESSED: (packed) => packed,
  GZIP: (packed) => gunzipSync(packed),
  ZIP: (packed) => {
    const entry = packed.subarray(30 + packed.readUInt16LE(26));
    return inflateRawSync(entry);
  },
  Snappy: (packed) => openedFrames(packed.subarray(16), false),
  HADOOP_SNAPPY: (packed) => openedFrames(packed, true),
};

function openedFrames(frames: Buffer, hasPlainLength: boolean): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < frames.length;) {
    if (hasPlainLength) at += 4;
    const end = at + 4 + frames.readUInt32BE(at);
    blocks.push(openedBlock(frames.subarray(at + 4, end)));
    at = end;
  }
  return Buffer.concat(blocks);
}

/** A record of the stream, as its readers see it; `parts`: what is to leave in its place. */
interface Stored {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly parts: readonly Buffer[];
}

/** An endpoint that fails, takes records and does not say so, or finds requests too large, until it is well. */
class Endpoint {
  isWell = false;
  /** Records of each request that it took, by id. */
  readonly taken = new Map<string, readonly string[]>();
  readonly #random: SeededRandom;
  readonly #bytesMax: number;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#bytesMax = random.pick([200_000, 1_000_000, Infinity]);
  }

  answer({ headers, body }: SeenRequest): ScriptedAnswer {
    const random = this.#random;
    const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    assert.equal(Number(headers['content-length']), body.length);
    const { requestId, records }: Answer = JSON.parse(plain.toString());
    if (plain.length > this.#bytesMax) return { status: 413 };
    const takesMs = random.below(random.chance(0.1) ? 20_000 : 20);
    if (!this.isWell && random.chance(0.3)) return { status: 503, takesMs };
    const data = (records as readonly Answer[]).map((record) => record.data as string);
    const known = this.taken.get(requestId);
    if (known !== undefined) assert.deepEqual(data, known, 'a request that comes again is the same');
    this.taken.set(requestId, data);
    if (!this.isWell && random.chance(0.1)) return { fails: 'ECONNRESET', takesMs };
    const type = { 'content-type': 'application/json' };
    return { takesMs, headers: type, body: JSON.stringify({ requestId, timestamp: 1 }) };
  }
}

/** One seed: a stream with deliveries of all formats and to endpoints, what happens to them, and the model of both. */
export class DataPath {
  readonly random: SeededRandom;
  readonly #bench: Bench;
  readonly #endpoints: Readonly<Record<string, Endpoint>>;
  readonly #sections: Record<string, unknown>;
  readonly #delimiters = new Map<string, string>();
  /** Of records that hold several, by their bytes. */
  readonly #packed = new Map<string, readonly Buffer[]>();
  #names = 0;

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.random = random;
    this.#endpoints = { plain: new Endpoint(random.fork(1)), packed: new Endpoint(random.fork(2)) };
    const servers = (request: SeenRequest): ScriptedAnswer =>
      (this.#endpoints[new URL(request.url).pathname.slice(1)] as Endpoint).answer(request);
    this.#bench = new Bench(seed, { servers });
    this.#sections = {
      streams: { [STREAM]: { ShardCount: 1 + random.below(3), MaxRecordSizeInKiB: 10_240 } },
      gateway: { routes: { 'POST /hooks': { verify: { github: { secrets: [SECRET] } }, to: STREAM } } },
    };
    this.#sections['deliveries'] = {
      ...Object.fromEntries(Object.keys(FORMATS).map((format) => [format, this.#toBucket(format)])),
      plain: this.#toEndpoint('plain', 'NONE'),
      packed: this.#toEndpoint('packed', 'GZIP'),
    };
  }

  async open(): Promise<void> {
    await this.#bench.open(this.#sections);
  }

  /** A step that chance picks; one in which the power goes ends the life. */
  async step(): Promise<void> {
    const put = async (): Promise<void> => await this.#put();
    const step = this.random.pick([
      put,
      put,
      put,
      async () => await this.#putPacked(),
      async () => await this.#post(),
      async () => await this.#reshard(),
      async () => await this.#pass(),
      async () => await this.#hinder(),
    ]);
    await this.#survive(step);
  }

  /** Everything arrives once nothing fails any more. */
  async settle(): Promise<void> {
    this.#bench.simulation.crash();
    this.#bench.simulation.restart();
    await this.open();
    for (const endpoint of Object.values(this.#endpoints)) endpoint.isWell = true;
    for (const name of Object.keys(this.#sections['deliveries'] as object)) {
      let isFlushed = false;
      for (let tries = 0; tries < 20 && !isFlushed; tries += 1) {
        isFlushed = (await this.#bench.admin('POST', '/admin/deliveries/{name}/flush', { name })).flushed;
      }
      assert.ok(isFlushed, `${name} is delivered`);
    }
    assert.deepEqual(this.#bench.node.health().problems, []);
  }

  /** All objects and requests hold what the stream does: each record once, a shard's in their order. */
  async check(): Promise<number> {
    const stored = await this.#stored();
    for (const format of Object.keys(FORMATS)) await this.#checkObjects(format, stored);
    for (const [name, { taken }] of Object.entries(this.#endpoints)) await this.#checkRequests(name, taken, stored);
    return stored.length;
  }

  async #survive(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof RequestError || error instanceof ThrottleError || error instanceof Unavailable) return;
      if (!(error instanceof SimulatedCrash)) throw error;
      this.#bench.simulation.restart();
      await this.#survive(async () => await this.open());
    }
  }

  #toBucket(CompressionFormat: string): object {
    const { random } = this;
    const Enabled = random.chance(0.5);
    this.#delimiters.set(CompressionFormat, Enabled ? '\n' : '');
    return {
      from: STREAM,
      ExtendedS3DestinationConfiguration: {
        BucketARN: bucketOf(CompressionFormat),
        BufferingHints: { SizeInMBs: 1 + random.below(3), IntervalInSeconds: random.below(8) },
        CompressionFormat,
        ProcessingConfiguration: { Enabled, Processors: [{ Type: 'AppendDelimiterToRecord' }] },
      },
    };
  }

  #toEndpoint(name: string, ContentEncoding: string): object {
    const { random } = this;
    return {
      from: STREAM,
      HttpEndpointDestinationConfiguration: {
        EndpointConfiguration: { Url: `https://a.example/${name}` },
        BufferingHints: { SizeInMBs: 1 + random.below(3), IntervalInSeconds: random.below(8) },
        RequestConfiguration: { ContentEncoding },
        RetryOptions: { DurationInSeconds: 7200 },
        S3Configuration: { BucketARN: bucketOf(name) },
      },
    };
  }

  /** Mostly small, and none, or much. Those of some bytes begin with a name that no other has. */
  #data(bytesMax = 1_000_000): Buffer {
    const { random } = this;
    const sizes = [0, random.below(16), random.below(300), random.below(300), random.below(5000)];
    const bytes = Math.min(bytesMax, random.chance(0.03) ? random.below(1_000_000) : random.pick(sizes));
    const name = `${(this.#names += 1)};`;
    // Half of it is hard to compress.
    const filling = Buffer.alloc(bytes, random.chance(0.5) ? 'event ' : random.bytes(1009));
    filling.write(name, 0, 'latin1');
    return filling;
  }

  async #put(): Promise<void> {
    const { random } = this;
    const isLong = random.chance(0.01);
    const data = isLong ? [Buffer.alloc(9_000_000, random.bytes(9973))] : this.#several(20);
    const Records = data.map((one) => ({ PartitionKey: `k${random.below(50)}`, Data: one.toString('base64') }));
    await this.#bench.call(`${KINESIS}.PutRecords`, { StreamName: STREAM, Records });
  }

  async #putPacked(): Promise<void> {
    const parts = this.#several(40, 5000);
    const keys = ['one', 'other'];
    const packed = aggregated(
      keys,
      parts.map((data) => ({ key: this.random.below(keys.length), data })),
    );
    this.#packed.set(packed.toString('base64'), parts);
    const record = { StreamName: STREAM, PartitionKey: 'k', Data: packed.toString('base64') };
    await this.#bench.call(`${KINESIS}.PutRecord`, record);
  }

  #several(countMax: number, bytesMax?: number): readonly Buffer[] {
    return Array.from({ length: 1 + this.random.below(countMax) }, () => this.#data(bytesMax));
  }

  /** A webhook: its record has headers. */
  async #post(): Promise<void> {
    const body = JSON.stringify({ name: (this.#names += 1), text: 'x'.repeat(this.random.below(500)) });
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': `id-${this.#names}`,
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    };
    await this.#bench.post('/hooks', headers, body);
  }

  async #reshard(): Promise<void> {
    const TargetShardCount = 1 + this.random.below(4);
    const call = { StreamName: STREAM, TargetShardCount, ScalingType: 'UNIFORM_SCALING' };
    await this.#bench.call(`${KINESIS}.UpdateShardCount`, call);
  }

  async #pass(): Promise<void> {
    await this.#bench.simulation.pass(this.random.below(6000));
  }

  /** What the machine does to the node, by chance. */
  async #hinder(): Promise<void> {
    const { random } = this;
    const { simulation } = this.#bench;
    const kind = random.below(4);
    if (kind === 0) simulation.crashAfterFileOperations(1 + random.below(40));
    else if (kind === 1) simulation.failNext(random.pick(['rename', 'write']), 'ENOSPC', 'ENOSPC');
    else if (kind === 2) simulation.stepClock(random.below(7_200_000) - 3_600_000);
    else await this.#pause();
    await this.#pass();
  }

  async #pause(): Promise<void> {
    const name = this.random.pick(Object.keys(this.#sections['deliveries'] as object));
    await this.#bench.admin('POST', '/admin/deliveries/{name}/pause', { name });
    try {
      await this.#pass();
    } finally {
      // Where the power goes meanwhile, or the disk is full, nobody knows whether it is resumed.
      for (let tries = 0; tries < 3; tries += 1) {
        await this.#survive(
          async () => void (await this.#bench.admin('POST', '/admin/deliveries/{name}/resume', { name })),
        );
      }
    }
  }

  async #stored(): Promise<readonly Stored[]> {
    const { Shards } = await this.#bench.call(`${KINESIS}.ListShards`, { StreamName: STREAM });
    const stored: Stored[] = [];
    for (const { ShardId } of Shards as readonly Answer[]) {
      const from = { StreamName: STREAM, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      let iterator = (await this.#bench.call(`${KINESIS}.GetShardIterator`, from)).ShardIterator;
      for (let isEnd = false; !isEnd;) {
        const page = await this.#bench.call(`${KINESIS}.GetRecords`, { ShardIterator: iterator });
        for (const { Data, SequenceNumber } of page.Records as readonly Answer[]) {
          const parts = this.#packed.get(Data) ?? [Buffer.from(Data, 'base64')];
          stored.push({ shardId: ShardId, sequenceNumber: SequenceNumber, parts });
        }
        iterator = page.NextShardIterator;
        isEnd = iterator === undefined || (page.Records.length === 0 && page.MillisBehindLatest === 0);
      }
    }
    return stored;
  }

  async #checkObjects(name: string, stored: readonly Stored[]): Promise<void> {
    const bucket = bucketOf(name);
    const open = FORMATS[name] as (bytes: Buffer) => Buffer;
    const packed = [...(await this.#bench.objects(bucket))];
    const objects = new Map(packed.map(([key, bytes]) => [`/data/buckets/${bucket}/${key}`, new Tiles(open(bytes))]));
    const delimiter = Buffer.from(this.#delimiters.get(name) ?? '');
    const bytesOf = ({ parts }: Stored): Buffer => Buffer.concat(parts.flatMap((part) => [part, delimiter]));
    if (this.#isForgetful(name)) {
      const [held, wanted] = [packedBytes(objects), stored.reduce((sum, one) => sum + bytesOf(one).length, 0)];
      assert.equal(held, wanted, `${name}: objects hold as many bytes as the stream`);
      return;
    }
    let shard = '';
    let place = '';
    let end = 0;
    const left = new Set<string>();
    for (const group of groupsOf(stored, bytesOf)) {
      const bytes = Buffer.concat(group.map(bytesOf));
      const isNext = group[0]?.shardId === shard && objects.get(place)?.holds(bytes, end) === true;
      if (isNext) objects.get(place)?.add(end, (end += bytes.length));
      for (const one of isNext ? [] : group) {
        const found = await this.#fate(name, one);
        const object = objects.get(found.place) ?? assert.fail(`${name}: no object ${found.place}`);
        const own = bytesOf(one);
        const where = `${name}: ${one.sequenceNumber} at ${found.offset} of ${found.place}`;
        assert.ok(object.holds(own, found.offset), `${where} has other bytes`);
        const isOn = one.shardId === shard && found.place === place;
        assert.ok(isOn ? found.offset === end : !left.has(`${one.shardId} ${found.place}`), `${where} is out of order`);
        left.add(`${one.shardId} ${found.place}`);
        object.add(found.offset, found.offset + own.length);
        [shard, place, end] = [one.shardId, found.place, found.offset + own.length];
      }
    }
    for (const [at, object] of objects) assert.ok(object.isWhole, `${name}: ${at} holds something else, or it twice`);
  }

  /** Whether the log was full when it was to be kept where a batch went. */
  #isForgetful(name: string): boolean {
    const { logged } = this.#bench.simulation;
    // What waited went with the process, where that crashed.
    const events: readonly string[] = [firehoseEvents.historyWaits, firehoseEvents.historyLost];
    return logged.some(({ event, fields }) => events.includes(event) && fields['delivery'] === name);
  }

  /** Where the node says that a record went. */
  async #fate(name: string, { sequenceNumber: id }: Stored): Promise<{ place: string; offset: number }> {
    const fate = await this.#bench.admin('GET', '/admin/deliveries/{name}/records/{id}', { name, id });
    assert.equal(fate.state, 'delivered', `${name}: ${id}`);
    return fate;
  }

  async #checkRequests(
    name: string,
    taken: ReadonlyMap<string, readonly string[]>,
    stored: readonly Stored[],
  ): Promise<void> {
    const lines = [...(await this.#bench.objects(bucketOf(name))).values()].flatMap((bytes) =>
      bytes.toString().trimEnd().split('\n'),
    );
    const failed = lines.map((line) => (JSON.parse(line) as { rawData: string }).rawData);
    const wanted = stored.flatMap(({ parts }) => parts.map((part) => part.toString('base64')));
    const arrived = [...[...taken.values()].flat(), ...failed];
    assert.deepEqual(arrived.toSorted(), wanted.toSorted(), `${name}: each record arrives or fails once`);
    const places = new Map(wanted.map((data, place) => [data, place]));
    const shardAt = stored.flatMap(({ shardId, parts }) => parts.map(() => shardId));
    for (const data of taken.values()) {
      const last = new Map<string, number>();
      // Short ones have no names: several are alike.
      for (const place of data.filter((one) => one.length > 16).map((one) => places.get(one) as number)) {
        const shardId = shardAt[place] as string;
        assert.ok((last.get(shardId) ?? -1) < place, `${name}: ${shardId} is in order`);
        last.set(shardId, place);
      }
    }
  }
}

function bucketOf(name: string): string {
  return `to-${name.toLowerCase().replaceAll('_', '-')}`;
}

/** The bytes of an object, and which of them were found to be records. */
class Tiles {
  readonly #bytes: Buffer;
  readonly #tiles: { readonly from: number; readonly to: number }[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  holds(bytes: Buffer, at: number): boolean {
    return this.#bytes.subarray(at, at + bytes.length).equals(bytes);
  }

  add(from: number, to: number): void {
    this.#tiles.push({ from, to });
  }

  /** Whether each byte was found once. */
  get isWhole(): boolean {
    const tiles = this.#tiles.toSorted((one, other) => one.from - other.from || one.to - other.to);
    return tiles.reduce((at, { from, to }) => (from === at ? to : -1), 0) === this.#bytes.length;
  }
}

function packedBytes(objects: ReadonlyMap<string, Tiles>): number {
  return [...objects.values()].reduce((sum, { length }) => sum + length, 0);
}

/** Records of one shard that follow each other, up to one that can be known by its bytes. */
function groupsOf(stored: readonly Stored[], bytesOf: (one: Stored) => Buffer): readonly (readonly Stored[])[] {
  const groups: Stored[][] = [];
  let isOver = true;
  for (const one of stored) {
    const last = groups.at(-1);
    if (isOver || last === undefined || last[0]?.shardId !== one.shardId) groups.push([one]);
    else last.push(one);
    isOver = bytesOf(one).length > 16;
  }
  return groups;
}
