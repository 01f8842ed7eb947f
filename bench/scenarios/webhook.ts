import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNodeProcess, type NodeProcess } from '../../test/support/node-process.ts';
import { treeUsage } from '../../test/support/process-tree.ts';
import { Connection } from '../client.ts';
import type { Figures } from '../figures.ts';
import type { Outcome, Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';
import { BODY_BYTES, deliveryId, judgeWebhooks, WebhookBody } from '../webhooks.ts';

const CONNECTIONS = 64;
const STREAM = 'hooks';
const WARM_UP_SECONDS = 2;
const SECRET = 'the secret of the bench';
const CONFIG = {
  streams: { [STREAM]: { ShardCount: 4 } },
  gateway: { routes: { 'POST /hook': { verify: { github: { secrets: [SECRET] } }, to: STREAM } } },
};
const NOT_REPEATED = '"duplicate":false';

/** How many webhooks were sent to a node; they are numbered from 1 on. */
interface Numbers {
  last: number;
}

/** What a load saw. */
interface Load {
  readonly stored: number;
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

/** Sends webhooks that were never sent before, signed as GitHub does, one after the other. */
class Sender {
  private readonly connection: Connection;
  private readonly numbers: Numbers;
  private readonly body = new WebhookBody();

  private constructor(connection: Connection, numbers: Numbers) {
    this.connection = connection;
    this.numbers = numbers;
  }

  static async open(url: string, numbers: Numbers): Promise<Sender> {
    return new Sender(await Connection.open(Number(new URL(url).port), 'application/json'), numbers);
  }

  /** Resolves once the webhook is answered as stored. */
  async send(): Promise<void> {
    this.numbers.last += 1;
    const number = this.numbers.last;
    const content = this.body.number(number);
    const signature = createHmac('sha256', SECRET).update(content).digest('hex');
    const { status, body } = await this.connection.post(
      '/hook',
      `x-github-delivery: ${deliveryId(number)}\r\nx-github-event: push\r\n` +
        `x-hub-signature-256: sha256=${signature}\r\n`,
      content,
    );
    if (status !== 200 || !body.includes(NOT_REPEATED)) throw new Error(`${status} ${body.toString('utf8', 0, 300)}`);
  }

  close(): void {
    this.connection.close();
  }
}

/** As many as can be: each connection sends the next one when it has its answer. */
async function closedLoop(senders: readonly Sender[], seconds: number): Promise<Load> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  const sendAll = async (sender: Sender): Promise<void> => {
    for (let sentAt = startedAt; sentAt - startedAt < seconds * 1000;) {
      sentAt = performance.now();
      await sender.send();
      latenciesMs.push(performance.now() - sentAt);
    }
  };
  await Promise.all(senders.map(sendAll));
  return { stored: latenciesMs.length, seconds: (performance.now() - startedAt) / 1000, latenciesMs };
}

/** So many each second, by whichever connection is free: a time counts from when its request was due. */
async function openLoop(senders: readonly Sender[], perSecond: number, seconds: number): Promise<Load> {
  const latenciesMs: number[] = [];
  const total = Math.floor(perSecond * seconds);
  const free = [...senders];
  const sending: Promise<void>[] = [];
  const startedAt = performance.now();
  const isDue = (index: number): boolean =>
    index < total && performance.now() - startedAt >= (index / perSecond) * 1000;
  const plan = { next: 0 };
  /** Goes on as long as something is due. */
  const sendDue = async (sender: Sender): Promise<void> => {
    while (isDue(plan.next)) {
      const dueAt = startedAt + (plan.next / perSecond) * 1000;
      plan.next += 1;
      await sender.send();
      latenciesMs.push(performance.now() - dueAt);
    }
    free.push(sender);
  };
  while (plan.next < total) {
    while (free.length > 0 && isDue(plan.next)) sending.push(sendDue(free.pop() as Sender));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(sending);
  return { stored: total, seconds: (performance.now() - startedAt) / 1000, latenciesMs };
}

async function measure(node: NodeProcess, seconds: number): Promise<Outcome> {
  const numbers = { last: 0 };
  const open = async (): Promise<Sender> => await Sender.open(node.gateway, numbers);
  const senders = await Promise.all(Array.from({ length: CONNECTIONS }, open));
  await closedLoop(senders, WARM_UP_SECONDS);
  const before = treeUsage(node.child.pid ?? 0).cpuSeconds;
  const ownBefore = process.cpuUsage();
  const full = await closedLoop(senders, seconds);
  const own = process.cpuUsage(ownBefore);
  const cpuSeconds = treeUsage(node.child.pid ?? 0).cpuSeconds - before;
  const perSecond = full.stored / full.seconds;
  const half = await openLoop(senders, perSecond / 2, seconds);
  for (const sender of senders) sender.close();
  const figures: Figures = {
    webhooksPerSecond: perSecond,
    webhookP50Ms: percentile(full.latenciesMs, 0.5),
    webhookP99Ms: percentile(full.latenciesMs, 0.99),
    webhookServerCpuUs: (cpuSeconds / full.stored) * 1e6,
    webhookClientCpuUs: (own.user + own.system) / full.stored,
    halfP50Ms: percentile(half.latenciesMs, 0.5),
    halfP99Ms: percentile(half.latenciesMs, 0.99),
  };
  // A sender's error ends the measurement: here each number was answered.
  const problems = await judgeWebhooks(Number(new URL(node.api).port), STREAM, numbers.last);
  return { figures, problems };
}

/** Signed webhooks into a stream, each durable before its answer; then half as many a second; then all are read back. */
export const webhook: Scenario = {
  name: 'webhook',
  title: `Signed webhooks of ${BODY_BYTES} bytes, ${CONNECTIONS} connections`,
  onRequest: false,
  millraceOnly: true,
  secondsMax: ({ seconds }) => seconds * 6 + 60,
  async measure({ scratch, options }) {
    mkdirSync(scratch, { recursive: true });
    const config = join(scratch, 'millrace.yaml');
    writeFileSync(config, JSON.stringify(CONFIG));
    const node = await startNodeProcess({ config, data: join(scratch, 'data') });
    try {
      return await measure(node, options.seconds);
    } finally {
      await node.kill();
    }
  },
};
