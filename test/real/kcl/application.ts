import { join } from 'node:path';
import { KEY_PAIR_VARIABLES } from '../../support/key-pair.ts';
import { javaWords, LOGGER } from '../java.ts';
import { startProgram, until, type Program } from '../program.ts';
import { mavenJars } from '../tools.ts';
import { parseTold, type Told } from './transcript.ts';

const KCL = 'software.amazon.kinesis:amazon-kinesis-client:3.5.1';
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
    const words = await workerWords(client === 'default' ? [] : ['-Daws.cborEnabled=false']);
    const where = [kinesis, dynamo, stream, this.name, worker, retrieval, client, String(shardsMax)];
    this.workers.set(worker, startProgram('java', [...words, ...where], { environment: KEY_PAIR_VARIABLES }));
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
  await workerWords([]);
  return 'KCL 3.5.1';
}

/** The library's jars; resolves with their folder. */
export async function kclJars(): Promise<string> {
  return await mavenJars(KCL, LOGGER);
}

async function workerWords(options: readonly string[]): Promise<string[]> {
  return await javaWords(SOURCE, await kclJars(), options);
}
