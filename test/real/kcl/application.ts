import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { startProgram, until, type Program } from '../program.ts';
import { mavenJars, runProgram, toolFolder } from '../tools.ts';
import { parseTold, type Told } from './transcript.ts';

const KCL = 'software.amazon.kinesis:amazon-kinesis-client:3.5.1';
const LOGGER = 'org.slf4j:slf4j-simple:2.0.13';
/** A compiler from Maven Central, so that a plain Java runtime is enough. */
const COMPILER = 'org.eclipse.jdt:ecj:3.40.0';
const SOURCE = join('test', 'real', 'kcl', 'Worker.java');

/** How the workers of one application read. */
export interface Reading {
  readonly name: string;
  readonly retrieval: 'polling' | 'fanout';
  /** `json-http1`: as the AWS documentation tells users of stand-ins to set the client. `default`: untouched. */
  readonly client: 'json-http1' | 'default';
}

/** Where the workers find things. */
export interface Places {
  readonly kinesis: string;
  readonly dynamo: string;
  readonly stream: string;
}

/** Two workers that share the shards of a stream. */
export class Application {
  readonly name: string;
  private readonly reading: Reading;
  private readonly places: Places;
  private readonly workers = new Map<string, Program>();

  constructor(reading: Reading, places: Places) {
    this.name = reading.name;
    this.reading = reading;
    this.places = places;
  }

  /** Starts one more worker, which takes at most so many shards. */
  async start(worker: string, shardsMax: number): Promise<void> {
    const { kinesis, dynamo, stream } = this.places;
    const { retrieval, client } = this.reading;
    const classPath = [await compiledWorker(), join(await mavenJars(KCL, LOGGER), '*')].join(delimiter);
    const options = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const json = client === 'default' ? [] : ['-Daws.cborEnabled=false'];
    const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
    const where = [kinesis, dynamo, stream, this.name, worker, retrieval, client, String(shardsMax)];
    this.workers.set(worker, startProgram('java', [...options, ...json, log, '-cp', classPath, 'Worker', ...where]));
  }

  /** All that its workers told so far. */
  told(): readonly Told[] {
    return [...this.workers].flatMap(([worker, { lines }]) =>
      lines.map((line) => parseTold(worker, line)).filter((line) => line !== undefined),
    );
  }

  /** The worker that began each shard last. */
  holders(): ReadonlyMap<string, string> {
    const starts = this.told().filter(({ event }) => event === 'START');
    return new Map(starts.toSorted((a, b) => a.atMs - b.atMs).map(({ shard, worker }) => [shard, worker]));
  }

  /** Waits until what the workers told is enough; throws when one ended by itself. */
  async until(what: string, timeoutMs: number, check: () => boolean): Promise<void> {
    const alive = [...this.workers.values()].filter(({ killed }) => !killed);
    await until(`${this.name}: ${what}`, timeoutMs, check, alive).catch((error: unknown) => {
      const last = this.told().filter(({ event }) => event !== 'RECORD' && event !== 'CHECKPOINT');
      const lines = last.map(({ worker, event, atMs, shard, rest }) => [atMs, worker, event, shard, rest].join(' '));
      throw new Error([String(error), ...lines.sort()].join('\n'), { cause: error });
    });
  }

  async kill(worker: string): Promise<void> {
    await this.workers.get(worker)?.kill();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.stop()));
  }
}

/** Installs the library and compiles our worker; resolves with its version. */
export async function installApplication(): Promise<string> {
  await compiledWorker();
  return 'KCL 3.5.1';
}

async function compiledWorker(): Promise<string> {
  const [jars, compiler] = [await mavenJars(KCL, LOGGER), await mavenJars(COMPILER)];
  const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 12);
  return await toolFolder(`kcl-worker-${digest}`, async (made) => {
    const classPath = readdirSync(jars).map((file) => join(jars, file));
    const words = ['-17', '-nowarn', '-cp', classPath.join(delimiter), '-d', made, SOURCE];
    await runProgram('java', ['-cp', join(compiler, '*'), 'org.eclipse.jdt.internal.compiler.batch.Main', ...words]);
  });
}
