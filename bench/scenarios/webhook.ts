import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { startNodeProcess, type NodeProcess } from '../../test/support/node-process.ts';
import { treeUsage } from '../../test/support/process-tree.ts';
import type { Figures } from '../figures.ts';
import type { Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';

const CONNECTIONS = 64;
const BODY_BYTES = 2048;
const WARM_UP_SECONDS = 2;
const SECRET = 'the secret of the bench';
const CONFIG = {
  streams: { hooks: { ShardCount: 4 } },
  gateway: { routes: { 'POST /hook': { verify: { github: { secrets: [SECRET] } }, to: 'hooks' } } },
};

/** What a load saw. */
interface Load {
  readonly stored: number;
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

let count = 0;

/** One webhook that was never sent before, signed as GitHub does; resolves with the ms until its answer was there. */
async function post(agent: Agent, url: string): Promise<number> {
  count += 1;
  const id = `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`;
  const front = `{"id":"${id}","text":"`;
  const body = `${front}${'x'.repeat(BODY_BYTES - front.length - 2)}"}`;
  const headers = {
    'content-type': 'application/json',
    'content-length': BODY_BYTES,
    'x-github-delivery': id,
    'x-github-event': 'push',
    'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
  };
  const startedAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    const asked = request(url, { method: 'POST', agent, headers }, (answer) => {
      answer
        .resume()
        .on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`))));
    });
    asked.on('error', reject).end(body);
  });
  return performance.now() - startedAt;
}

/** As many as can be: each connection sends the next one when it has its answer. */
async function closedLoop(agent: Agent, url: string, seconds: number): Promise<Load> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  const sender = async (): Promise<void> => {
    while (performance.now() - startedAt < seconds * 1000) latenciesMs.push(await post(agent, url));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sender));
  return { stored: latenciesMs.length, seconds: (performance.now() - startedAt) / 1000, latenciesMs };
}

/** So many each second, whatever the answers: a time counts from when its request was due. */
async function openLoop(agent: Agent, url: string, perSecond: number, seconds: number): Promise<Load> {
  const latenciesMs: number[] = [];
  const sending: Promise<void>[] = [];
  const startedAt = performance.now();
  const total = Math.floor(perSecond * seconds);
  while (sending.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
    while (sending.length < due) {
      const dueAt = startedAt + (sending.length / perSecond) * 1000;
      sending.push(post(agent, url).then(() => void latenciesMs.push(performance.now() - dueAt)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(sending);
  return { stored: total, seconds: (performance.now() - startedAt) / 1000, latenciesMs };
}

async function measure(node: NodeProcess, seconds: number): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const url = `${node.gateway}/hook`;
  await closedLoop(agent, url, WARM_UP_SECONDS);
  const before = treeUsage(node.child.pid ?? 0).cpuSeconds;
  const full = await closedLoop(agent, url, seconds);
  const cpuSeconds = treeUsage(node.child.pid ?? 0).cpuSeconds - before;
  const perSecond = full.stored / full.seconds;
  const half = await openLoop(agent, url, perSecond / 2, seconds);
  agent.destroy();
  return {
    webhooksPerSecond: perSecond,
    webhookP50Ms: percentile(full.latenciesMs, 0.5),
    webhookP99Ms: percentile(full.latenciesMs, 0.99),
    webhookServerCpuUs: (cpuSeconds / full.stored) * 1e6,
    halfP50Ms: percentile(half.latenciesMs, 0.5),
    halfP99Ms: percentile(half.latenciesMs, 0.99),
  };
}

/** Signed webhooks into a stream, each durable before its answer; then half as many a second. */
export const webhook: Scenario = {
  name: 'webhook',
  title: `Signed webhooks of ${BODY_BYTES} bytes, ${CONNECTIONS} connections of node:http`,
  onRequest: false,
  millraceOnly: true,
  secondsMax: ({ seconds }) => seconds * 3 + 60,
  async measure({ scratch, options }) {
    mkdirSync(scratch, { recursive: true });
    const config = join(scratch, 'millrace.yaml');
    writeFileSync(config, JSON.stringify(CONFIG));
    const node = await startNodeProcess({ config, data: join(scratch, 'data') });
    try {
      return { figures: await measure(node, options.seconds), problems: [] };
    } finally {
      await node.kill();
    }
  },
};
