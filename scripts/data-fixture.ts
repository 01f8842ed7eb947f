/**
 * Writes fixtures/data-v2, a small data directory of the format that this code writes, on a simulated machine: the same
 * bytes each time. It was run once for the format; a new one gets a folder, and a writer, of its own, and this one stays.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CONTENT_V2, contentOf, DATA_V2, filesOf, SECTIONS_V2, writeDataV2 } from '../src/testing/data-directory-v2.ts';

const bench = await writeDataV2();
const files = await filesOf(bench);
await bench.open(SECTIONS_V2);
const content = await contentOf(bench);
rmSync(DATA_V2, { recursive: true, force: true });
for (const [path, bytes] of files) {
  mkdirSync(dirname(join(DATA_V2, path)), { recursive: true });
  writeFileSync(join(DATA_V2, path), bytes);
}
writeFileSync(join(DATA_V2, CONTENT_V2), `${JSON.stringify(content, undefined, 1)}\n`);
process.stdout.write(
  `${files.size} files, ${[...files.values()].reduce((sum, { length }) => sum + length, 0)} bytes\n`,
);
