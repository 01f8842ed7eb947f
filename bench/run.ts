/**
 * `npm run bench`: the same load on millrace and its peers, in turn, with every byte read back and checked. A figure
 * counts only with the verdict `ok`. Prints medians and ratios; never judges by time. `--rounds N` (5), `--seconds S`
 * (3), `--only SCENARIO`.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from './client.ts';
import { PutBody, recordBytes, Verdict } from './records.ts';
import { ferrokinesis, kinesalite, millrace, run, type Contender } from './servers.ts';

interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly batch: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'PutRecords x500', connections: 4, batch: 500 },
  { name: 'PutRecords x100', connections: 4, batch: 100 },
  { name: 'PutRecord, 64 connections', connections: 64, batch: 1 },
  { name: 'PutRecord, 16 connections', connections: 16, batch: 1 },
];
const STREAM = 'bench';
const IDS_PER_WRITER = 4_000_000;

interface Measured {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuUs: number;
  readonly drainPerSecond: number;
  readonly rssMiB: number;
  readonly problems: readonly string[];
}

function option(name: string, standard: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? standard : Number(process.argv[at + 1]);
}

async function callJson(connection: Connection, action: string, input: unknown): Promise<Record<string, unknown>> {
  const { status, body } = await connection.call(action, Buffer.from(JSON.stringify(input)));
  if (status !== 200) throw new Error(`${action}: ${status} ${body.toString()}`);
  return body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>);
}

async function prepare(connection: Connection): Promise<string[]> {
  await callJson(connection, 'CreateStream', { StreamName: STREAM, ShardCount: 4 });
  for (;;) {
    const { StreamDescription } = await callJson(connection, 'DescribeStream', { StreamName: STREAM });
    const { StreamStatus, Shards } = StreamDescription as { StreamStatus: string; Shards: { ShardId: string }[] };
    if (StreamStatus === 'ACTIVE') return Shards.map(({ ShardId }) => ShardId);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface PutResult {
  readonly stored: number;
  readonly latenciesMs: number[];
}

async function writer(port: number, scenario: Scenario, index: number, endAt: number): Promise<PutResult> {
  const connection = await Connection.open(port);
  const single = scenario.batch === 1;
  const body = new PutBody(STREAM, scenario.batch, single);
  const action = single ? 'PutRecord' : 'PutRecords';
  const perWriter = Math.floor((IDS_PER_WRITER * 4) / scenario.connections);
  const latenciesMs: number[] = [];
  let stored = 0;
  while (performance.now() < endAt && stored + scenario.batch <= perWriter) {
    const bytes = body.number(index * perWriter + stored);
    const before = performance.now();
    const answer = await connection.call(action, bytes);
    latenciesMs.push(performance.now() - before);
    if (answer.status !== 200) throw new Error(`${action}: ${answer.status} ${answer.body.toString().slice(0, 200)}`);
    if (!single && !answer.body.includes('"FailedRecordCount":0')) throw new Error('some records failed');
    stored += scenario.batch;
  }
  connection.close();
  return { stored, latenciesMs };
}

async function drainShard(port: number, shardId: string, verdict: Verdict): Promise<void> {
  const connection = await Connection.open(port);
  const first = { StreamName: STREAM, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' };
  let { ShardIterator: iterator } = await callJson(connection, 'GetShardIterator', first);
  const last = new Map<number, number>();
  for (;;) {
    const { status, body } = await connection.call(
      'GetRecords',
      Buffer.from(`{"ShardIterator":"${String(iterator)}"}`),
    );
    if (status !== 200) throw new Error(`GetRecords: ${status} ${body.toString().slice(0, 200)}`);
    const found = verdict.take(body, last);
    const text = body.toString('latin1', 0, 2000) + body.toString('latin1', Math.max(2000, body.length - 2000));
    iterator = /"NextShardIterator":"([^"]+)"/.exec(text)?.[1];
    if (found === 0 && /"MillisBehindLatest":0\b/.test(text)) break;
  }
  connection.close();
}

async function measure(contender: Contender, scenario: Scenario, port: number, seconds: number): Promise<Measured> {
  const server = await run(contender, port);
  try {
    const control = await Connection.open(port);
    const shards = await prepare(control);
    control.close();
    const cpuBefore = server.cpuSeconds();
    const started = performance.now();
    const writers = Array.from({ length: scenario.connections }, async (_, index) =>
      writer(port, scenario, index, started + seconds * 1000),
    );
    const results = await Promise.all(writers);
    const elapsed = (performance.now() - started) / 1000;
    const cpu = server.cpuSeconds() - cpuBefore;
    const stored = results.reduce((sum, result) => sum + result.stored, 0);
    const perWriter = Math.floor((IDS_PER_WRITER * 4) / scenario.connections);
    const verdict = new Verdict(IDS_PER_WRITER * 4, (id) => Math.floor(id / perWriter));
    const drainStarted = performance.now();
    await Promise.all(shards.map(async (shardId) => await drainShard(port, shardId, verdict)));
    const drainElapsed = (performance.now() - drainStarted) / 1000;
    const missing = stored - verdict.count;
    const problems = missing === 0 ? verdict.problems : [...verdict.problems, `${missing} missing`];
    const latencies = results.flatMap((result) => result.latenciesMs).sort((a, b) => a - b);
    return {
      perSecond: stored / elapsed,
      p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
      cpuUs: (cpu / stored) * 1e6,
      drainPerSecond: stored / drainElapsed,
      rssMiB: server.peakRssMiB(),
      problems,
    };
  } finally {
    await server.stop();
  }
}

/** What the disk itself does: 1 MiB writes, each followed by fdatasync, for a second. Returns [MiB/s, p50 ms]. */
function bareDisk(): readonly [number, number] {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const file = openSync(join(directory, 'bare'), 'w');
  const block = Buffer.alloc(1 << 20, 1);
  const times: number[] = [];
  const started = performance.now();
  while (performance.now() - started < 1000) {
    const before = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push(performance.now() - before);
  }
  closeSync(file);
  rmSync(directory, { recursive: true });
  times.sort((a, b) => a - b);
  return [(times.length / (performance.now() - started)) * 1000, times[times.length >> 1] ?? 0];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function row(contender: Contender, all: readonly Measured[], reference: readonly Measured[]): string {
  const of = (pick: (measured: Measured) => number): number => median(all.map(pick));
  const ratio = (pick: (measured: Measured) => number): string => (median(reference.map(pick)) / of(pick)).toFixed(2);
  const problems = all.flatMap((measured) => measured.problems);
  const verdict = problems.length === 0 ? 'ok' : problems.join('; ');
  const range = `${Math.round(Math.min(...all.map((m) => m.perSecond)))}..${Math.round(Math.max(...all.map((m) => m.perSecond)))}`;
  return (
    `| ${contender.name} | ${Math.round(of((m) => m.perSecond))} [${range}] | ${ratio((m) => m.perSecond)} | ` +
    `${of((m) => m.p99Ms).toFixed(1)} | ${of((m) => m.cpuUs).toFixed(1)} | ${Math.round(of((m) => m.drainPerSecond))} | ` +
    `${ratio((m) => m.drainPerSecond)} | ${Math.round(of((m) => m.rssMiB))} | ${verdict} |`
  );
}

const contenders = [millrace, ferrokinesis, kinesalite];
const rounds = option('--rounds', 5);
const seconds = option('--seconds', 3);
const only = process.argv[process.argv.indexOf('--only') + 1];
for (const contender of contenders) contender.install();
process.stdout.write(
  `${cpus().length} cores ${cpus()[0]?.model ?? ''}, Node ${process.version}; ${rounds} rounds of ${seconds} s, `,
);
process.stdout.write(`records of ${recordBytes} bytes, 4 shards, interleaved, order reversed every other round\n`);
const disk = bareDisk();
process.stdout.write(`bare 1 MiB write + fdatasync: ${disk[0].toFixed(0)} MiB/s, p50 ${disk[1].toFixed(2)} ms\n`);
let port = 24_500;
for (const scenario of SCENARIOS) {
  if (process.argv.includes('--only') && scenario.name !== only) continue;
  const results = new Map<Contender, Measured[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      port += 2;
      results.get(contender)!.push(await measure(contender, scenario, port, seconds));
    }
  }
  process.stdout.write(`\n${scenario.name} on ${scenario.connections} connections\n`);
  process.stdout.write(
    '| server | records/s [range] | millrace is x | p99 ms | CPU us/record | drain records/s | millrace is x | peak RSS MiB | verdict |\n',
  );
  process.stdout.write('|---|---|---|---|---|---|---|---|---|\n');
  for (const contender of contenders) {
    process.stdout.write(`${row(contender, results.get(contender)!, results.get(contenders[0]!)!)}\n`);
  }
}
