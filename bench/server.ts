import { connect } from 'node:net';
import { freePort } from '../test/support/free-port.ts';
import type { Contender } from './contenders.ts';
import type { Place } from './scenario.ts';
import { treeUsage, type TreeUsage } from '../test/support/process-tree.ts';

/** A started server. */
export interface Server {
  readonly port: number;
  /** From the start of the process to its first answer. */
  readonly readyMs: number;
  usage(): TreeUsage;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

const START_MS_MAX = 60_000;
const LOOK_AGAIN_MS = 2;

/** Starts a contender on a free port and waits until it is ready, a minute at most; an abort kills it. */
export async function startServer(contender: Contender, data: string, signal: AbortSignal): Promise<Server> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = contender.start(port, data);
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  const ended = new Promise<void>((done) => {
    child.once('exit', () => {
      signal.removeEventListener('abort', kill);
      done();
    });
  });
  while (!(await isReady(port, contender.readyPath))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${contender.name} ended with exit code ${child.exitCode}`);
    }
    if (performance.now() > startedAt + START_MS_MAX) {
      kill();
      throw new Error(`${contender.name} did not start`);
    }
    await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
  }
  return {
    port,
    readyMs: performance.now() - startedAt,
    usage: () => treeUsage(child.pid ?? 0),
    async kill() {
      kill();
      await ended;
    },
  };
}

/** What the work comes to on a server of the place's contender, which is killed once it is over. */
export async function onServer<T>(
  { contender, scratch, signal }: Place,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const server = await startServer(contender, `${scratch}/data`, signal);
  try {
    return await work(server);
  } finally {
    await server.kill();
  }
}

/** One GET on a connection of its own: cheaper than fetch, so that asking often does not slow the start down. */
async function isReady(port: number, path: string | undefined): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1000, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('connect', () => socket.write(`GET ${path ?? '/'} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`));
    socket.once('data', (head) => end(path === undefined || head.toString('latin1', 0, 12) === 'HTTP/1.1 200'));
  });
}
