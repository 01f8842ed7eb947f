import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EnvironmentError } from '../../kernel/errors.ts';
import type { Network } from '../../ports/environment.ts';

/** The system's limit on the path of a local socket is 104 to 108 bytes; below this none complains. */
const SOCKET_PATH_BYTES_MAX = 100;
const CONNECT_MS_MAX = 2000;

/**
 * Runs `use` with a path to the same socket that is short enough: through a link to its folder in the system's
 * temporary directory when the real path is too long.
 */
async function withShortPath<T>(path: string, use: (short: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return await use(path);
  const home = await mkdtemp(join(tmpdir(), 'mr-'));
  try {
    const link = join(home, 'd');
    await symlink(dirname(path), link);
    return await use(join(link, basename(path)));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function connects(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    // A listener whose queue is full answers nobody, yet it is alive.
    socket.setTimeout(CONNECT_MS_MAX, () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'EAGAIN'));
  });
}

async function listen(path: string): Promise<{ close(): Promise<void> }> {
  return await new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end();
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'EADDRINUSE' : 'EOTHER';
      reject(new EnvironmentError(code, `cannot listen on ${path}: ${error.message}`, error));
    });
    server.listen(path, () => {
      server.unref();
      resolve({
        close: async () =>
          await new Promise((done) => {
            server.close(() => done());
          }),
      });
    });
  });
}

/** Local sockets of the machine. */
export const nodeNetwork: Network = {
  answers: async (path) => await withShortPath(path, connects),
  listenLocal: async (path) => await withShortPath(path, listen),
};
