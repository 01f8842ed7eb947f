/**
 * Real `kill -9` in mid-load, in every mode. After each kill the node must be ready soon, every acknowledged record be
 * there once, in order per shard and writer, and every hash key have one owner; a webhook whose answer was lost is
 * sent again, and stands once. At the end of a mode every webhook is answered and every object whole, and what the mode
 * is there for, settling, checkpoints, reshards, was seen before its kills. Kills for each `sync`: `KILL_ROUNDS` (20).
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import './deliveries.ts';
import './events.ts';
import './failed-sync.ts';
import './storm.ts';
import { listShards, readAll, type Stored } from '../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';
import { churn, hooks, puts, repeatUnanswered, reshards, settings, STREAM, type Life, type Load } from './loads.ts';
import { assertTiled, Model, type Durability } from './model.ts';
import { type Sign, Signs } from './signs.ts';

const CONFIG = 'test/kill/millrace.yaml';
const TUNABLE = 'dist-test/test/support/tunable-node.js';
/** A data directory of some megabytes: generous for a busy machine, and far from reading everything twice. */
const READY_MS_MAX = 5000;
/** The program's interval is 100 ms; a sync that was under way adds its own time. */
const INTERVAL_WINDOW_MS = 1000;

/** What nodes are doing when they are killed. */
interface Work {
  readonly name: string;
  readonly program?: string;
  readonly arguments?: readonly string[];
  readonly loads: readonly Load[];
  /** What must have come about before kills. */
  readonly shows: readonly Sign[];
  /** With `always` the first life goes on until ids are checkpointed, which is every 5 s. */
  readonly isLongAtFirst?: boolean;
}

/** The same in one mode of `sync`. */
interface Mode extends Work {
  readonly durability: Durability;
}

const writers = [puts('a', 0), puts('b', 0), puts('c', 0), puts('d', 0)];
/** Names of their own: a mode may have both kinds. */
const largeWriters = [puts('y', 2000), puts('z', 4000)];

const WORKS: readonly Work[] = [
  { name: 'plain load', loads: [...writers, ...Array<Load>(8).fill(hooks)], shows: [] },
  {
    name: 'while the cleaner works: small segments, streams that go',
    program: TUNABLE,
    arguments: ['--segment-bytes', '262144'],
    loads: [...largeWriters, hooks, churn, churn],
    shows: ['settled'],
  },
  {
    name: 'while segments end and the catalog and the ids are checkpointed',
    program: TUNABLE,
    arguments: ['--segment-bytes', '65536', '--snapshot-every', '50'],
    // Slow ones, since all that a long life leaves is read after each kill.
    loads: [puts('y', 2000, 30), puts('z', 4000, 30), ...Array<Load>(4).fill(hooks), ...Array<Load>(8).fill(settings)],
    shows: ['segments', 'snapshots'],
    isLongAtFirst: true,
  },
  { name: 'while shards split and merge', loads: [...writers, hooks, reshards], shows: ['closed'] },
];

const DURABILITIES: readonly Durability[] = [
  { sync: 'always' },
  { sync: 'interval', windowMs: INTERVAL_WINDOW_MS },
  { sync: 'none' },
];

const modes: readonly Mode[] = DURABILITIES.flatMap((durability) =>
  WORKS.map((work) => {
    const name = `sync: ${durability.sync}, ${work.name}`;
    const isLongAtFirst = work.isLongAtFirst === true && durability.sync === 'always';
    const shows: readonly Sign[] = isLongAtFirst ? [...work.shows, 'ids'] : work.shows;
    const flags = [...(work.arguments ?? []), '--sync', durability.sync];
    return { ...work, name, durability, shows, isLongAtFirst, arguments: flags };
  }),
);
/** Over all modes; in one a kill may come when every webhook is answered. */
const repeated = { all: 0, stored: 0 };
const ROUNDS = Math.ceil(Number(process.env['KILL_ROUNDS'] ?? 20) / WORKS.length);
/** On a busy machine a short life may end before anything is settled: then there are more. */
const ROUNDS_MAX = 4 * ROUNDS;
const LONG_LIFE_MS = 5500;

async function startAgain(mode: Mode, data: string): Promise<NodeProcess> {
  return await startNodeProcess({
    config: CONFIG,
    data,
    ...(mode.program !== undefined && { program: mode.program }),
    ...(mode.arguments !== undefined && { arguments: mode.arguments }),
  });
}

/** One life: load until the kill. Resolves with the moment of the kill, `performance.now()`. */
async function liveAndDie(
  { loads: wanted }: Mode,
  life: Omit<Life, 'isOver'>,
  signs: Signs,
  ms: number,
): Promise<number> {
  let over = false;
  const loads = [...wanted, signs.watch].map(async (load) => await load({ ...life, isOver: () => over }));
  // A load that fails a check ends the round at once.
  await Promise.race([new Promise((done) => setTimeout(done, ms)), Promise.all(loads)]);
  const killedAt = performance.now();
  over = true;
  await life.node.kill();
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

async function runMode(mode: Mode, data: string, context: TestContext): Promise<void> {
  const model = new Model();
  const signs = new Signs();
  let node = await startAgain(mode, data);
  try {
    const lacks = (): boolean => mode.shows.some((sign) => signs.lives(sign) === 0);
    for (let round = 0; round < ROUNDS || (lacks() && round < ROUNDS_MAX); round += 1) {
      const ms = mode.isLongAtFirst === true && round === 0 ? LONG_LIFE_MS : 150 + Math.random() * 700;
      const killedAt = await liveAndDie(mode, { node, model, name: `r${round}` }, signs, ms);
      node = await startAgain(mode, data);
      assert.ok(node.readyMs < READY_MS_MAX, `ready after ${Math.round(node.readyMs)} ms`);
      model.judge(await readAll(node.api, STREAM), mode.durability, killedAt);
      const shards = await listShards(node.api, STREAM);
      assertTiled(shards);
      signs.endLife(shards);
    }
    await repeatUnanswered({ node, model, name: 'end', isOver: () => false });
    assert.equal(model.unanswered.size, 0, 'every webhook is answered in the end');
    model.judge(await readAll(node.api, STREAM), { sync: 'always' }, performance.now());
    const health = await fetch(`${node.api}/healthz`);
    assert.equal(health.status, 200, await health.text());
    const flushed = await fetch(`${node.api}/admin/deliveries/archive/flush`, { method: 'POST' });
    assert.equal(flushed.status, 200, await flushed.text());
    // Deliveries of what an interval lost cannot be taken back; the objects then hold more than the stream.
    if (mode.durability.sync === 'always') judgeObjects(data, await readAll(node.api, STREAM));
    assertReal(model);
    context.diagnostic(signs.told());
    for (const sign of mode.shows) assert.ok(signs.lives(sign) > 0, `${sign}: ${signs.told()}`);
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
  test(`kill -9, ${ROUNDS} times, ${mode.name}`, { timeout: 600_000 }, async (context) => {
    const data = temporaryDirectory('kill');
    try {
      await runMode(mode, data, context);
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
