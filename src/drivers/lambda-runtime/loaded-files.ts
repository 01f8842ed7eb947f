import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of a folder, by its name there. */
export interface LoadedFile {
  readonly name: string;
  readonly text: string;
}

/**
 * A file of a folder, what it loads of the folder, and so on, each once and at most so many; `loads` gives the names.
 * One that cannot be read is empty.
 */
export async function* loadedFiles(
  folder: string,
  first: string,
  filesMax: number,
  loads: (file: LoadedFile) => Iterable<string>,
): AsyncGenerator<LoadedFile> {
  const seen = new Set([first]);
  for (const name of seen) {
    const file = { name, text: await readFile(join(folder, name), 'utf8').catch(() => '') };
    yield file;
    for (const found of loads(file)) if (seen.size < filesMax) seen.add(found);
  }
}

/** Their names, in the order in which they are found. */
export async function namesOf(files: AsyncIterable<LoadedFile>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of files) names.push(name);
  return names;
}
