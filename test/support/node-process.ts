import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { signed } from './key-pair.ts';

/** A `millrace dev`, or `start`, in a process of its own. */
export interface NodeProcess {
  readonly api: string;
  readonly gateway: string;
  readonly data: string;
  readonly child: ChildProcess;
  /** From the start of the process until it was ready. */
  readonly readyMs: number;
  /** What it wrote to stdout and stderr so far. */
  output(): string;
  /** SIGTERM and its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  secret(name: string): string;
}

/** A fresh directory below the system's temporary one. */
export function temporaryDirectory(purpose: string): string {
  return mkdtempSync(join(tmpdir(), `millrace-${purpose}-`));
}

/** Removes what temporaryDirectory made. */
export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** How a node process is started; `program` replaces `dist/main.js` of this checkout. */
export interface NodeProcessOptions {
  readonly mode?: 'dev' | 'start';
  readonly config?: string;
  readonly data: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly program?: string;
  readonly workingDirectory?: string;
  readonly arguments?: readonly string[];
  /** Asks the api listener, where that is not plain HTTP. */
  readonly isReady?: (apiPort: number) => Promise<boolean>;
}

/** Starts a node on free ports and waits until it is ready (30 s at most). */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const [apiPort, gatewayPort] = [await freePort(), await freePort()];
  const [api, gateway] = [`http://127.0.0.1:${apiPort}`, `http://127.0.0.1:${gatewayPort}`];
  const config = options.config === undefined ? [] : [options.config];
  const flags = ['--api', `127.0.0.1:${apiPort}`, '--gateway', `127.0.0.1:${gatewayPort}`, '--data', options.data];
  const program = options.program ?? 'dist/main.js';
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [program, options.mode ?? 'dev', ...config, ...flags, ...(options.arguments ?? [])],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
      cwd: options.workingDirectory,
    },
  );
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'exit');
  const isReady = async (): Promise<boolean> => await (options.isReady?.(apiPort) ?? answers(api));
  await waitReady(isReady, child, () => text);
  const readyMs = performance.now() - startedAt;
  return {
    api,
    gateway,
    data: options.data,
    child,
    readyMs,
    output: () => text,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
      return child.exitCode;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    secret(name) {
      const secrets = JSON.parse(readFileSync(join(options.data, 'secrets.json'), 'utf8')) as Record<string, string>;
      const value = secrets[name];
      if (value === undefined) throw new Error(`no secret ${name} in the data directory`);
      return value;
    },
  };
}

async function answers(api: string): Promise<boolean> {
  return (await fetch(`${api}/readyz`)).ok;
}

async function waitReady(isReady: () => Promise<boolean>, child: ChildProcess, output: () => string): Promise<void> {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error(`the node ended with exit code ${child.exitCode}:\n${output()}`);
    if (await isReady().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`the node was not ready within 30 s:\n${output()}`);
}

/** One AWS JSON call, signed by KEY_PAIR; resolves with the status and the parsed answer. */
export async function call(
  api: string,
  target: string,
  input: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const request = {
    method: 'POST',
    url: new URL(api),
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    body: JSON.stringify(input),
  };
  const headers = signed(target.startsWith('Firehose') ? 'firehose' : 'kinesis', request);
  const answer = await fetch(api, { method: 'POST', body: request.body, headers });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}
