import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNodeProcess, type NodeProcess } from '../../test/support/node-process.ts';
import { treeUsage } from '../../test/support/process-tree.ts';
import { Connection } from '../client.ts';
import type { Figures } from '../figures.ts';
import type { Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';

const CONNECTIONS = 64;
const BODY_BYTES = 2048;
const ID_DIGITS = 12;
const WARM_UP_SECONDS = 2;
const SECRET = 'the secret of the bench';
const CONFIG = {
  streams: { hooks: { ShardCount: 4 } },
  gateway: { routes: { 'POST /hook': { verify: { github: { secrets: [SECRET] } }, to: 'hooks' } } },
};
const NOT_REPEATED = '"duplicate":false';

/** What a load saw. */
interface Load {
  readonly stored: number;
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

let count = 0;

/** Sends webhooks that were never sent before, signed as GitHub does, one after the other. */
class Sender {
  private readonly connection: Connection;
  private readonly body: Buffer;
  private readonly idAt: number;

  private constructor(connection: Connection) {
    this.connection = connection;
    const front = '{"id":"00000000-0000-4000-8000-';
    this.idAt = front.length;
    this.body = Buffer.from(`${front}${'0'.repeat(ID_DIGITS)}","text":"`.padEnd(BODY_BYTES - 2, 'x') + '"}');
  }

  static async open(url: string): Promise<Sender> {
    return new Sender(await Connection.open(Number(new URL(url).port), 'application/json'));
  }

  /** Resolves once the webhook is answered as stored. */
  async send(): Promise<void> {
    count += 1;
    const number = String(count).padStart(ID_DIGITS, '0');
    this.body.write(number, this.idAt, 'latin1');
    const signature = createHmac('sha256', SECRET).update(this.body).digest('hex');
    const { status, body } = await this.connection.post(
      '/hook',
      `x-github-delivery: 00000000-0000-4000-8000-${number}\r\nx-github-event: push\r\n` +
        `x-hub-signature-256: sha256=${signature}\r\n`,
      this.body,
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

async function measure(node: NodeProcess, seconds: number): Promise<Figures> {
  const senders = await Promise.all(Array.from({ length: CONNECTIONS }, async () => await Sender.open(node.gateway)));
  await closedLoop(senders, WARM_UP_SECONDS);
  const before = treeUsage(node.child.pid ?? 0).cpuSeconds;
  const ownBefore = process.cpuUsage();
  const full = await closedLoop(senders, seconds);
  const own = process.cpuUsage(ownBefore);
  const cpuSeconds = treeUsage(node.child.pid ?? 0).cpuSeconds - before;
  const perSecond = full.stored / full.seconds;
  const half = await openLoop(senders, perSecond / 2, seconds);
  for (const sender of senders) sender.close();
  return {
    webhooksPerSecond: perSecond,
    webhookP50Ms: percentile(full.latenciesMs, 0.5),
    webhookP99Ms: percentile(full.latenciesMs, 0.99),
    webhookServerCpuUs: (cpuSeconds / full.stored) * 1e6,
    webhookClientCpuUs: (own.user + own.system) / full.stored,
    halfP50Ms: percentile(half.latenciesMs, 0.5),
    halfP99Ms: percentile(half.latenciesMs, 0.99),
  };
}

/** Signed webhooks into a stream, each durable before its answer; then half as many a second. */
export const webhook: Scenario = {
  name: 'webhook',
  title: `Signed webhooks of ${BODY_BYTES} bytes, ${CONNECTIONS} connections`,
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
