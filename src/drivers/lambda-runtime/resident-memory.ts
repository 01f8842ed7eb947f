import { execFile } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import type { Clock } from '../../ports/environment.ts';

const PAGE_BYTES = 4096;
/** USER_HZ of Linux is 100 on all machines that Node runs on. */
const TICK_MS = 10;
const PS_OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
/** Processes that are looked at in one turn of the loop: some 10 to 50 microseconds each. */
const LOOKS_PER_TURN = 10;
/** What is said of a process that is there no more. */
const GONE: readonly unknown[] = ['ENOENT', 'ESRCH'];

/**
 * What one process holds of memory, as Linux tells it at once. Its file stays open: each event looks, and one read is a
 * fifth of what opening it costs.
 */
export class ResidentMemory {
  readonly #pid: number;
  #file: number | undefined;
  #isClosed = false;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Resident bytes; 0 when the process is gone, undefined where it cannot be told. */
  bytes(): number | undefined {
    if (this.#isClosed) return 0;
    try {
      this.#file ??= openSync(`/proc/${this.#pid}/statm`, 'r');
      const length = readSync(this.#file, TEXT, 0, TEXT.length, 0);
      const [, pages = '0'] = TEXT.toString('latin1', 0, length).split(' ', 2);
      return Number(pages) * PAGE_BYTES;
    } catch (error) {
      // A node that has no file left to open knows nothing of the process.
      return hasProc && GONE.includes((error as NodeJS.ErrnoException).code) ? 0 : undefined;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#isClosed = true;
  }
}

const TEXT = Buffer.allocUnsafe(128);

/** The same, of a process that is looked at once. */
function residentBytes(pid: number): number {
  const memory = new ResidentMemory(pid);
  const bytes = memory.bytes() ?? 0;
  memory.close();
  return bytes;
}

/** CPU time that one process has used, in ms, as Linux tells it at once; undefined when it is gone, and elsewhere. */
export function cpuMs(pid: number): number | undefined {
  const [user, system] = statOf(String(pid))?.slice(11, 13) ?? [];
  return user === undefined ? undefined : (Number(user) + Number(system)) * TICK_MS;
}

/**
 * Resident bytes of whole process groups, by group: none where it cannot be told, and without the processes that cannot
 * be looked at. Never rejects.
 */
export async function groupsResidentBytes(clock: Pick<Clock, 'soon'>): Promise<ReadonlyMap<number, number>> {
  return hasProc ? await ofProc(clock) : await ofPs();
}

const hasProc = ((): boolean => {
  try {
    return readFileSync('/proc/self/statm', 'latin1').length > 0;
  } catch {
    return false;
  }
})();

/** The machine may have thousands of processes: whoever waits for the loop does not wait for a look at all of them. */
async function ofProc(clock: Pick<Clock, 'soon'>): Promise<ReadonlyMap<number, number>> {
  const groups = new Map<number, number>();
  const names = await readdir('/proc').catch(() => []);
  let looks = 0;
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    looks += 1;
    if (looks % LOOKS_PER_TURN === 0) await nextTurn(clock);
    const group = groupOf(name);
    if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + residentBytes(Number(name)));
  }
  return groups;
}

function groupOf(pid: string): number | undefined {
  const group = statOf(pid)?.[2];
  return group === undefined ? undefined : Number(group);
}

/** Fields behind the program's name, which stands in parentheses and may hold anything. */
function statOf(pid: string): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It ended meanwhile, or cannot be looked at now.
    return undefined;
  }
}

async function ofPs(): Promise<ReadonlyMap<number, number>> {
  const groups = new Map<number, number>();
  const text = await new Promise<string>((resolve) => {
    execFile('ps', ['-A', '-o', 'pgid=,rss='], { maxBuffer: PS_OUTPUT_BYTES_MAX }, (_error, out) => resolve(out));
  });
  for (const [, group = '', kibibytes = ''] of text.matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)) {
    groups.set(Number(group), (groups.get(Number(group)) ?? 0) + Number(kibibytes) * 1024);
  }
  return groups;
}
