import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../support/files-below.ts';
import type { NodeProcess } from '../support/node-process.ts';

/** What keeps a delivery, as its node says; empty: nothing. */
export async function failureOf({ api }: NodeProcess, name: string): Promise<string> {
  const answer = await fetch(`${api}/admin/deliveries/${name}`);
  return ((await answer.json()) as { failure?: string }).failure ?? '';
}

/** Asks for everything that waits for a delivery; whether it was delivered. */
export async function isFlushed({ api }: NodeProcess, name: string): Promise<boolean> {
  const answer = await fetch(`${api}/admin/deliveries/${name}/flush`, { method: 'POST' });
  return ((await answer.json()) as { flushed: boolean }).flushed;
}

/** The lines in a bucket of the node that holds nothing but error objects of that type; none while there is none. */
export function errorLines(
  { data }: NodeProcess,
  bucket: string,
  errorType: string,
): readonly Readonly<Record<string, unknown>>[] {
  const folder = join(data, 'buckets', bucket);
  const files = existsSync(folder) ? filesBelow(folder) : [];
  assert.ok(files.every((file) => file.includes(errorType)));
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'));
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}
