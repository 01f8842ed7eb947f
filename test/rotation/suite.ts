/** Secrets of a route change while its senders go on: nothing genuine is refused, nothing old is taken for longer. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAll } from '../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';
import { webhookHeaders } from '../support/post-webhook.ts';

const SENDERS = 8;
/** Room for the changes within it: `dev` waits a moment before each. */
const OVERLAP_MS = 8000;
const PHASE_MS = 700;
const WAIT_MS_MAX = 15_000;
const RELOADS = 4;
const ROUTE = 'POST /hook';

/** A way to verify, and how its sender signs. */
interface Kind {
  readonly name: 'github' | 'standard';
  /** What stands in the file for a secret. */
  readonly written: (secret: string) => string;
  readonly headers: (secret: string, id: string, body: string) => Readonly<Record<string, string>>;
}

const KINDS: readonly Kind[] = [
  { name: 'github', written: (secret) => secret, headers: webhookHeaders },
  {
    name: 'standard',
    written: (secret) => `whsec_${Buffer.from(secret).toString('base64')}`,
    headers(secret, id, body) {
      const timestamp = String(Math.floor(Date.now() / 1000));
      const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
      return {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      };
    },
  },
];

const NAMES = ['old', 'next', 'later'] as const;
type Name = (typeof NAMES)[number];
const secrets: Readonly<Record<Name, string>> = { old: randomUUID(), next: randomUUID(), later: randomUUID() };

/** What a request was signed with, when it was under way, by `Date.now()`, and what it was told. */
interface Sent {
  readonly id: string;
  readonly name: Name;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly status: number;
  readonly sequenceNumber: string | undefined;
}

/** Senders that go on until they are told to end, each with the secrets in turn. */
class Load {
  readonly sent: Sent[] = [];
  readonly #gateway: string;
  readonly #kind: Kind;
  readonly #loops: readonly Promise<void>[];
  #isOver = false;

  constructor(gateway: string, kind: Kind) {
    this.#gateway = gateway;
    this.#kind = kind;
    this.#loops = Array.from({ length: SENDERS }, async (_, sender) => {
      for (let n = sender; !this.#isOver; n += 1) this.sent.push(await this.send(NAMES[n % 3] ?? 'old', randomUUID()));
    });
  }

  async send(name: Name, id: string): Promise<Sent> {
    const body = JSON.stringify({ id });
    const sentAt = Date.now();
    const answer = await fetch(`${this.#gateway}/hook`, {
      method: 'POST',
      body,
      headers: this.#kind.headers(secrets[name], id, body),
    });
    const { SequenceNumber } = (await answer.json()) as { SequenceNumber?: string };
    return { id, name, sentAt, answeredAt: Date.now(), status: answer.status, sequenceNumber: SequenceNumber };
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  /** Those with a secret that were wholly under way between two moments; there are some. */
  between(name: Name, from: number, to: number): readonly Sent[] {
    const found = this.sent.filter((one) => one.name === name && one.sentAt > from && one.answeredAt <= to);
    assert.ok(found.length > 20, `${found.length} requests with ${name}`);
    return found;
  }

  /** Each of them was told this. */
  assertTold(status: number, name: Name, from: number, to: number): void {
    const others = this.between(name, from, to).filter((one) => one.status !== status);
    assert.deepEqual(others.slice(0, 3), [], `${others.length} with ${name} were not told ${status}`);
  }
}

/** How a mode is told of what changed. */
interface Mode {
  readonly name: 'dev' | 'start';
  /** Writes the route's secrets: into the file, which `dev` notices, or into one of their own, and SIGHUP. */
  change(node: NodeProcess | undefined, folder: string, { kind, list }: Listed): void;
}

function write(folder: string, name: string, content: unknown): void {
  // In one step, as editors and deployments do it.
  writeFileSync(join(folder, `.${name}`), JSON.stringify(content));
  renameSync(join(folder, `.${name}`), join(folder, name));
}

function config(kind: Kind, list: readonly unknown[], more: object = {}): object {
  const routes = { [ROUTE]: { verify: { [kind.name]: { secrets: list } }, to: 'hooks' } };
  return { streams: { hooks: { ShardCount: 2 } }, gateway: { routes }, ...more };
}

type Timed = string | { readonly value: unknown };

/** A route's secrets, as its kind has them written. */
interface Listed {
  readonly kind: Kind;
  readonly list: readonly Timed[];
}

function written(kind: Kind, list: readonly Timed[]): Listed {
  const text = (value: unknown): unknown => (typeof value === 'string' ? kind.written(value) : value);
  return {
    kind,
    list: list.map((one) => (typeof one === 'string' ? kind.written(one) : { ...one, value: text(one.value) })),
  };
}

/** The list with `${secret:HOOK_n}` in place of each secret, and the file that says what these are. */
function named(list: readonly Timed[]): { readonly list: readonly unknown[]; readonly file: object } {
  const file: Record<string, string> = {};
  const place = (value: unknown, at: number): unknown => {
    if (typeof value !== 'string') return value;
    file[`HOOK_${at}`] = value;
    return `\${secret:HOOK_${at}}`;
  };
  const places = list.map((one, at) =>
    typeof one === 'string' ? place(one, at) : { ...one, value: place(one.value, at) },
  );
  return { list: places, file };
}

const MODES: readonly Mode[] = [
  { name: 'dev', change: (_, folder, { kind, list }) => write(folder, 'millrace.yaml', config(kind, list)) },
  {
    name: 'start',
    change(node, folder, { kind, list }) {
      const { list: places, file } = named(list);
      write(folder, 'secrets.json', file);
      write(folder, 'millrace.yaml', config(kind, places, { secrets: { file: './secrets.json' } }));
      node?.child.kill('SIGHUP');
    },
  },
];

function countOf(node: NodeProcess, line: string): number {
  return node.output().split(line).length - 1;
}

/** Resolves with the moment from which a change was noted in the log, by `Date.now()`. */
async function noted(node: NodeProcess, line: string, change: () => void): Promise<number> {
  const before = countOf(node, line);
  change();
  const end = performance.now() + WAIT_MS_MAX;
  while (countOf(node, line) === before) {
    assert.ok(performance.now() < end, `no ${line}: ${node.output().slice(-2000)}`);
    await sleep(5);
  }
  return Date.now();
}

/** The old secret, then both, then the old one's time is over, then the next one alone. */
async function rotate({ mode, kind }: Case, node: NodeProcess, folder: string, load: Load): Promise<void> {
  const change = async (list: readonly Timed[]): Promise<number> =>
    await noted(node, 'config.reloaded', () => mode.change(node, folder, written(kind, list)));
  const startedAt = Date.now();
  await sleep(PHASE_MS);
  const firstAt = Date.now();
  load.assertTold(200, 'old', startedAt, firstAt);
  load.assertTold(401, 'next', startedAt, firstAt);

  const notAfter = Date.now() + OVERLAP_MS;
  const laterFrom = notAfter + PHASE_MS;
  const list = [
    { value: secrets.old, notAfter: new Date(notAfter).toISOString() },
    secrets.next,
    { value: secrets.later, notBefore: new Date(laterFrom).toISOString() },
  ];
  const bothAt = await change(list);
  // The same file again and again, and one with a fault, which changes nothing.
  for (let times = 0; times < RELOADS; times += 1) await change(list);
  await noted(node, 'config.refused', () => mode.change(node, folder, written(kind, [{ value: 1 }])));
  await change(list);
  assert.ok(Date.now() < notAfter - PHASE_MS, 'all of that within the overlap');
  await sleep(laterFrom + PHASE_MS - Date.now());
  load.assertTold(200, 'old', startedAt, notAfter);
  load.assertTold(200, 'next', bothAt, Date.now());
  load.assertTold(401, 'old', notAfter, Date.now());
  load.assertTold(401, 'later', startedAt, laterFrom - 1);
  load.assertTold(200, 'later', laterFrom, Date.now());

  const aloneAt = await change([secrets.next]);
  await sleep(PHASE_MS);
  load.assertTold(200, 'next', bothAt, Date.now());
  load.assertTold(401, 'old', notAfter, Date.now());
  load.assertTold(401, 'later', aloneAt, Date.now());
}

/** What was taken stands once, and nothing of what was refused; a repeat with the next secret is the same record. */
async function judge(node: NodeProcess, load: Load): Promise<void> {
  const accepted = load.sent.filter(({ status }) => status === 200);
  const others = load.sent.filter(({ status }) => status !== 200 && status !== 401);
  assert.deepEqual(others.slice(0, 3), [], `${others.length} were told something else`);
  const records = [...(await readAll(node.api, 'hooks')).values()].flat();
  assert.deepEqual(
    records.map(({ key, sequenceNumber }) => `${key} ${sequenceNumber}`).toSorted(),
    accepted.map(({ id, sequenceNumber }) => `${id} ${sequenceNumber}`).toSorted(),
  );
  for (const { id, sequenceNumber } of accepted.filter(({ name }) => name === 'old').slice(0, 50)) {
    const again = await load.send('next', id);
    assert.deepEqual([again.status, again.sequenceNumber], [200, sequenceNumber], 'once, by whatever secret');
  }
}

interface Case {
  readonly mode: Mode;
  readonly kind: Kind;
}

const [DEV, START] = MODES as [Mode, Mode];
const [GITHUB, STANDARD] = KINDS as [Kind, Kind];
const CASES: readonly Case[] = [
  { mode: DEV, kind: GITHUB },
  { mode: START, kind: GITHUB },
  { mode: START, kind: STANDARD },
];

for (const { mode, kind } of CASES) {
  test(`secrets change under load, ${kind.name}, ${mode.name}`, { timeout: 60_000 }, async () => {
    const folder = temporaryDirectory('rotation');
    mode.change(undefined, folder, written(kind, [secrets.old]));
    const options = { mode: mode.name, config: join(folder, 'millrace.yaml'), data: join(folder, 'node') };
    const node = await startNodeProcess(options);
    try {
      const load = new Load(node.gateway, kind);
      try {
        await rotate({ mode, kind }, node, folder, load);
      } finally {
        await load.end();
      }
      await judge(node, load);
      for (const secret of Object.values(secrets)) {
        assert.ok(!node.output().includes(secret), 'out of the log');
        assert.ok(!node.output().includes(kind.written(secret)), 'as it is written, too');
      }
      assert.equal(await node.stop(), 0, node.output().slice(-2000));
    } finally {
      await node.kill();
      removeDirectory(folder);
    }
  });
}
