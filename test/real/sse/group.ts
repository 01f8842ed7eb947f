import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';
import { KEY_PAIR } from '../../support/key-pair.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../../support/node-process.ts';
import { awsVersion, readWithAws } from '../aws-program.ts';
import { clientEnvironment } from '../checks.ts';
import { startProgram, until, type Program } from '../program.ts';
import type { Group } from '../run.ts';
import { pythonWith, runProgram } from '../tools.ts';
import { openRoughProxy, type RoughProxy } from './rough-proxy.ts';

const SERVER = 'sse-starlette[uvicorn]==3.7.0';
const EVENTS = 6000;
const PER_SECOND = 400;
const OVERLAP = 5;
const KILLS = 5;
const STEP_MS_MAX = 90_000;
const CONNECTED_MS_MAX = 30_000;

function config(folder: string, port: number): string {
  const path = join(folder, 'millrace.yaml');
  const file = {
    server: { credentials: [KEY_PAIR] },
    streams: { changes: { ShardCount: 2 } },
    sources: {
      feed: {
        sse: { url: `http://127.0.0.1:${port}/feed`, types: 'change', readTimeoutMS: 1500 },
        to: 'changes',
        partitionKey: 'meta.id',
      },
    },
  };
  writeFileSync(path, JSON.stringify(file));
  return path;
}

/** Every event once, in order in its shard, its data as the server's library framed it. */
function judge(shards: readonly (readonly string[])[]): void {
  const numbers = shards.map((texts) => texts.map((text) => (JSON.parse(text) as { n: number }).n));
  for (const shard of numbers)
    assert.deepEqual(
      shard,
      shard.toSorted((left, right) => left - right),
      'in order',
    );
  const all = numbers.flat().toSorted((left, right) => left - right);
  assert.deepEqual(
    all,
    Array.from({ length: EVENTS }, (_, index) => index + 1),
    'each once',
  );
  const texts = new Map(shards.flat().map((text) => [(JSON.parse(text) as { n: number }).n, text]));
  assert.ok(texts.get(10)?.includes(',\n"text"') === true, 'lines are joined by a line feed');
  assert.ok(texts.get(7)?.includes('h\\u00f6her') === true);
}

interface Bench {
  readonly proxy: RoughProxy;
  readonly server: Program;
  readonly start: () => Promise<NodeProcess>;
}

/** Kills the node again and again while events come, then lets the last one come to the end. */
async function play({ proxy, server, start }: Bench): Promise<{ readonly node: NodeProcess; readonly passed: number }> {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const node = await start();
    await sleep(1000 + Math.random() * 2000);
    await node.kill();
  }
  const node = await start();
  try {
    const isThere = (): boolean => proxy.stalled > 0 && proxy.cut > 3;
    await until('connections were cut and hung', CONNECTED_MS_MAX, isThere, [server]);
    proxy.calm();
    const environment = await clientEnvironment(node.api);
    const lastId = async (): Promise<string> => {
      const words = ['dist/main.js', 'ps', '--json', '--api', node.api];
      const { sources } = JSON.parse(await runProgram(process.execPath, words, { environment })) as {
        sources: readonly { lastId?: string }[];
      };
      return sources[0]?.lastId ?? '';
    };
    await until('all events came', STEP_MS_MAX, async () => (await lastId()) === String(EVENTS), [server]);
    await sleep(1000);
    const shards = await readWithAws(node.api, 'changes', environment);
    judge(shards.map((records) => records.map(({ text }) => text)));
    return { node, passed: 1 };
  } catch (error) {
    await node.stop();
    throw new Error(`${String(error)}\n${node.output().slice(-4000)}`, { cause: error });
  }
}

/** Events of sse-starlette, through a proxy that cuts, stalls and splits, into a node that is killed; read by the AWS CLI. */
export const sse: Group = {
  name: 'sse',
  async install() {
    await awsVersion();
    const version =
      'from importlib.metadata import version as v; print("sse-starlette", v("sse-starlette"), v("uvicorn"))';
    return await runProgram(await pythonWith(SERVER), ['-c', version]);
  },
  async run() {
    const folder = temporaryDirectory('sse');
    const port = await freePort();
    const words = [port, EVENTS, PER_SECOND, OVERLAP].map(String);
    const server = startProgram(await pythonWith(SERVER), [join('test', 'real', 'sse', 'feed.py'), ...words]);
    const proxy = await openRoughProxy(port);
    const file = config(folder, proxy.port);
    const start = async (): Promise<NodeProcess> =>
      await startNodeProcess({ config: file, data: join(folder, 'node') });
    try {
      const { node, passed } = await play({ proxy, server, start });
      process.stdout.write(
        `sse: ${EVENTS} events, ${KILLS} kills, ${proxy.cut} connections cut and ${proxy.stalled} hung, each once\n`,
      );
      assert.equal(await node.stop(), 0, node.output().slice(-4000));
      return passed;
    } finally {
      proxy.close();
      await server.kill();
      removeDirectory(folder);
    }
  },
};
