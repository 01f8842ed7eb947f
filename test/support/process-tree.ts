import { readdirSync, readFileSync } from 'node:fs';

/** What a process and all that it started used so far. */
export interface TreeUsage {
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  /** The highest so far, summed over the processes. */
  readonly peakRssMiB: number;
  /** Bytes sent to the disk. */
  readonly writtenBytes: number;
}

const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

/** Reads the usage of a process tree from /proc; what ended meanwhile is left out. */
export function treeUsage(root: number): TreeUsage {
  const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readStat(Number(name)) : []));
  const members = new Set([root]);
  // A child has mostly the larger number, but not always: until nothing is added.
  for (let before = 0; before < members.size;) {
    before = members.size;
    for (const { pid, parent } of stats) if (members.has(parent)) members.add(pid);
  }
  const mine = stats.filter(({ pid }) => members.has(pid));
  const sum = (pick: (stat: Stat) => number): number => mine.reduce((total, stat) => total + pick(stat), 0);
  return {
    cpuSeconds: sum(({ ticks }) => ticks) / TICKS_PER_SECOND,
    rssMiB: sum(({ pid }) => statusKiB(pid, 'VmRSS')) / 1024,
    peakRssMiB: sum(({ pid }) => statusKiB(pid, 'VmHWM')) / 1024,
    writtenBytes: sum(({ pid }) => Number(/^write_bytes: (\d+)/m.exec(readProc(pid, 'io'))?.[1] ?? 0)),
  };
}

function readStat(pid: number): readonly Stat[] {
  const fields = readProc(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  if (fields.length < 13) return [];
  return [{ pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }];
}

function statusKiB(pid: number, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readProc(pid, 'status'))?.[1] ?? 0);
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}
