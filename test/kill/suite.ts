/**
 * Real `kill -9` in mid-load, in every mode. After each kill the node must be ready soon, every acknowledged record be
 * there once, in order per shard and writer, and every hash key have one owner; a webhook whose answer was lost is
 * sent again, and stands once. At the end of a mode every webhook is answered and every object whole. Kills over all modes: `KILL_ROUNDS` (20).
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import './deliveries.ts';
import './events.ts';
import './failed-sync.ts';
import './storm.ts';
import { listShards, readAll, type Stored } from '../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';
import { churn, hooks, puts, repeatUnanswered, reshards, settings, STREAM, type Life, type Load } from './loads.ts';
import { assertTiled, Model, type Durability } from './model.ts';

const CONFIG = 'test/kill/millrace.yaml';
const TUNABLE = 'dist-test/test/support/tunable-node.js';
/** A data directory of some megabytes: generous for a busy machine, and far from reading everything twice. */
const READY_MS_MAX = 5000;
/** The program's interval is 100 ms; a sync that was under way adds its own time. */
const INTERVAL_WINDOW_MS = 1000;

interface Mode {
  readonly name: string;
  readonly program?: string;
  readonly arguments?: readonly string[];
  readonly durability: Durability;
  readonly loads: readonly Load[];
}

const always: Durability = { sync: 'always' };
const writers = [puts('a', 0), puts('b', 0), puts('c', 0), puts('d', 0)];
/** Names of their own: a mode may have both kinds. */
const largeWriters = [puts('y', 2000), puts('z', 4000)];

const MODES: readonly Mode[] = [
  { name: 'plain load', durability: always, loads: [...writers, ...Array<Load>(8).fill(hooks)] },
  {
    name: 'while the cleaner works: small segments, streams that go',
    program: TUNABLE,
    arguments: ['--segment-bytes', '262144'],
    durability: always,
    loads: [...largeWriters, hooks, churn, churn],
  },
  {
    name: 'while segments end and the catalog and the ids are checkpointed',
    program: TUNABLE,
    arguments: ['--segment-bytes', '65536'],
    durability: always,
    loads: [...largeWriters, hooks, hooks, hooks, hooks, ...Array<Load>(8).fill(settings)],
  },
  { name: 'while shards split and merge', durability: always, loads: [...writers, hooks, reshards] },
];

const SYNC_MODES: readonly Mode[] = [
  {
    name: 'sync: interval',
    arguments: ['--sync', 'interval'],
    durability: { sync: 'interval', windowMs: INTERVAL_WINDOW_MS },
    loads: [...writers, ...largeWriters, hooks],
  },
  {
    name: 'sync: none',
    arguments: ['--sync', 'none'],
    durability: { sync: 'none' },
    loads: [...writers, ...largeWriters, hooks],
  },
];

const modes = [...MODES, ...SYNC_MODES];
/** Over all modes; in one a kill may come when every webhook is answered. */
const repeated = { all: 0, stored: 0 };
const ROUNDS = Math.ceil(Number(process.env['KILL_ROUNDS'] ?? 20) / modes.length);

async function startAgain(mode: Mode, data: string): Promise<NodeProcess> {
  return await startNodeProcess({
    config: CONFIG,
    data,
    ...(mode.program !== undefined && { program: mode.program }),
    ...(mode.arguments !== undefined && { arguments: mode.arguments }),
  });
}

/** One life: load until the kill. Resolves with the moment of the kill, `performance.now()`. */
async function liveAndDie(mode: Mode, node: NodeProcess, model: Model, name: string): Promise<number> {
  let over = false;
  const life: Life = { node, model, name, isOver: () => over };
  const loads = mode.loads.map(async (load) => await load(life));
  // A load that fails a check ends the round at once.
  await Promise.race([new Promise((done) => setTimeout(done, 150 + Math.random() * 900)), Promise.all(loads)]);
  const killedAt = performance.now();
  over = true;
  await node.kill();
  await Promise.all(loads);
  return killedAt;
}

function files(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.name.startsWith('.')) return [];
    return entry.isDirectory() ? files(path) : [path];
  });
}

/** Every record of the stream is in exactly one object, once and whole. */
function judgeObjects(data: string, shards: ReadonlyMap<string, readonly Stored[]>): void {
  const delivered = files(join(data, 'buckets', 'archive')).map((path) => readFileSync(path, 'utf8'));
  const stored = [...shards.values()].flatMap((records) => records.map(({ text }) => text.trimEnd()));
  const lines = delivered.join('').split('\n').slice(0, -1);
  assert.equal(lines.length, stored.length, 'as many records delivered as stored');
  assert.deepEqual(lines.sort(), stored.sort());
}

async function runMode(mode: Mode, data: string): Promise<void> {
  const model = new Model();
  let node = await startAgain(mode, data);
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const killedAt = await liveAndDie(mode, node, model, `r${round}`);
      node = await startAgain(mode, data);
      assert.ok(node.readyMs < READY_MS_MAX, `ready after ${Math.round(node.readyMs)} ms`);
      model.judge(await readAll(node.api, STREAM), mode.durability, killedAt);
      assertTiled(await listShards(node.api, STREAM));
    }
    await repeatUnanswered({ node, model, name: 'end', isOver: () => false });
    assert.equal(model.unanswered.size, 0, 'every webhook is answered in the end');
    model.judge(await readAll(node.api, STREAM), always, performance.now());
    const health = await fetch(`${node.api}/healthz`);
    assert.equal(health.status, 200, await health.text());
    const flushed = await fetch(`${node.api}/admin/deliveries/archive/flush`, { method: 'POST' });
    assert.equal(flushed.status, 200, await flushed.text());
    // Deliveries of what an interval lost cannot be taken back; the objects then hold more than the stream.
    if (mode.durability.sync === 'always') judgeObjects(data, await readAll(node.api, STREAM));
    assertReal(model);
    assert.equal(await node.stop(), 0, node.output());
  } finally {
    await node.kill();
  }
}

/** The load was one, of each kind. */
function assertReal({ acknowledged, answered, repeats }: Model): void {
  const others = acknowledged.size - answered.size;
  assert.ok(others > 100, `${others} records were put`);
  assert.ok(answered.size > 5 * ROUNDS, `${answered.size} webhooks were answered`);
  repeated.all += repeats.all;
  repeated.stored += repeats.stored;
}

for (const mode of modes) {
  test(`kill -9, ${ROUNDS} times, ${mode.name}`, { timeout: 600_000 }, async () => {
    const data = temporaryDirectory('kill');
    try {
      await runMode(mode, data);
    } finally {
      removeDirectory(data);
    }
  });
}

test('kills took answers to webhooks, some of them once the record was stored', (context) => {
  const said = `${repeated.all} were sent again, ${repeated.stored} of them stored before`;
  context.diagnostic(said);
  assert.ok(repeated.stored > 0, said);
});
