import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNodeProcess, type NodeProcess } from '../../test/support/node-process.ts';
import { treeUsage } from '../../test/support/process-tree.ts';
import { Connection } from '../client.ts';
import type { Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';

const WARM_UP = 50;
const IDLE_HANDLERS = 100;
/** What a start leaves to be done, compiled code and collected memory, is over by then. */
const START_SECONDS = 30;
/** A look that all handlers have falls into it, as one does every minute at last. */
const IDLE_SECONDS = 30;
/** Longer than the slow handler takes, and 100 processes to start on a busy machine. */
const ANSWER_MS_MAX = 120_000;
const CODE: Readonly<Record<string, string>> = {
  'index.mjs':
    'export const handler = async (event) => event;\nexport const slow = async () => await new Promise((done) => setTimeout(done, 20000));\n',
  'main.py': 'def handler(event, context):\n    return event\n',
};
const functionOf = (runtime: string, handler: string, more: object = {}): object => ({
  runtime,
  code: '.',
  handler,
  ...more,
});
const CONFIG = {
  functions: {
    node: functionOf('node', 'index.handler'),
    python: functionOf('python', 'main.handler'),
    idle: functionOf('node', 'index.slow', { timeoutSeconds: 60, concurrency: IDLE_HANDLERS }),
  },
};

async function withFunctions<T>(scratch: string, work: (node: NodeProcess) => Promise<T>): Promise<T> {
  mkdirSync(scratch, { recursive: true });
  for (const [name, text] of Object.entries(CODE)) writeFileSync(join(scratch, name), text);
  writeFileSync(join(scratch, 'millrace.yaml'), JSON.stringify(CONFIG));
  const node = await startNodeProcess({ config: join(scratch, 'millrace.yaml'), data: join(scratch, 'data') });
  try {
    return await work(node);
  } finally {
    await node.kill();
  }
}

const EVENT = Buffer.from('{"a":1}');
/** A signature in shape. */
const SIGNED =
  'x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/lambda/aws4_request, ' +
  `SignedHeaders=host, Signature=${'0'.repeat(64)}\r\n`;

async function connectTo(api: string): Promise<Connection> {
  return await Connection.open(Number(new URL(api).port), 'application/json', ANSWER_MS_MAX);
}

/** Resolves with the milliseconds until the whole answer was there. */
async function invoke(connection: Connection, name: string): Promise<number> {
  const startedAt = performance.now();
  const { status, body } = await connection.post(`/2015-03-31/functions/${name}/invocations`, SIGNED, EVENT);
  const tookMs = performance.now() - startedAt;
  // Python writes a space behind the colon.
  const isRight = name === 'idle' || body.toString().replaceAll(' ', '') === EVENT.toString();
  if (status !== 200 || !isRight) throw new Error(`${status} ${body.toString()}`);
  return tookMs;
}

/** One caller after the other's answer: a handler that gives its event back, in Node and in Python. */
export const invokeFunctions: Scenario = {
  name: 'invoke',
  title: 'InvokeFunction of a handler that returns its event, one after the other',
  onRequest: false,
  millraceOnly: true,
  secondsMax: ({ seconds }) => seconds * 2 + 60,
  async measure({ scratch, options }) {
    return await withFunctions(scratch, async ({ api }) => {
      const connection = await connectTo(api);
      const measured = async (name: string): Promise<{ cold: number; p50: number; p99: number }> => {
        const cold = await invoke(connection, name);
        for (let count = 0; count < WARM_UP; count += 1) await invoke(connection, name);
        const times: number[] = [];
        const end = performance.now() + options.seconds * 1000;
        while (performance.now() < end) times.push(await invoke(connection, name));
        return { cold, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
      };
      const [inNode, inPython] = [await measured('node'), await measured('python')];
      connection.close();
      const figures = {
        invokeNodeColdMs: inNode.cold,
        invokeNodeP50Ms: inNode.p50,
        invokeNodeP99Ms: inNode.p99,
        invokePythonColdMs: inPython.cold,
        invokePythonP50Ms: inPython.p50,
        invokePythonP99Ms: inPython.p99,
      };
      return { figures, problems: [] };
    });
  },
};

async function seconds(count: number): Promise<void> {
  await new Promise((done) => setTimeout(done, count * 1000));
}

/** What a process tree that has nothing to do uses, once its start is over. */
async function idleUsage(root: number): Promise<{ readonly cpuPercent: number; readonly rssMiB: number }> {
  await seconds(START_SECONDS);
  const before = treeUsage(root);
  await seconds(IDLE_SECONDS);
  const { cpuSeconds, rssMiB } = treeUsage(root);
  return { cpuPercent: ((cpuSeconds - before.cpuSeconds) / IDLE_SECONDS) * 100, rssMiB };
}

/** A hundred processes that have nothing to do, and the same node before they were started. */
export const idleHandlers: Scenario = {
  name: 'idle-handlers',
  title: `${IDLE_HANDLERS} idle handlers`,
  onRequest: true,
  millraceOnly: true,
  roundsMax: 1,
  secondsMax: () => 300,
  async measure({ scratch }) {
    return await withFunctions(scratch, async ({ api, child: { pid = 0 } }) => {
      const without = await idleUsage(pid);
      const callers = await Promise.all(Array.from({ length: IDLE_HANDLERS }, async () => await connectTo(api)));
      await Promise.all(callers.map(async (caller) => await invoke(caller, 'idle')));
      for (const caller of callers) caller.close();
      const { cpuPercent, rssMiB } = await idleUsage(pid);
      const figures = {
        idleCpuPercent: cpuPercent,
        idleBaseCpuPercent: without.cpuPercent,
        idleHandlersCpuPercent: cpuPercent - without.cpuPercent,
        idleRssMiB: rssMiB,
      };
      return { figures, problems: [] };
    });
  },
};
