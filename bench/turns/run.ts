/**
 * `npm run bench:turns`: the longest turns of the log's thread under one load after the other, by the clock and of the processor.
 * `--only NAME,NAME` chooses loads, `--why` says which functions the long ones were in, `--build FOLDER` measures another
 * build. docs/performance.md has the rest.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { millrace } from '../contenders.ts';
import { startServer } from '../server.ts';
import { wires } from '../wire.ts';
import { turnsLoads, type TurnsLoad } from './loads.ts';
import { ownMs, type ProbeAnswer, type ProbeQuestion } from './turn.ts';

const SECONDS_MAX = 300;
/** The bound that design and table speak of, in ms. */
const BOUND_MS = 5;
const SHOWN = 8;
/** In front of all other processes, which else were taken for long turns; who may not do so is run as usual. */
const PREFERRED = ['nice', '-n', '-15'] as const;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    why: { type: 'boolean', default: false },
    build: { type: 'string', default: 'dist' },
  },
});

async function ask(child: ChildProcess, question: ProbeQuestion): Promise<ProbeAnswer> {
  const said = once(child, 'message');
  child.send(question);
  const [answer] = (await said) as [ProbeAnswer];
  return answer;
}

/** JSON is YAML too. */
function writeConfig(folder: string, config: object): string {
  const path = join(folder, 'millrace.yaml');
  writeFileSync(path, JSON.stringify(config));
  return path;
}

async function measure(load: TurnsLoad): Promise<ProbeAnswer> {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-turns-'));
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), SECONDS_MAX * 1000);
  const started: ChildProcess[] = [];
  const contender = {
    ...millrace({ sync: 'always', wire: wires.json, verifies: false }),
    start(port: number, data: string): ChildProcess {
      const probe = pathToFileURL('dist-test/bench/turns/probe.js').href;
      const flags = ['--api', `127.0.0.1:${port}`, '--gateway', '127.0.0.1:0', '--data', data];
      const [nice, ...first] = PREFERRED;
      const config = load.config === undefined ? [] : [writeConfig(scratch, load.config)];
      const command = [process.execPath, '--import', probe, `${values.build}/main.js`, 'dev', ...config, ...flags];
      const child = spawn(nice, [...first, ...command], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      started.push(child);
      return child;
    },
  };
  const server = await startServer(contender, `${scratch}/data`, overdue.signal);
  const [child] = started as [ChildProcess];
  try {
    const isProfiled = values.why;
    await load.run(server.port, async () => void (await ask(child, { ask: 'begin', isProfiled })));
    return await ask(child, { ask: 'end', isProfiled });
  } finally {
    clearTimeout(timer);
    await server.kill();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function row({ title }: TurnsLoad, { count, turns, millisecondsOfPauses }: ProbeAnswer): string {
  const own = turns.map(ownMs);
  const over = own.filter((ms) => ms > BOUND_MS).length;
  const longest = (some: readonly number[]): string => some.reduce((most, ms) => Math.max(most, ms), 0).toFixed(1);
  const wall = turns.map(({ wallMs }) => wallMs);
  const cells = [title, count, longest(wall), longest(own), over, longest(millisecondsOfPauses)];
  return `| ${cells.join(' | ')} |`;
}

const names = values.only?.split(',');
process.stdout.write(
  '| load | turns | longest by the clock, ms | own work, ms | above 5 ms | longest pause of the collector, ms |\n' +
    '|---|---|---|---|---|---|\n',
);
for (const load of turnsLoads) {
  if (names !== undefined && !names.includes(load.name)) continue;
  const answer = await measure(load);
  process.stdout.write(`${row(load, answer)}\n`);
  const worst = answer.turns.toSorted((a, b) => ownMs(b) - ownMs(a)).slice(0, values.why ? SHOWN : 0);
  for (const turn of worst) {
    const [own, wall, pause] = [ownMs(turn), turn.wallMs, turn.pauseMs].map((ms) => ms.toFixed(1));
    process.stderr.write(`  ${turn.kind} ${own} ms of ${wall} by the clock, ${pause} collecting: ${turn.what}\n`);
  }
}
