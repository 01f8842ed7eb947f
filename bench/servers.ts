import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const TOOLS = resolve('node_modules/.cache/millrace-tools');

/** A server to measure: how it is installed and started. */
export interface Contender {
  readonly name: string;
  install(): void;
  start(port: number, scratch: string): ChildProcess;
}

/** A started server and what it used so far. */
export interface Running {
  readonly port: number;
  /** CPU seconds of the process so far. */
  cpuSeconds(): number;
  peakRssMiB(): number;
  stop(): Promise<void>;
}

const quiet = { stdio: 'ignore' as const };

/** millrace itself: durable, every answer after fdatasync. */
export const millrace: Contender = {
  name: 'millrace 0.1 (durable)',
  install: () => undefined,
  start(port, scratch) {
    const flags = ['--api', `127.0.0.1:${port}`, '--gateway', `127.0.0.1:${port + 1}`, '--data', scratch];
    return spawn(process.execPath, ['dist/main.js', 'dev', ...flags], quiet);
  },
};

/** kinesalite 3.3.3 from npm, in memory. */
export const kinesalite: Contender = {
  name: 'kinesalite 3.3.3 (memory)',
  install() {
    const home = join(TOOLS, 'kinesalite');
    if (existsSync(join(home, 'node_modules/kinesalite'))) return;
    mkdirSync(home, { recursive: true });
    execFileSync('npm', ['install', '--prefix', home, '--ignore-scripts', 'kinesalite@3.3.3'], quiet);
  },
  start: (port) =>
    spawn(
      process.execPath,
      [join(TOOLS, 'kinesalite/node_modules/kinesalite/cli.js'), '--port', String(port), '--createStreamMs', '0'],
      quiet,
    ),
};

/** ferrokinesis 0.7.0 from crates.io, in memory. */
export const ferrokinesis: Contender = {
  name: 'ferrokinesis 0.7.0 (memory)',
  install() {
    const home = join(TOOLS, 'ferrokinesis');
    if (existsSync(join(home, 'bin/ferrokinesis'))) return;
    execFileSync('cargo', ['install', 'ferrokinesis', '--version', '0.7.0', '--root', home], quiet);
  },
  start: (port) =>
    spawn(join(TOOLS, 'ferrokinesis/bin/ferrokinesis'), ['--port', String(port), '--create-stream-ms', '0'], {
      stdio: 'ignore',
      env: { ...process.env, RUST_LOG: 'off' },
    }),
};

/** Starts a contender in a scratch directory and waits until it answers. */
export async function run(contender: Contender, port: number): Promise<Running> {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const child = contender.start(port, scratch);
  const end = Date.now() + 15_000;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${contender.name} did not start`);
    await new Promise((done) => setTimeout(done, 20));
  }
  return {
    port,
    cpuSeconds: () => cpuSeconds(child.pid ?? 0),
    peakRssMiB: () => peakRssMiB(child.pid ?? 0),
    async stop() {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await ended;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function peakRssMiB(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(line) / 1024;
}
