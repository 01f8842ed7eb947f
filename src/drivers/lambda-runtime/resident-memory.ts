import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

const PAGE_BYTES = 4096;
/** USER_HZ of Linux is 100 on all machines that Node runs on. */
const TICK_MS = 10;
const PS_OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

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
    } catch {
      return hasProc ? 0 : undefined;
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

/** Resident bytes of whole process groups, by group; where it cannot be told none. Never rejects. */
export async function groupsResidentBytes(): Promise<ReadonlyMap<number, number>> {
  return hasProc ? ofProc() : await ofPs();
}

const hasProc = ((): boolean => {
  try {
    return readFileSync('/proc/self/statm', 'latin1').length > 0;
  } catch {
    return false;
  }
})();

/** A pass over all processes takes about ten microseconds for each. */
function ofProc(): ReadonlyMap<number, number> {
  const groups = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
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
    // It ended meanwhile.
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
