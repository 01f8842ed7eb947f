import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** The absolute path of a program: by its path from `folder`, or by its name in PATH; undefined: there is none. */
export async function findProgram(name: string, folder: string, path: string): Promise<string | undefined> {
  if (isAbsolute(name) || name.includes('/')) return await executable(resolve(folder, name));
  for (const part of path.split(delimiter)) {
    const found = part === '' ? undefined : await executable(join(part, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function executable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}
