import { readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Ledger } from './ledger.ts';
import { parseRecord, RECORD_BYTES } from './loads.ts';

function objects(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.name.startsWith('.')) return [];
    return entry.isDirectory() ? objects(path) : [path];
  });
}

/** Counts what was delivered since the last time, and removes the objects: the disk stays bounded. */
export function takeObjects(data: string, ledgers: readonly Ledger[], hooks: Ledger): void {
  for (const path of objects(join(data, 'buckets'))) {
    const bucket = path.slice(join(data, 'buckets').length + 1).split('/')[0];
    const bytes = readFileSync(path);
    if (bucket === 'soak') takeRecords(bytes, ledgers);
    else for (const line of gunzipSync(bytes).toString().split('\n').slice(0, -1)) hooks.delivered(numberOf(line));
    unlinkSync(path);
  }
}

function takeRecords(bytes: Buffer, ledgers: readonly Ledger[]): void {
  if (bytes.length % RECORD_BYTES !== 0) ledgers[0]?.problems.push(`an object of ${bytes.length} bytes`);
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    const [writer, number] = parseRecord(bytes.toString('latin1', at, at + 40));
    (ledgers[writer] ?? ledgers[0])?.delivered(number);
  }
}

function numberOf(line: string): number {
  return Number(/^\{"number":(\d+)\}$/.exec(line)?.[1] ?? Number.NaN);
}
