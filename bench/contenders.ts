import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BENCH_PAIR } from './client.ts';
import type { SyncMode } from './options.ts';
import { wires, type Wire } from './wire.ts';

/** A server to measure: how it is installed and started. */
export interface Contender {
  readonly name: string;
  readonly isMillrace: boolean;
  /** What it is spoken to in. */
  readonly wire: Wire;
  /** The scenarios it takes part in; absent: all. */
  readonly only?: 'fan-out' | 'others';
  /** Answers 200 here once it is ready; undefined: any answer to anything says so. */
  readonly readyPath?: string;
  install(): void;
  start(port: number, data: string): ChildProcess;
}

const TOOLS = resolve('node_modules/.cache/millrace-tools');
const quiet = { stdio: 'ignore' as const };
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** How a millrace is measured; `verifies`: only what is signed with the bench's key pair is served. */
export interface MillraceOptions {
  readonly sync: SyncMode;
  readonly wire: Wire;
  readonly verifies: boolean;
}

/** millrace itself, with its log on disk. */
export function millrace({ sync, wire, verifies }: MillraceOptions): Contender {
  const how = [
    `sync: ${sync}`,
    ...(wire === wires.json ? [] : [wire.name]),
    ...(verifies ? ['signatures verified'] : []),
  ];
  return {
    name: `millrace ${version}, ${how.join(', ')}`,
    isMillrace: true,
    wire,
    readyPath: '/readyz',
    install: () => undefined,
    start(port, data) {
      const listeners = ['--api', `127.0.0.1:${port}`, '--gateway', '127.0.0.1:0'];
      const config = verifies ? [writeConfig(`${data}.yaml`)] : [];
      const flags = [...config, ...listeners, '--data', data, '--sync', sync];
      return spawn(process.execPath, ['dist/main.js', 'dev', ...flags], quiet);
    },
  };
}

/** A config with the bench's key pair; JSON is YAML too. */
function writeConfig(path: string): string {
  writeFileSync(path, JSON.stringify({ server: { credentials: [BENCH_PAIR] } }));
  return path;
}

/** ferrokinesis 0.7.0 from crates.io, in memory. */
const ferrokinesis: Contender = {
  name: 'ferrokinesis 0.7.0, memory',
  isMillrace: false,
  wire: wires.json,
  install() {
    const home = join(TOOLS, 'ferrokinesis');
    if (existsSync(join(home, 'bin/ferrokinesis'))) return;
    execFileSync('cargo', ['install', 'ferrokinesis', '--version', '0.7.0', '--root', home], quiet);
  },
  start: (port) =>
    spawn(join(TOOLS, 'ferrokinesis/bin/ferrokinesis'), ['--port', String(port), '--create-stream-ms', '0'], {
      ...quiet,
      env: { ...process.env, RUST_LOG: 'off' },
    }),
};

/** kinesalite 3.3.3 from npm, in memory. */
const kinesalite: Contender = {
  name: 'kinesalite 3.3.3, memory',
  isMillrace: false,
  wire: wires.json,
  // It has no consumers.
  only: 'others',
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

/** kinesis-mock 0.6.2 from npm (kinesis-local), in memory. */
const kinesisMock: Contender = {
  name: 'kinesis-mock 0.6.2, memory',
  isMillrace: false,
  wire: wires.json,
  only: 'fan-out',
  install() {
    const home = join(TOOLS, 'kinesis-local');
    if (existsSync(join(home, 'node_modules/kinesis-local'))) return;
    mkdirSync(home, { recursive: true });
    execFileSync('npm', ['install', '--prefix', home, '--ignore-scripts', 'kinesis-local@0.6.2'], quiet);
  },
  start: (port) =>
    spawn(process.execPath, ['main.js'], {
      ...quiet,
      // It looks for its certificate where it is started.
      cwd: join(TOOLS, 'kinesis-local/node_modules/kinesis-local'),
      env: {
        ...process.env,
        KINESIS_MOCK_PLAIN_PORT: String(port),
        KINESIS_MOCK_TLS_PORT: '0',
        CREATE_STREAM_DURATION: '0ms',
        REGISTER_STREAM_CONSUMER_DURATION: '0ms',
        LOG_LEVEL: 'ERROR',
      },
    }),
};

/** Those millrace is compared with. */
export const peers: readonly Contender[] = [ferrokinesis, kinesalite, kinesisMock];
