/**
 * `npm run bench`: the same load on millrace and its peers, in turn, with every byte read back and checked. A figure
 * counts only with the verdict `ok`. Prints one markdown table of medians, ranges and ratios; never judges by time.
 * docs/performance.md says what is measured and lists the options.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { Hangs, signing } from './client.ts';
import { millrace, peers, type Contender } from './contenders.ts';
import type { Measurement, Results } from './figures.ts';
import { readOptions, type BenchOptions } from './options.ts';
import { recordBytes } from './records.ts';
import type { Outcome, Scenario } from './scenario.ts';
import { catchUp } from './scenarios/catch-up.ts';
import { delivering } from './scenarios/delivering.ts';
import { encode } from './scenarios/encode.ts';
import { fanOutScenario } from './scenarios/fan-out.ts';
import { httpEndpoint } from './scenarios/http-endpoint.ts';
import { idleHandlers, invokeFunctions } from './scenarios/invoke.ts';
import { mixed } from './scenarios/mixed.ts';
import { putScenario } from './scenarios/put.ts';
import { restart, retain } from './scenarios/retain.ts';
import { scripts } from './scenarios/scripts.ts';
import { sseScenario } from './scenarios/sse.ts';
import { start } from './scenarios/start.ts';
import { webhook } from './scenarios/webhook.ts';
import { markdown } from './table.ts';

const SCENARIOS: readonly Scenario[] = [
  putScenario('puts500', 4, 500),
  putScenario('puts100', 4, 100),
  putScenario('put64', 64, 1),
  putScenario('put16', 16, 1),
  mixed,
  fanOutScenario('fanout200', 'SubscribeToShard of 4 shards, PutRecord at 200 records/s', {
    shards: 4,
    consumers: 1,
    batch: 1,
    recordsPerSecond: 200,
  }),
  fanOutScenario('fanout20', '20 consumers of one shard, PutRecords x64 at 1 MiB/s', {
    shards: 1,
    consumers: 20,
    batch: 64,
    recordsPerSecond: 1024,
  }),
  start,
  encode,
  httpEndpoint,
  delivering,
  catchUp,
  webhook,
  invokeFunctions,
  idleHandlers,
  retain,
  restart,
  scripts,
  sseScenario('sse', 50_000),
  sseScenario('sse-max', 0),
];

function chosen({ only }: BenchOptions): readonly Scenario[] {
  const unknown = only?.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    throw new Error(`no scenario ${unknown}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  }
  return SCENARIOS.filter(({ name, onRequest }) => (only === undefined ? !onRequest : only.includes(name)));
}

function machineLine(options: BenchOptions): string {
  const { rounds, seconds, records } = options;
  const keeps = chosen(options).some(({ onRequest }) => onRequest);
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return (
    `${cpus().length} cores ${cpus()[0]?.model ?? ''}, ${gibibytes} GiB, Linux ${release()}, Node ${process.version}; ` +
    `client and servers on the same cores; ${rounds} rounds of ${seconds} s, interleaved, order reversed every other ` +
    `round; records of ${recordBytes} bytes, 4 shards` +
    (keeps ? `; ${records.toLocaleString('en-US')} of them retained` : '')
  );
}

/** One measurement on fresh servers; what goes wrong becomes its verdict. */
async function measure(scenario: Scenario, contender: Contender, options: BenchOptions): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), scenario.secondsMax(options) * 1000);
  try {
    return await scenario.measure({ contender, scratch, options, signal: overdue.signal });
  } catch (error) {
    const isHanging = overdue.signal.aborted || error instanceof Hangs;
    return { figures: {}, problems: [isHanging ? 'hangs' : error instanceof Error ? error.message : String(error)] };
  } finally {
    clearTimeout(timer);
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function measureAll(options: BenchOptions): Promise<readonly Measurement[]> {
  signing.isOn = options.signed;
  const own = options.sync.flatMap((sync) =>
    options.wires.flatMap((wire) =>
      (options.signed ? [false, true] : [false]).map((verifies) => millrace({ sync, wire, verifies })),
    ),
  );
  const contenders = [...own, ...(options.peers === 'all' ? peers : [])];
  for (const contender of contenders) contender.install();
  const measurements: Measurement[] = [];
  for (const scenario of chosen(options)) {
    const other = scenario.isFanOut === true ? 'others' : 'fan-out';
    const taking = contenders.filter(
      ({ isMillrace, only }) => isMillrace || (!scenario.millraceOnly && only !== other),
    );
    const rounds = Math.min(options.rounds, scenario.roundsMax ?? options.rounds);
    for (let round = 0; round < rounds; round += 1) {
      for (const contender of round % 2 === 0 ? taking : taking.toReversed()) {
        const { figures, problems } = await measure(scenario, contender, options);
        const verdict = problems.length === 0 ? 'ok' : problems.join('; ');
        process.stderr.write(`${scenario.name}, round ${round + 1} of ${rounds}, ${contender.name}: ${verdict}\n`);
        const { name, isMillrace } = contender;
        measurements.push({ scenario: scenario.title, contender: name, isMillrace, round, figures, verdict });
      }
    }
  }
  return measurements;
}

const options = readOptions(process.argv.slice(2));
const results: Results = { machine: machineLine(options), measurements: await measureAll(options) };
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
process.stdout.write(markdown([results]));
if (results.measurements.some(({ isMillrace, verdict }) => isMillrace && verdict !== 'ok')) process.exitCode = 1;
