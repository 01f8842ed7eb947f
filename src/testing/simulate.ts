import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { SimulatedCrash, Simulation } from '../environments/simulated/index.ts';
import { EnvironmentError, RequestError, ThrottleError } from '../kernel/errors.ts';
import { Unavailable } from '../ports/stream-store.ts';
import { BrokenPromise, Oracle, type ReadRecord } from './oracle.ts';
import { SIMULATED, SimulatedNode, type SimulatedConfig } from './simulated-node.ts';

const LIVES = 4;
const PAGE = 50;

/** What one seed came to. */
export interface SimulationResult {
  readonly crashes: number;
  readonly failures: number;
  readonly acknowledged: number;
  readonly objects: number;
  /** A hash over everything the run did: the same for the same seed. */
  readonly trace: string;
}

/** The log failed: what the program does then is to end. */
class LogFailed extends Error {
  override readonly name = 'LogFailed';
}

/**
 * Runs a node through several lives under one seed: clients put records, post webhooks and put directly while the power
 * is cut in the middle of writes and disks fail; after each restart and at the end everything that was promised must
 * be so. Rejects with BrokenPromise.
 */
export async function simulate(seed: number): Promise<SimulationResult> {
  return await new Run(seed).run();
}

class Run {
  readonly #simulation: Simulation;
  readonly #oracle = new Oracle();
  readonly #config: SimulatedConfig;
  #life = 0;
  #trouble: 'power' | 'full' | 'sync' = 'power';
  #crashes = 0;
  #failures = 0;
  #objects = 0;

  constructor(seed: number) {
    this.#simulation = new Simulation(seed);
    const { random } = this.#simulation;
    this.#config = {
      shardCount: 1 + random.below(4),
      isGzip: random.chance(0.5),
      intervalSeconds: random.below(4),
      segmentBytesMax: random.chance(0.5) ? 8_000 : 200_000,
    };
  }

  async run(): Promise<SimulationResult> {
    for (this.#life = 0; this.#life < LIVES; this.#life += 1) {
      await this.#liveOnce(this.#life === LIVES - 1);
      this.#simulation.restart();
    }
    const lines = this.#simulation.logged.map(({ event, fields }) => `${event} ${JSON.stringify(fields)}`);
    const { now, fileOperations } = this.#simulation;
    const trace = createHash('sha256')
      .update(`${now} ${fileOperations}\n${lines.join('\n')}`)
      .digest('hex');
    const { acknowledged } = this.#oracle;
    return { crashes: this.#crashes, failures: this.#failures, acknowledged, objects: this.#objects, trace };
  }

  async #liveOnce(isLast: boolean): Promise<void> {
    const simulation = this.#simulation;
    if (!isLast) this.#planTrouble();
    try {
      await simulation.drive(isLast ? this.#lastLife() : this.#workingLife());
    } catch (error) {
      if (error instanceof SimulatedCrash) this.#crashes += 1;
      else if (error instanceof LogFailed) this.#failures += 1;
      else throw error;
    }
  }

  /** A life ends by a power cut in the middle of some write, by a failing disk, or well. */
  #planTrouble(): void {
    const { random } = this.#simulation;
    this.#trouble = random.chance(0.2) ? (random.chance(0.5) ? 'sync' : 'full') : 'power';
    if (this.#trouble !== 'power') return;
    this.#simulation.crashAfterFileOperations(1 + random.below(random.chance(0.3) ? 30 : 300));
  }

  /** Now and then the disk is full, or fails, while clients are at work. */
  async #breakDisk(): Promise<void> {
    if (this.#trouble === 'power') return;
    const { random, environment } = this.#simulation;
    await environment.clock.sleep(random.below(500));
    if (this.#trouble === 'full') this.#simulation.failNext('write', 'ENOSPC', 'ENOSPC');
    else this.#simulation.failNext('sync', 'EIO');
  }

  async #open(): Promise<SimulatedNode> {
    let fail: (error: Error) => void = () => undefined;
    this.#failed = new Promise((_, reject) => {
      fail = (error) => reject(new LogFailed(error.message));
    });
    this.#failed.catch(() => undefined);
    try {
      return await SimulatedNode.open(this.#simulation, this.#config, fail);
    } catch (error) {
      // A start on a disk that fails ends the program with a message.
      if (error instanceof EnvironmentError || error instanceof Unavailable) throw new LogFailed(error.message);
      throw error;
    }
  }

  #failed: Promise<never> = new Promise(() => undefined);

  async #workingLife(): Promise<void> {
    const node = await this.#open();
    const work = async (): Promise<void> => {
      if (this.#simulation.random.chance(0.5)) await this.#checkStream(node);
      const writers = [this.#putter(node, 'a'), this.#putter(node, 'b'), this.#hooks(node), this.#direct(node)];
      const clients = [...writers, this.#resharder(node)];
      await Promise.all([...clients, this.#breakDisk()]);
      await this.#checkStream(node);
      if (this.#simulation.random.chance(0.5)) await node.close();
    };
    await Promise.race([work(), this.#failed]);
  }

  /** Nothing fails any more: everything arrives. */
  async #lastLife(): Promise<void> {
    const node = await this.#open();
    await Promise.race([this.#settle(node), this.#failed]);
  }

  async #settle(node: SimulatedNode): Promise<void> {
    await this.#checkStream(node);
    await this.#repeatIds(node);
    for (const name of ['archive', SIMULATED.direct]) {
      const answer = await node.admin('POST', '/admin/deliveries/{name}/flush', { name });
      const { flushed } = answer as { flushed: boolean };
      if (!flushed) throw new BrokenPromise(`${name} was not flushed`);
    }
    await this.#checkShards(node);
    const { problems } = node.health;
    if (problems.length > 0) throw new BrokenPromise(`not healthy: ${problems.join('; ')}`);
    const stored = (await this.#readStream(node)).map(({ text }) => text);
    await this.#checkBucket(SIMULATED.bucket, isStreamText, stored);
    await this.#checkBucket(SIMULATED.directBucket, isDirectText, undefined);
    await node.close();
  }

  #rounds(): number {
    return 3 + this.#simulation.random.below(15);
  }

  async #pause(): Promise<void> {
    const { random, environment } = this.#simulation;
    if (random.chance(0.4)) await environment.clock.sleep(random.below(random.chance(0.1) ? 5000 : 50));
  }

  async #putter(node: SimulatedNode, name: string): Promise<void> {
    const { random } = this.#simulation;
    const writer = `put:${this.#life}${name}`;
    let number = 0;
    for (let rounds = this.#rounds(); rounds > 0; rounds -= 1) {
      const texts = Array.from({ length: 1 + random.below(6) }, () => `${writer}/${(number += 1)}`);
      await this.#put(node, texts);
      await this.#pause();
    }
  }

  async #put(node: SimulatedNode, texts: readonly string[]): Promise<void> {
    const { random } = this.#simulation;
    for (const text of texts) this.#oracle.tries(text);
    const Records = texts.map((text) => ({ Data: base64(`${text};`), PartitionKey: String(random.below(20)) }));
    const answer = await attempt(node.call('Kinesis_20131202.PutRecords', { StreamName: SIMULATED.stream, Records }));
    if (answer === 'unknown') return;
    if (answer === 'refused') {
      for (const text of texts) this.#oracle.refuses(text);
      return;
    }
    const results = (answer as { Records: readonly { ShardId?: string; SequenceNumber?: string }[] }).Records;
    for (const [index, text] of texts.entries()) {
      const { ShardId: shardId, SequenceNumber: sequenceNumber } = results[index] ?? {};
      if (shardId === undefined || sequenceNumber === undefined) this.#oracle.refuses(text);
      else this.#oracle.acknowledges(text, { shardId, sequenceNumber });
    }
  }

  async #hooks(node: SimulatedNode): Promise<void> {
    const { random } = this.#simulation;
    for (let rounds = this.#rounds(); rounds > 0; rounds -= 1) {
      const { ids } = this.#oracle;
      const isRepeat = ids.length > 0 && random.chance(0.4);
      const id = isRepeat ? (ids[random.below(ids.length)] ?? '') : `id-${this.#life}-${rounds}`;
      const copies = random.chance(0.3) ? 3 : 1;
      await Promise.all(Array.from({ length: copies }, async () => await this.#hook(node, id)));
      if (random.chance(0.2)) await this.#forge(node, `forged-${this.#life}-${rounds}`);
      await this.#pause();
    }
  }

  /** Splits, merges, counts anew and changes the retention while the others write. */
  async #resharder(node: SimulatedNode): Promise<void> {
    const { random } = this.#simulation;
    for (let rounds = random.below(4); rounds > 0; rounds -= 1) {
      await this.#pause();
      const StreamName = SIMULATED.stream;
      const [action, input] = random.chance(0.5)
        ? ['SplitShard', await this.#someSplit(node)]
        : random.chance(0.6)
          ? ['UpdateShardCount', { TargetShardCount: 1 + random.below(6), ScalingType: 'UNIFORM_SCALING' }]
          : ['IncreaseStreamRetentionPeriod', { RetentionPeriodHours: 24 + random.below(48) }];
      try {
        await node.call(`Kinesis_20131202.${action}`, { StreamName, ...input });
      } catch (error) {
        // Closed meanwhile, too many, too few, or the disk: refused or finished later, never half.
        if (!(error instanceof RequestError || error instanceof Unavailable || error instanceof EnvironmentError)) {
          throw error;
        }
      }
    }
  }

  async #someSplit(node: SimulatedNode): Promise<object> {
    const ShardFilter = { Type: 'AT_LATEST' };
    const { Shards } = (await node.call('Kinesis_20131202.ListShards', {
      StreamName: SIMULATED.stream,
      ShardFilter,
    })) as Open;
    const shard = Shards[this.#simulation.random.below(Shards.length)];
    const { StartingHashKey = '0', EndingHashKey = '0' } = shard?.HashKeyRange ?? {};
    const middle = (BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n;
    return { ShardToSplit: shard?.ShardId, NewStartingHashKey: middle.toString() };
  }

  async #hook(node: SimulatedNode, id: string): Promise<void> {
    const text = this.#oracle.textOf(id, `hook:${id}`);
    const { status, body } = await node.post(id, `${text};`);
    // Whether a 503 left something behind is not said; the repeat will tell.
    if (status === 503) return;
    if (status !== 200) throw new BrokenPromise(`a webhook was answered ${status}: ${String(body)}`);
    const { ShardId: shardId, SequenceNumber: sequenceNumber } = JSON.parse(String(body)) as Record<string, string>;
    this.#oracle.answers(id, { shardId: shardId ?? '', sequenceNumber: sequenceNumber ?? '' });
  }

  /** Never sent as far as the oracle knows: should it be stored, nobody sent it. */
  async #forge(node: SimulatedNode, id: string): Promise<void> {
    const { status } = await node.post(id, `forged:${id};`, 'another secret');
    if (status !== 401) throw new BrokenPromise(`a forged webhook was answered ${status}`);
  }

  async #direct(node: SimulatedNode): Promise<void> {
    for (let rounds = this.#rounds(); rounds > 0; rounds -= 1) {
      const text = `direct:${this.#life}/${rounds}`;
      this.#oracle.tries(text);
      const input = { DeliveryStreamName: SIMULATED.direct, Record: { Data: base64(`${text};`) } };
      const answer = await attempt(node.call('Firehose_20150804.PutRecord', input));
      if (answer === 'refused') this.#oracle.refuses(text);
      else if (answer !== 'unknown') {
        const { RecordId } = answer as { RecordId: string };
        this.#oracle.acknowledges(text, { shardId: 'direct', sequenceNumber: RecordId });
      }
      await this.#pause();
    }
  }

  /** Every id ever posted gets the answer it got first, or is stored now. */
  async #repeatIds(node: SimulatedNode): Promise<void> {
    for (const id of this.#oracle.ids) await this.#hook(node, id);
    await this.#checkStream(node);
  }

  async #checkStream(node: SimulatedNode): Promise<void> {
    // What is acknowledged while the stream is read may be behind what was read already.
    const before = new Set(this.#oracle.texts(isStreamText));
    this.#oracle.checkStream(await this.#readStream(node), (text) => before.has(text));
  }

  /** No reshard is left half done: the open shards own every hash key once. */
  async #checkShards(node: SimulatedNode): Promise<void> {
    const StreamName = SIMULATED.stream;
    const { StreamDescriptionSummary } = (await node.call('Kinesis_20131202.DescribeStreamSummary', {
      StreamName,
    })) as { StreamDescriptionSummary: { StreamStatus: string; OpenShardCount: number } };
    const asked = { StreamName, ShardFilter: { Type: 'AT_LATEST' } };
    const { Shards } = (await node.call('Kinesis_20131202.ListShards', asked)) as Open;
    const ranges = Shards.map(({ HashKeyRange: range }) => [
      BigInt(range.StartingHashKey),
      BigInt(range.EndingHashKey),
    ]);
    ranges.sort(([one = 0n], [other = 0n]) => (one < other ? -1 : 1));
    let next = 0n;
    for (const [start = 0n, end = 0n] of ranges) {
      if (start !== next) throw new BrokenPromise(`no shard, or two, own the hash key ${next}`);
      next = end + 1n;
    }
    const { StreamStatus, OpenShardCount } = StreamDescriptionSummary;
    if (next !== 1n << 128n || StreamStatus !== 'ACTIVE' || OpenShardCount !== Shards.length) {
      throw new BrokenPromise(`${OpenShardCount} open shards up to ${next}, ${StreamStatus}`);
    }
  }

  async #readStream(node: SimulatedNode): Promise<ReadRecord[]> {
    const found: ReadRecord[] = [];
    const StreamName = SIMULATED.stream;
    const { Shards } = (await node.call('Kinesis_20131202.ListShards', { StreamName })) as {
      Shards: readonly { ShardId: string }[];
    };
    for (const { ShardId } of Shards) {
      const asked = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      let { ShardIterator } = (await node.call('Kinesis_20131202.GetShardIterator', asked)) as {
        ShardIterator: string;
      };
      for (let more = true; more;) {
        const page = (await node.call('Kinesis_20131202.GetRecords', { ShardIterator, Limit: PAGE })) as Page;
        for (const { Data, SequenceNumber } of page.Records) {
          const text = Buffer.from(Data, 'base64').toString().replace(/;$/, '');
          found.push({ text, shardId: ShardId, sequenceNumber: SequenceNumber });
        }
        more = page.NextShardIterator !== undefined && (page.Records.length > 0 || page.MillisBehindLatest > 0);
        ShardIterator = page.NextShardIterator ?? '';
      }
    }
    return found;
  }

  /** All objects together hold what was stored, each record once and whole; `stored`: exactly these. */
  async #checkBucket(
    bucket: string,
    mine: (text: string) => boolean,
    stored: readonly string[] | undefined,
  ): Promise<void> {
    const texts: string[] = [];
    for (const path of await this.#objectsBelow(`${SIMULATED.data}/buckets/${bucket}`)) {
      const bytes = await this.#simulation.environment.files.readFile(path);
      const content = path.endsWith('.gz') ? gunzipSync(bytes) : Buffer.from(bytes);
      const parts = content.toString().split(';');
      if (parts.pop() !== '') throw new BrokenPromise(`${path} ends inside a record`);
      texts.push(...parts);
      this.#objects += 1;
    }
    this.#oracle.checkObjects(texts, mine);
    if (stored !== undefined && [...texts].sort().join() !== [...stored].sort().join()) {
      throw new BrokenPromise(`${bucket} does not hold what the stream holds`);
    }
  }

  async #objectsBelow(folder: string): Promise<string[]> {
    const { files } = this.#simulation.environment;
    const found: string[] = [];
    for (const name of await files.list(folder)) {
      const path = `${folder}/${name}`;
      found.push(...((await files.isDirectory(path)) ? await this.#objectsBelow(path) : [path]));
    }
    return found;
  }
}

interface Open {
  readonly Shards: readonly {
    readonly ShardId: string;
    readonly HashKeyRange: { readonly StartingHashKey: string; readonly EndingHashKey: string };
  }[];
}

interface Page {
  readonly Records: readonly { readonly Data: string; readonly SequenceNumber: string }[];
  /** Absent at the end of a closed shard. */
  readonly NextShardIterator?: string;
  readonly MillisBehindLatest: number;
}

function isStreamText(text: string): boolean {
  return !isDirectText(text);
}

function isDirectText(text: string): boolean {
  return text.startsWith('direct:');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** `refused`: known not to be stored; `unknown`: the log failed meanwhile. */
async function attempt(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Unavailable || error instanceof ThrottleError) return 'refused';
    if (error instanceof RequestError && error.code === 'ServiceUnavailableException') return 'refused';
    if (error instanceof EnvironmentError) return 'unknown';
    throw error;
  }
}
