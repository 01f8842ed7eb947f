import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './statistics.ts';

/** What a disk does without a log on it. */
export interface BareDisk {
  readonly mibPerSecond: number;
  readonly p50Ms: number;
}

const RUN_MS = 500;

/** Appends blocks to one file in `directory` for half a second, an fdatasync after each. */
export function bareDisk(directory: string, blockBytes: number): BareDisk {
  const path = join(directory, 'bare');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(blockBytes, 1);
  const times: number[] = [];
  const started = performance.now();
  while (performance.now() - started < RUN_MS) {
    const before = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push(performance.now() - before);
  }
  const seconds = (performance.now() - started) / 1000;
  closeSync(file);
  rmSync(path);
  return { mibPerSecond: (times.length * blockBytes) / 1048576 / seconds, p50Ms: median(times) };
}
