import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_PAIR } from '../../support/key-pair.ts';
import type { Put } from '../../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../../support/node-process.ts';
import { awsVersion, readWithAws } from '../aws-program.ts';
import { clientEnvironment } from '../checks.ts';
import type { Group } from '../run.ts';
import { SENDERS, type Sender } from './senders.ts';

/** The tolerance of the libraries and of the routes. */
const TOLERANCE_SECONDS = 300;
/** Beyond what a slow machine needs between signing and sending. */
const SLACK_SECONDS = 30;

const secretOf = new Map(SENDERS.map(({ name }) => [name, `whsec_${randomBytes(24).toString('base64')}`]));

function config(folder: string): string {
  const routes = SENDERS.map(({ name, verify }) => [
    `POST /${name}`,
    { verify: verify(secretOf.get(name) ?? ''), to: name },
  ]);
  const streams = SENDERS.map(({ name }) => [name, { ShardCount: 1 }]);
  const file = {
    server: { credentials: [KEY_PAIR] },
    streams: Object.fromEntries(streams),
    gateway: { routes: Object.fromEntries(routes) },
  };
  writeFileSync(join(folder, 'millrace.yaml'), JSON.stringify(file));
  return join(folder, 'millrace.yaml');
}

interface Answer {
  readonly status: number;
  readonly told: Put & { readonly duplicate: boolean };
}

/** A signed request as it goes out. */
interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one sender sends to its route of the node. */
class Line {
  readonly #sender: Sender;
  readonly #gateway: string;

  constructor(sender: Sender, gateway: string) {
    this.#sender = sender;
    this.#gateway = gateway;
  }

  /** A delivery, signed `ageSeconds` ago. */
  async signed(id: string, ageSeconds = 0, secret = secretOf.get(this.#sender.name) ?? ''): Promise<Signed> {
    const body = JSON.stringify({ id, object: 'event', text: 'größer als ASCII 🙂' });
    const seconds = Math.floor(Date.now() / 1000) - ageSeconds;
    return { headers: await this.#sender.sign({ id, seconds, body, secret }), body };
  }

  async send({ headers, body }: Signed): Promise<Answer> {
    const answer = await fetch(`${this.#gateway}/${this.#sender.name}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: answer.status, told: (await answer.json()) as Answer['told'] };
  }

  /** The status alone, for what is to be refused. */
  async statusOf(signed: Signed): Promise<number> {
    return (await this.send(signed)).status;
  }
}

/** `body` with one character made another one, each in its turn. */
function alterations(body: string): readonly string[] {
  const characters = Array.from(body);
  return characters.map((character, at) => characters.with(at, character === 'x' ? 'y' : 'x').join(''));
}

/** What one sender was told of the deliveries that are now in the stream, by id. */
type Accepted = ReadonlyMap<string, { readonly body: string; readonly sequenceNumber: string }>;

/** What is genuine is taken and stored once, whatever came before it under its id; all else is 401. */
async function play(sender: Sender, line: Line): Promise<Accepted> {
  const accepted = new Map<string, { readonly body: string; readonly sequenceNumber: string }>();
  const accept = async (id: string, signed: Signed): Promise<void> => {
    const { status, told } = await line.send(signed);
    assert.deepEqual([status, told.duplicate], [200, false], `${sender.name}: ${id}`);
    accepted.set(id, { body: signed.body, sequenceNumber: told.SequenceNumber });
  };
  const repeat = async (id: string, signed: Signed): Promise<void> => {
    const { status, told } = await line.send(signed);
    const first = accepted.get(id)?.sequenceNumber;
    assert.deepEqual([status, told.duplicate, told.SequenceNumber], [200, true, first], `${sender.name}: ${id}`);
  };
  const genuine = await line.signed('evt_altered');
  for (const body of alterations(genuine.body)) {
    assert.equal(await line.statusOf({ ...genuine, body }), 401, `${sender.name}: ${body}`);
  }
  assert.equal(await line.statusOf({ ...genuine, headers: {} }), 401, 'unsigned');
  assert.equal(await line.statusOf(await line.signed('evt_altered', 0, `whsec_${'A'.repeat(32)}`)), 401);
  await accept('evt_altered', genuine);
  await repeat('evt_altered', genuine);
  await repeat('evt_altered', await line.signed('evt_altered', sender.signsTime ? 60 : 0));
  if (sender.signsTime) {
    for (const age of [TOLERANCE_SECONDS + 1, 86_400, -TOLERANCE_SECONDS - SLACK_SECONDS]) {
      assert.equal(await line.statusOf(await line.signed('evt_stale', age)), 401, `${sender.name}: ${age} s old`);
    }
    const old = await line.signed('evt_stale', TOLERANCE_SECONDS + 1);
    const present = await line.signed('evt_stale');
    for (const [name, value] of Object.entries(present.headers).filter(([key]) => /timestamp/.test(key))) {
      const moved = { ...old, headers: { ...old.headers, [name]: value } };
      assert.equal(await line.statusOf(moved), 401, `${sender.name}: another time than the signed one`);
    }
    await accept('evt_stale', present);
    await accept('evt_slow', await line.signed('evt_slow', TOLERANCE_SECONDS - SLACK_SECONDS));
    await accept('evt_ahead', await line.signed('evt_ahead', SLACK_SECONDS - TOLERANCE_SECONDS));
  }
  const atOnce = await line.signed('evt_at_once');
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await line.send(atOnce)));
  assert.equal(answers.filter(({ status, told }) => status === 200 && !told.duplicate).length, 1);
  assert.equal(new Set(answers.map(({ told }) => told.SequenceNumber)).size, 1);
  accepted.set('evt_at_once', { body: atOnce.body, sequenceNumber: answers[0]?.told.SequenceNumber ?? '' });
  return accepted;
}

/** The AWS CLI reads each accepted delivery once, as it was sent; a repeat is told of the same record. */
async function judge(node: NodeProcess, sender: Sender, accepted: Accepted): Promise<void> {
  const line = new Line(sender, node.gateway);
  for (const [id, { sequenceNumber }] of accepted) {
    const { status, told } = await line.send(await line.signed(id));
    assert.deepEqual([status, told.duplicate, told.SequenceNumber], [200, true, sequenceNumber], sender.name);
  }
  const records = (await readWithAws(node.api, sender.name, await clientEnvironment(node.api))).flat();
  assert.deepEqual(
    records.map(({ key, text, sequenceNumber }) => [key, { body: text, sequenceNumber }]),
    [...accepted],
    sender.name,
  );
}

/** The libraries that senders sign with, over real routes: what they sign the AWS CLI reads once, also across a kill. */
export const signers: Group = {
  name: 'signers',
  async install() {
    const libraries = SENDERS.map(({ library }) => {
      const text = readFileSync(join('node_modules', library, 'package.json'), 'utf8');
      return `${library} ${(JSON.parse(text) as { version: string }).version}`;
    });
    return [...libraries, await awsVersion()].join(', ');
  },
  async run() {
    const folder = temporaryDirectory('signers');
    const options = { config: config(folder), data: join(folder, 'node') };
    let node = await startNodeProcess(options);
    try {
      const accepted: (readonly [Sender, Accepted])[] = [];
      for (const sender of SENDERS) accepted.push([sender, await play(sender, new Line(sender, node.gateway))]);
      await node.kill();
      node = await startNodeProcess(options);
      for (const [sender, deliveries] of accepted) await judge(node, sender, deliveries);
      return SENDERS.length;
    } catch (error) {
      throw new Error(`${String(error)}\n${node.output().slice(-4000)}`, { cause: error });
    } finally {
      await node.stop();
      removeDirectory(folder);
    }
  },
};
