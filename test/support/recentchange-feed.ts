import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The local feed of the example sse-archive, in a process of its own. */
export interface RecentchangeFeed {
  /** Of its stream. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it on a free port; `words` are further options of `feed.mjs`. */
export async function startRecentchangeFeed(...words: readonly string[]): Promise<RecentchangeFeed> {
  const child = spawn(process.execPath, ['examples/sse-archive/feed.mjs', '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: line.toString().trim(),
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
