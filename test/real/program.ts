import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunOptions } from './tools.ts';

const STOP_MS_MAX = 15_000;
const OUTPUT_CHARACTERS_KEPT = 8_000;
const running = new Set<number>();

// Whatever ends this process ends what it started.
process.on('exit', () => {
  for (const group of running) killGroup(group);
});

/** A program of others that runs beside the node. */
export interface Program {
  /** Complete lines of its stdout so far. */
  readonly lines: readonly string[];
  /** It was killed on purpose. */
  readonly killed: boolean;
  /** Throws, with what it wrote, when it ended. */
  assertRunning(): void;
  /** Ends its stdin, waits, and kills it after 15 s. */
  stop(): Promise<void>;
  /** SIGKILL to it and all that it started. */
  kill(): Promise<void>;
}

/** Starts a program in a process group of its own. */
export function startProgram(program: string, words: readonly string[], options: RunOptions = {}): Program {
  const child = spawn(program, words, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: options.workingDirectory,
    env: { ...process.env, ...options.environment },
  });
  const group = child.pid ?? 0;
  running.add(group);
  const ended = once(child, 'close').then(
    () => running.delete(group),
    () => running.delete(group),
  );
  const lines: string[] = [];
  let [rest, last] = ['', ''];
  let killed = false;
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  child.stderr.on('data', (chunk: Buffer) => (last = (last + chunk.toString()).slice(-OUTPUT_CHARACTERS_KEPT)));
  return {
    lines,
    get killed() {
      return killed;
    },
    assertRunning() {
      if (running.has(group)) return;
      throw new Error(`${program} ended with ${child.exitCode}: ${lines.slice(-20).join('\n')}\n${last}`);
    },
    async stop() {
      child.stdin.end();
      await Promise.race([ended, sleep(STOP_MS_MAX, undefined, { ref: false })]);
      killGroup(group);
      await ended;
    },
    async kill() {
      killed = true;
      killGroup(group);
      await ended;
    },
  };
}

function killGroup(group: number): void {
  try {
    if (group > 0 && running.has(group)) process.kill(-group, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/**
 * Waits until `check` gives something; throws, with `what`, after `timeoutMs` or when one of `programs` ended. What
 * `check` throws counts as not yet.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  check: () => T | Promise<T>,
  programs: readonly Program[] = [],
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  let problem = '';
  while (performance.now() < end) {
    for (const program of programs) program.assertRunning();
    try {
      const found = await check();
      if (found !== undefined && found !== null && found !== false) return found;
    } catch (error) {
      problem = `: ${String(error)}`;
    }
    await sleep(100);
  }
  throw new Error(`not within ${timeoutMs / 1000} s: ${what}${problem}`);
}
