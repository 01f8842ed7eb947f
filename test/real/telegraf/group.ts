import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kinesis, listShards, readAll } from '../../support/kinesis.ts';
import { KEY_PAIR, verifyingConfig } from '../../support/key-pair.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory } from '../../support/node-process.ts';
import { startProgram, until, type Program } from '../program.ts';
import type { Group } from '../run.ts';
import { runProgram } from '../tools.ts';
import { TELEGRAF_VERSION, telegrafProgram } from './program.ts';

const STREAM = 'readings';
const DEVICES = 8;
const BATCH = 20;
const PAUSE_MS = 100;
const RESHARD_MS = 3000;
const STEP_MS_MAX = 30_000;

/** Where the two agents meet: one follows a file into the stream, the other writes what it reads there to another. */
interface Places {
  readonly api: string;
  readonly written: string;
  readonly read: string;
}

function agent(words: string): string {
  return `[agent]\n  flush_interval = "200ms"\n  omit_hostname = true\n${words}`;
}

function connection(api: string): string {
  const keys = `  access_key = "${KEY_PAIR.accessKeyId}"\n  secret_key = "${KEY_PAIR.secretAccessKey}"\n`;
  return `  region = "us-east-1"\n  endpoint_url = "${api}"\n${keys}  streamname = "${STREAM}"\n`;
}

/** A file's lines into the stream, by the tag of a device. */
function output({ api, written }: Places): string {
  const input = `[[inputs.tail]]\n  files = ["${written}"]\n  initial_read_offset = "beginning"\n  path_tag = ""\n`;
  const key = '  [outputs.kinesis.partition]\n    method = "tag"\n    key = "device"\n';
  return agent(`${input}[[outputs.kinesis]]\n${connection(api)}  data_format = "influx"\n${key}`);
}

/** The stream's records into a file. */
function consumer({ api, read }: Places): string {
  return agent(`[[inputs.kinesis_consumer]]\n${connection(api)}[[outputs.file]]\n  files = ["${read}"]\n`);
}

/** The line of a number; its device is one of a few. */
function line(number: number): string {
  return `reading,device=d${number % DEVICES} number=${number}i ${1_700_000_000_000_000_000n + BigInt(number)}`;
}

/** Appends lines, about 200 a second, until the signal; resolves with how many. */
async function write({ written }: Places, ending: AbortSignal): Promise<number> {
  let count = 0;
  while (!ending.aborted) {
    const lines = Array.from({ length: BATCH }, (_, index) => `${line(count + index)}\n`);
    appendFileSync(written, lines.join(''));
    count += BATCH;
    await sleep(PAUSE_MS, undefined, { signal: ending }).catch(() => undefined);
  }
  return count;
}

function readSoFar({ read }: Places): readonly string[] {
  return existsSync(read) ? readFileSync(read, 'utf8').split('\n').slice(0, -1) : [];
}

/** Splits the one shard and merges its children. */
async function reshard({ api }: Places): Promise<void> {
  const target = { StreamName: STREAM };
  await sleep(RESHARD_MS);
  const [parent] = await listShards(api, STREAM);
  const split = { ...target, ShardToSplit: parent?.ShardId, NewStartingHashKey: String(2n ** 127n) };
  await kinesis(api, 'SplitShard', split);
  await sleep(RESHARD_MS);
  const [, one, other] = await listShards(api, STREAM);
  const merge = { ...target, ShardToMerge: one?.ShardId, AdjacentShardToMerge: other?.ShardId };
  await kinesis(api, 'MergeShards', merge);
  await sleep(RESHARD_MS);
}

/** All lines came out as they went in, in order for each device. */
function judge(lines: readonly string[], count: number): void {
  for (let device = 0; device < DEVICES; device += 1) {
    const own = lines.filter((text) => text.startsWith(`reading,device=d${device} `));
    const expected = Array.from({ length: count }, (_, number) => number).filter((n) => n % DEVICES === device);
    assert.deepEqual(own, expected.map(line), `device d${device}`);
  }
  assert.equal(lines.length, count);
}

async function play(places: Places, agents: readonly Program[]): Promise<number> {
  const ending = new AbortController();
  const writing = write(places, ending.signal);
  await reshard(places).finally(() => ending.abort());
  const count = await writing;
  // What is missing in the end is told about below, line by line.
  const isThere = (): boolean => readSoFar(places).length >= count;
  await until('all lines came through', STEP_MS_MAX, isThere, agents).catch(() => undefined);
  for (const program of agents) program.assertRunning();
  const stored = [...(await readAll(places.api, STREAM)).values()].map((records) => records.length);
  assert.equal(stored.length, 4);
  assert.ok(
    stored.every((records) => records > 0),
    `each shard holds records: ${stored.join()}`,
  );
  judge(readSoFar(places), count);
  process.stdout.write(`telegraf: ${count} lines through shards of ${stored.join(', ')} records\n`);
  return 2;
}

/** Telegraf's kinesis output and its kinesis_consumer input, built from the Go module, through a split and a merge. */
export const telegraf: Group = {
  name: 'telegraf',
  async install() {
    await runProgram(await telegrafProgram(), ['--version']);
    return `Telegraf ${TELEGRAF_VERSION}`;
  },
  async run() {
    const folder = temporaryDirectory('telegraf');
    const node = await startNodeProcess({ config: verifyingConfig(folder), data: join(folder, 'node') });
    const places = { api: node.api, written: join(folder, 'written'), read: join(folder, 'read') };
    const agents: Program[] = [];
    try {
      await kinesis(node.api, 'CreateStream', { StreamName: STREAM, ShardCount: 1 });
      writeFileSync(places.written, '');
      for (const [name, text] of [
        ['output', output(places)],
        ['consumer', consumer(places)],
      ] as const) {
        const config = join(folder, `${name}.toml`);
        writeFileSync(config, text);
        agents.push(startProgram(await telegrafProgram(), ['--config', config]));
      }
      return await play(places, agents);
    } finally {
      await Promise.all(agents.map((program) => program.kill()));
      await node.stop();
      removeDirectory(folder);
    }
  },
};
