/** Runs every `*.test.js` of the compiled sources in one process; a file name may be given to run only those that match. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

function tests(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return tests(path);
    return entry.name.endsWith('.test.js') ? [path] : [];
  });
}

const wanted = process.argv[2] ?? '';
const root = join(import.meta.dirname, '..');
const folders = ['src', 'scripts', 'bench', 'test'];
for (const path of folders.flatMap((folder) => tests(join(root, folder))).sort()) {
  if (path.includes(wanted)) await import(pathToFileURL(path).href);
}
