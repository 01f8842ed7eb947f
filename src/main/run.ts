import { existsSync, rmSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { exitCodes, type RunOptions } from '../cli/context.ts';
import type { Address } from '../compose/serve.ts';
import { InvalidConfig } from '../config/index.ts';
import { EnvironmentError, RequestError, messageOf } from '../kernel/errors.ts';
import { usualConfigFile } from './config-file.ts';
import { startNode, type StartedNode } from './node.ts';
import { welcome } from './welcome.ts';

/** From the first signal to the end, at most. */
const DRAIN_MS = 10_000;
/** Editors write a file in several steps. */
const SETTLE_MS = 150;
const SAME_WISH_MS = 300;

/** Runs a node until a signal, and returns the exit code. */
export async function runNode(options: RunOptions): Promise<number> {
  const [api, gateway] = [parseAddress(options.api), parseAddress(options.gateway)];
  const file = options.file === undefined ? usualConfigFile(process.cwd()) : resolve(options.file);
  if (options.file !== undefined && !existsSync(resolve(options.file))) return fail(`no file ${options.file}`, 3);
  let node: StartedNode;
  try {
    const data = options.ephemeral ? undefined : options.data;
    const { mode, log, sync } = options;
    node = await startNode({ config: file, mode, data, api, gateway, log, sync, unsafe: options.unsafe });
  } catch (error) {
    return startFailed(error);
  }
  if (options.mode === 'dev') process.stdout.write(welcome(node, file));
  else readyLine(node);
  return await untilEnd(node, options.mode === 'dev' ? file : undefined);
}

/** With the mode of the log: what is measured of a node says nothing without it. */
function readyLine({ environment, served, sync }: StartedNode): void {
  environment.log.info('node.ready', { api: served.api, gateway: served.gateway, sync });
}

function parseAddress(text: string): Address {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}

function fail(message: string, exitCode: number): number {
  process.stderr.write(`millrace: ${message}\n`);
  return exitCode;
}

function startFailed(error: unknown): number {
  if (error instanceof InvalidConfig) {
    process.stderr.write(`${error.message}\n`);
    return exitCodes.invalidConfig;
  }
  if (error instanceof RequestError && error.code === 'InvalidConfig')
    return fail(error.message, exitCodes.invalidConfig);
  if (error instanceof EnvironmentError) {
    if (error.code !== 'EIO') return fail(error.message, exitCodes.failure);
    const hint =
      'copy the data directory before anything else; docs/internals/on-disk-format.md says what stands where';
    return fail(`${error.message}\n  ${hint}`, exitCodes.logFailed);
  }
  throw error;
}

/** Waits for a signal or the log's failure; the second signal does not wait for anything. */
async function untilEnd(node: StartedNode, watched: string | undefined): Promise<number> {
  const reload = (): void => void reloadNode(node);
  const unwatch = watched === undefined ? () => undefined : watchFile(watched, reload);
  process.on('SIGHUP', reload);
  const signalled = new Promise<'signal'>((resolveSignal) => {
    let signals = 0;
    let firstAt = 0;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        signals += 1;
        const now = performance.now();
        // A terminal and its shell may each send one: that is no second wish.
        if (signals > 1 && now - firstAt > SAME_WISH_MS) process.exit(exitCodes.failure);
        if (signals === 1) firstAt = now;
        resolveSignal('signal');
      });
    }
  });
  // Timers alone keep no process alive, and neither should a listener that failed.
  if (node.temporary !== undefined) {
    const { temporary } = node;
    process.on('exit', () => rmSync(temporary, { recursive: true, force: true }));
  }
  const alive = setInterval(() => undefined, 60_000);
  const end = await Promise.race([signalled, node.served.failed]);
  clearInterval(alive);
  unwatch();
  process.off('SIGHUP', reload);
  if (end !== 'signal') {
    node.environment.log.error('node.failed', { message: end.message });
    return exitCodes.logFailed;
  }
  const cut = setTimeout(() => process.exit(exitCodes.failure), DRAIN_MS * 2);
  await node.stop(DRAIN_MS);
  clearTimeout(cut);
  return exitCodes.ok;
}

async function reloadNode(node: StartedNode): Promise<void> {
  try {
    await node.reload();
    node.environment.log.info('config.reloaded');
  } catch (error) {
    const message = messageOf(error);
    for (const line of message.split('\n'))
      node.environment.log.error('config.refused', { problem: line, kept: 'the old one' });
  }
}

/** Watches the folder: many editors replace the file itself. */
function watchFile(path: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(path), (_event, name) => {
      if (name !== basename(path)) return;
      clearTimeout(timer);
      timer = setTimeout(changed, SETTLE_MS);
    });
    watcher.on('error', () => watcher?.close());
  } catch (error) {
    const message = messageOf(error);
    process.stderr.write(`millrace: changes of ${path} are not noticed (${message}); SIGHUP reloads it\n`);
  }
  return () => {
    clearTimeout(timer);
    watcher?.close();
  };
}
