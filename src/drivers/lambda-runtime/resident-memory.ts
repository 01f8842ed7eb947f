import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;
/** USER_HZ of Linux is 100 on all machines that Node runs on. */
const TICK_MS = 10;
const PS_OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

/** Resident bytes of one process, by what Linux tells at once; 0 when it is gone, undefined elsewhere. */
export function residentBytes(pid: number): number | undefined {
  try {
    const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return Number(pages) * PAGE_BYTES;
  } catch {
    return hasProc ? 0 : undefined;
  }
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
    if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + (residentBytes(Number(name)) ?? 0));
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
