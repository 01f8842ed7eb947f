import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Of a handler that brings a whole package in its folder, not all is read. */
const FILES_MAX = 200;
const BOTO3 = /^\s*(?:import|from)\s+boto(?:3|core)\b/m;
/** What is imported under a condition, as libraries do, may never be needed. */
const BOTO3_AT_ONCE = /^(?:import|from)\s+boto(?:3|core)\b/m;
const IMPORT = /^[ \t]*import[ \t]+([^\n#;]+)/gm;
const FROM = /^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)/gm;

/** The first file of a handler's folder that imports boto3, from its module on through what that imports. */
export async function importerOfBoto3(folder: string, file: string): Promise<string | undefined> {
  const seen = new Set([file]);
  for (const name of seen) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    if ((name === file ? BOTO3 : BOTO3_AT_ONCE).test(text)) return name;
    for (const path of imported(name, text)) {
      const found = moduleFile(folder, path);
      if (found !== undefined && seen.size < FILES_MAX) seen.add(found);
    }
  }
  return undefined;
}

/** The file of a module, by its path without ending: `a/b`. */
export function moduleFile(folder: string, path: string): string | undefined {
  return [`${path}.py`, `${path}/__init__.py`].find((name) => existsSync(join(folder, name)));
}

/** Paths that the modules would have which a file imports; most are none of its folder. */
function imported(file: string, text: string): readonly string[] {
  const plain = Array.from(text.matchAll(IMPORT), ([, names = '']) => words(names)).flat();
  const from = Array.from(text.matchAll(FROM), ([, dots = '', module = '', names = '']) => {
    const base = join(above(file, dots.length), module.replaceAll('.', '/'));
    return [base, ...words(names).map((name) => join(base, name))];
  }).flat();
  return [...plain.map((name) => name.replaceAll('.', '/')), ...from];
}

/** One dot is the folder of the file itself. */
function above(file: string, dots: number): string {
  let folder = dots === 0 ? '' : dirname(file);
  for (let up = 1; up < dots; up += 1) folder = dirname(folder);
  return folder;
}

/** `a as b, c` names a and c. */
function words(list: string): readonly string[] {
  return list.split(',').flatMap((one) => /[\w.]+/.exec(one)?.[0] ?? []);
}
