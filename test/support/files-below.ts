import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of all files below a folder, but for those whose name begins with a dot. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.')) return [];
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
