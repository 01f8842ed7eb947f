import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinesis, listShards } from '../../test/support/kinesis.ts';
import { startNodeProcess, type NodeProcess } from '../../test/support/node-process.ts';
import { treeUsage } from '../../test/support/process-tree.ts';
import type { Outcome, Place, Scenario } from '../scenario.ts';

const ASKED_PER_SECOND = 50_000;
const STREAM = 'changes';
const LOOK_MS = 20;
const TEXT_NUMBER = /"id":"[0-9a-f-]{24}(\d{12})"/;

/** Events of a feed, parsed and stored durably, each found in the end: at the rate asked for, or as fast as they are taken. */
export function sseScenario(name: string, perSecond: number): Scenario {
  const rate = perSecond === 0 ? 'as fast as they are taken' : `${perSecond.toLocaleString('en-US')} a second asked`;
  return {
    name,
    title: `Server-sent events of 1.4 KB to 4 shards, ${rate}`,
    onRequest: perSecond === 0,
    millraceOnly: true,
    secondsMax: ({ seconds }) => seconds * 10 + 120,
    async measure({ scratch, options, signal }) {
      const count = ASKED_PER_SECOND * options.seconds;
      const feed = spawn(process.execPath, ['dist-test/bench/feed-process.js', String(count), String(perSecond)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      signal.addEventListener('abort', () => void feed.kill('SIGKILL'));
      try {
        const [line] = (await once(feed.stdout, 'data')) as [Buffer];
        return await measureOn(scratch, { feed, port: Number(line.toString()), count, signal });
      } finally {
        feed.kill('SIGKILL');
      }
    },
  };
}

interface Load {
  readonly feed: ChildProcess;
  readonly port: number;
  readonly count: number;
  readonly signal: AbortSignal;
}

async function measureOn(scratch: Place['scratch'], load: Load): Promise<Outcome> {
  mkdirSync(scratch, { recursive: true });
  const config = {
    streams: { [STREAM]: { ShardCount: 4 } },
    sources: { feed: { sse: { url: `http://127.0.0.1:${load.port}/` }, to: STREAM, partitionKey: 'meta.id' } },
  };
  writeFileSync(join(scratch, 'millrace.yaml'), JSON.stringify(config));
  const node = await startNodeProcess({ config: join(scratch, 'millrace.yaml'), data: join(scratch, 'data') });
  load.signal.addEventListener('abort', () => void node.child.kill('SIGKILL'));
  try {
    const usage = treeUsage(node.child.pid ?? 0);
    const first = await storedSoFar(node);
    const startedAt = performance.now();
    let stored = first;
    while (stored < load.count) {
      await new Promise((done) => setTimeout(done, LOOK_MS));
      stored = await storedSoFar(node);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const after = treeUsage(node.child.pid ?? 0);
    return {
      figures: {
        ingestEventsPerSecond: (stored - first) / seconds,
        ingestServerCpuUs: ((after.cpuSeconds - usage.cpuSeconds) / (stored - first)) * 1e6,
        peakRssMiB: after.peakRssMiB,
      },
      problems: await judge(node, load.count),
    };
  } finally {
    await node.kill();
  }
}

async function storedSoFar({ api }: NodeProcess): Promise<number> {
  const view = (await (await fetch(`${api}/admin/sources/feed`)).json()) as { readonly stored: number };
  return view.stored;
}

/** Reads everything back: each number once. */
async function judge({ api }: NodeProcess, count: number): Promise<readonly string[]> {
  const seen = new Uint8Array(count);
  let found = 0;
  for (const { ShardId } of await listShards(api, STREAM)) {
    const place = { StreamName: STREAM, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    let { ShardIterator } = (await kinesis(api, 'GetShardIterator', place)) as { ShardIterator: string };
    for (;;) {
      const { Records, NextShardIterator } = (await kinesis(api, 'GetRecords', { ShardIterator })) as {
        Records: readonly { readonly Data: string }[];
        NextShardIterator: string;
      };
      if (Records.length === 0) break;
      for (const { Data } of Records) {
        const number = Number(TEXT_NUMBER.exec(Buffer.from(Data, 'base64').toString('latin1'))?.[1] ?? 'NaN');
        if (!(number < count)) return [`an event without a number`];
        seen[number] = (seen[number] ?? 0) + 1;
        found += 1;
      }
      ShardIterator = NextShardIterator;
    }
  }
  return found === count && seen.every((times) => times === 1) ? [] : [`${found} of ${count} events, or not each once`];
}
