/**
 * `npm start`: runs `millrace dev` on the webhook example, feeds it real GitHub payloads signed with the route's own
 * secret, and shows what happens. With `--once` it ends after the first delivered object: 0 when every step of the path
 * held, 1 with the reason when one did not.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CONFIG = 'examples/webhook-search/millrace.yaml';
const ROUTE = '/test/git-data';
const STREAM = 'git-data-stream';
const DELIVERY = 'git-data-delivery-stream';
const BUCKET = 'git-data';
const DEADLINE_MS = 60_000;
const EVENTS_PER_SECOND = 10;

interface Payload {
  readonly event: string;
  readonly body: string;
}

interface Demo {
  readonly api: string;
  readonly gateway: string;
  readonly data: string;
  readonly child: ChildProcess;
  readonly secret: string;
}

const once = process.argv.includes('--once');

/** All example payloads of the package, in a stable order. */
function payloads(): Payload[] {
  const require = createRequire(import.meta.url);
  const definitions = require('@octokit/webhooks-examples') as readonly {
    name: string;
    examples: readonly unknown[];
  }[];
  return definitions.flatMap(({ name, examples }) =>
    examples.map((example) => ({ event: name, body: JSON.stringify(example) })),
  );
}

/** The wanted port when it is free, else any free one. */
async function freePort(wanted: number): Promise<number> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(freePort(0)));
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function until(what: string, probe: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  while (Date.now() < end) {
    if (await probe().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`gave up after ${DEADLINE_MS / 1000} s waiting for: ${what}`);
}

async function startNode(): Promise<Demo> {
  const [apiPort, gatewayPort] = [await freePort(4567), await freePort(4568)];
  const data = once ? mkdtempSync(join(tmpdir(), 'millrace-demo-')) : '.millrace';
  const [api, gateway] = [`http://127.0.0.1:${apiPort}`, `http://127.0.0.1:${gatewayPort}`];
  const flags = ['--api', `127.0.0.1:${apiPort}`, '--gateway', `127.0.0.1:${gatewayPort}`, '--data', data];
  const child = spawn(process.execPath, ['dist/main.js', 'dev', CONFIG, ...flags], {
    stdio: 'inherit',
    env: { ...process.env, BUFFER_SECONDS: process.env['BUFFER_SECONDS'] ?? '5' },
  });
  const died = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`millrace dev ended with exit code ${String(code)}`)));
  });
  died.catch(() => undefined);
  await Promise.race([until('the node to be ready', async () => (await fetch(`${api}/readyz`)).ok), died]);
  const secrets = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as Record<string, string>;
  const secret = process.env['MILLRACE_SECRET_GITHUB_WEBHOOK'] ?? secrets['GITHUB_WEBHOOK'];
  if (secret === undefined) throw new Error('the route has no secret');
  return { api, gateway, data, child, secret };
}

async function post(demo: Demo, payload: Payload): Promise<void> {
  const signature = createHmac('sha256', demo.secret).update(payload.body).digest('hex');
  const answer = await fetch(`${demo.gateway}${ROUTE}`, {
    method: 'POST',
    body: payload.body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/demo',
      'x-github-event': payload.event,
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${signature}`,
    },
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`the route answered ${answer.status}: ${text}`);
  const { ShardId, SequenceNumber } = JSON.parse(text) as Record<string, unknown>;
  if (typeof ShardId !== 'string' || typeof SequenceNumber !== 'string') throw new Error(`no position in: ${text}`);
}

/** What the node says of itself, for the status line. */
async function status(demo: Demo): Promise<{ shards: string; objects: number; last: string | undefined }> {
  const stream = (await (await fetch(`${demo.api}/admin/streams/${STREAM}`)).json()) as {
    shards: readonly { shardId: string; records: number }[];
  };
  const delivery = (await (await fetch(`${demo.api}/admin/deliveries/${DELIVERY}`)).json()) as {
    objectsDelivered: number;
    lastObject?: string;
  };
  const shards = stream.shards.map(({ records }) => records).join(' + ');
  return { shards, objects: delivery.objectsDelivered, last: delivery.lastObject };
}

/** Every file below the bucket's folder, whole paths. */
function objects(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? objects(path) : [path];
  });
}

/** The first object must hold payloads that were sent, byte for byte. */
function checkObject(demo: Demo, sent: readonly Payload[]): string {
  const [first] = objects(join(demo.data, 'buckets', BUCKET)).filter((path) => !path.includes('/.'));
  if (first === undefined) throw new Error('an object was reported but none is in the bucket');
  const text = readFileSync(first, 'utf8');
  if (!sent.some(({ body }) => text.includes(body))) throw new Error(`${first} holds none of the payloads sent`);
  return first;
}

async function feed(demo: Demo): Promise<void> {
  const all = payloads();
  const sent: Payload[] = [];
  const started = Date.now();
  for (let turn = 0; ; turn += 1) {
    const payload = all[turn % all.length];
    if (payload === undefined) throw new Error('no example payloads found');
    await post(demo, payload);
    sent.push(payload);
    if (sent.length > all.length) sent.shift();
    if (turn % EVENTS_PER_SECOND === 0) {
      const { shards, objects: delivered, last } = await status(demo);
      const where = last === undefined ? 'first object within seconds' : `last: ${last}`;
      process.stdout.write(`accepted ${turn + 1} | records per shard ${shards} | objects ${delivered} | ${where}\n`);
      if (once && delivered > 0) {
        process.stdout.write(`delivered whole: ${checkObject(demo, sent)}\n`);
        return;
      }
      if (once && Date.now() - started > DEADLINE_MS) throw new Error('no object was delivered within a minute');
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 / EVENTS_PER_SECOND));
  }
}

async function stop(demo: Demo): Promise<number> {
  if (demo.child.exitCode !== null) return demo.child.exitCode;
  const ended = new Promise<number>((resolve) => demo.child.once('exit', (code) => resolve(code ?? 1)));
  demo.child.kill('SIGTERM');
  return await ended;
}

let demo: Demo | undefined;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    demo?.child.kill(signal);
  });
}
try {
  demo = await startNode();
  process.stdout.write(
    `Sending real GitHub payloads to ${demo.gateway}${ROUTE}. Objects: ${demo.data}/buckets/${BUCKET}\n`,
  );
  await feed(demo);
} catch (error) {
  if (!interrupted) {
    process.stderr.write(`demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
if (demo !== undefined) {
  const code = await stop(demo);
  if (code !== 0 && !interrupted) process.exitCode = 1;
  if (once) rmSync(demo.data, { recursive: true, force: true });
}
