import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadedFiles, namesOf, type LoadedFile } from './loaded-files.ts';

/** Each is checked by a process of its own. */
const FILES_MAX = 20;
/** Of what is loaded at once: what stands in a block may never be. */
const IMPORT = /^(?:import|export)\b[^'";]*['"](\.{1,2}\/[^'"\n]+)['"]/gm;
const REQUIRE = /^[^\s/*].*?\brequire\(\s*['"](\.{1,2}\/[^'"\n]+)['"]\s*\)/gm;
const ENDINGS = ['', '.js', '.cjs', '.mjs', '/index.js'];
const CODE = /\.[cm]?js$/;

/** Names of the files of a folder that are read before a handler can run: its own, what that loads, and so on. */
export async function filesAtOnce(folder: string, file: string): Promise<readonly string[]> {
  const loads = ({ name, text }: LoadedFile): readonly string[] =>
    [IMPORT, REQUIRE]
      .flatMap((pattern) => Array.from(text.matchAll(pattern)))
      .flatMap(([, path = '']) => codeFile(folder, join(dirname(name), path)) ?? []);
  return await namesOf(loadedFiles(folder, file, FILES_MAX, loads));
}

/** What is above the folder of code is none of it. */
function codeFile(folder: string, path: string): string | undefined {
  if (path.startsWith('..')) return undefined;
  return ENDINGS.map((ending) => path + ending).find((name) => CODE.test(name) && isFile(join(folder, name)));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
