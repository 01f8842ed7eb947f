/**
 * `npm run soak -- --minutes 10`: a node under an even load of everything it does. Passes when memory is flat, nothing
 * is lost or doubled, and the node is healthy to the end. `--rate N`: records a second (4,000).
 */
import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';
import { treeUsage } from '../support/process-tree.ts';
import { Ledger } from './ledger.ts';
import { churn, hook, RECORD_BYTES, reshard, tail, write, type Soak } from './loads.ts';
import { judgeMemory, type Sample } from './memory.ts';
import { takeObjects } from './objects.ts';

const WRITERS = 4;
const PEAK_MIB_MAX = 300;
/** Two thirds of the run may climb by what the collector leaves lying between two samples, not by more. */
const CLIMB_MIB_MAX = 32;
const CATCH_UP_MS_MAX = 60_000;
const SAMPLE_MS = 1000;
const REPORT_SAMPLES = 30;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, rate: { type: 'string', default: '4000' } },
});
const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
if (!(minutes > 0) || !(rate > 0)) throw new Error('--minutes and --rate are numbers above 0');

function assertRoom(directory: string): void {
  const needed = minutes * 60 * rate * RECORD_BYTES * 1.3 + 1e9;
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  process.stdout.write(
    `needs ${(needed / 1e9).toFixed(1)} GB below ${directory}; free: ${(free / 1e9).toFixed(1)} GB\n`,
  );
  if (free < needed) throw new Error('not enough disk: fewer --minutes or a lower --rate');
}

/** Samples memory and counts objects until the signal; the first failure of either is the soak's. */
async function watch(soak: Soak, samples: Sample[]): Promise<void> {
  const startedAt = performance.now();
  while (!soak.writing.aborted) {
    await sleep(SAMPLE_MS, undefined, { signal: soak.writing }).catch(() => undefined);
    const { rssMiB } = treeUsage(soak.node.child.pid ?? 0);
    samples.push({ seconds: (performance.now() - startedAt) / 1000, rssMiB });
    collect(soak);
    if (samples.length % REPORT_SAMPLES === 0) report(soak, samples);
  }
}

function collect({ node, ledgers, hooks }: Soak): void {
  if (existsSync(join(node.data, 'buckets'))) takeObjects(node.data, ledgers, hooks);
}

function report({ ledgers, hooks }: Soak, samples: readonly Sample[]): void {
  const { seconds, rssMiB } = samples.at(-1) ?? { seconds: 0, rssMiB: 0 };
  const records = ledgers.reduce((sum, { sent }) => sum + sent, 0);
  const line = `${Math.round(seconds)} s: ${records} records, ${hooks.sent} webhooks, RSS ${Math.round(rssMiB)} MiB`;
  process.stdout.write(`${line}\n`);
}

/** Lets readers and deliveries come to the end of what was written. */
async function catchUp(soak: Soak): Promise<void> {
  const end = performance.now() + CATCH_UP_MS_MAX;
  for (const name of ['soak-archive', 'hooks-archive']) {
    const answer = await fetch(`${soak.node.api}/admin/deliveries/${name}/flush`, { method: 'POST' });
    if (answer.status !== 200) soak.hooks.problems.push(`flush of ${name}: ${await answer.text()}`);
  }
  while (missing(soak).length > 0 && performance.now() < end) {
    await sleep(200);
    collect(soak);
  }
}

function missing({ ledgers, hooks }: Soak): readonly string[] {
  const unread = ledgers.reduce((sum, ledger) => sum + ledger.count().unread, 0);
  const undelivered = [...ledgers, hooks].reduce((sum, ledger) => sum + ledger.count().undelivered, 0);
  return [
    ...(unread === 0 ? [] : [`${unread} records were not read`]),
    ...(undelivered === 0 ? [] : [`${undelivered} records were not delivered`]),
  ];
}

async function verdict(soak: Soak, samples: readonly Sample[]): Promise<readonly string[]> {
  const { peakMiB, climbMiB } = judgeMemory(samples);
  const health = await fetch(`${soak.node.api}/healthz`);
  const stored = soak.ledgers.reduce((sum, ledger) => sum + ledger.count().stored, 0);
  process.stdout.write(
    `${stored} records and ${soak.hooks.count().stored} webhooks stored; peak RSS ` +
      `${peakMiB.toFixed(0)} MiB (bound ${PEAK_MIB_MAX}), climb over the last two thirds ${climbMiB.toFixed(1)} MiB ` +
      `(bound ${CLIMB_MIB_MAX})\n`,
  );
  return [
    ...missing(soak),
    ...[...soak.ledgers, soak.hooks].flatMap(({ problems }) => problems),
    ...(stored > minutes * 60 * rate * 0.5 ? [] : [`only ${stored} records were stored: the load was not real`]),
    ...(health.status === 200 ? [] : [`health: ${await health.text()}`]),
    ...(peakMiB <= PEAK_MIB_MAX ? [] : [`peak RSS ${peakMiB.toFixed(0)} MiB`]),
    ...(climbMiB <= CLIMB_MIB_MAX ? [] : [`RSS climbs by ${climbMiB.toFixed(1)} MiB`]),
  ];
}

async function run(node: NodeProcess): Promise<readonly string[]> {
  const [writing, reading] = [new AbortController(), new AbortController()];
  const soak: Soak = {
    node,
    ledgers: Array.from({ length: WRITERS }, (_, writer) => new Ledger(`writer ${writer}`)),
    hooks: new Ledger('webhooks'),
    writing: writing.signal,
    reading: reading.signal,
  };
  const samples: Sample[] = [];
  const tailing = tail(soak);
  const loads = Promise.all([
    ...soak.ledgers.map(async (_, writer) => await write(soak, writer, rate / WRITERS)),
    hook(soak, node.secret('HOOKS')),
    reshard(soak),
    churn(soak),
    watch(soak, samples),
  ]);
  // A load that fails ends the soak at once; the others then find no node, and nobody asks them why.
  for (const work of [tailing, loads]) work.catch(() => undefined);
  await Promise.race([sleep(minutes * 60_000), loads, tailing]);
  writing.abort();
  await loads;
  await Promise.race([catchUp(soak), tailing]);
  reading.abort();
  await tailing;
  const problems = await verdict(soak, samples);
  const exitCode = await node.stop();
  return exitCode === 0 ? problems : [...problems, `exit code ${exitCode}:\n${node.output()}`];
}

const data = temporaryDirectory('soak');
let node: NodeProcess | undefined;
try {
  assertRoom(data);
  node = await startNodeProcess({ config: 'test/soak/millrace.yaml', data });
  const problems = await run(node);
  for (const problem of problems) process.stdout.write(`failed: ${problem}\n`);
  process.stdout.write(problems.length === 0 ? 'soak: passed\n' : 'soak: failed\n');
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  await node?.kill();
  removeDirectory(data);
}
