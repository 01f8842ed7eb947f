import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadedFiles, namesOf, type LoadedFile } from './loaded-files.ts';

/** Of a handler that brings a whole package in its folder, not all is read. */
const FILES_MAX = 200;
const BOTO3 = /^([ \t]*)(?:import|from)[ \t]+boto(?:3|core)\b/gm;
const IMPORT = /^([ \t]*)import[ \t]+([^\n#;]+)/gm;
const FROM = /^([ \t]*)from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)/gm;
const INDENT = /^[ \t]*(?=[^\s#])/;
/** What catches an import that fails. */
const CATCHES = /^except\b(?:\s*:|.*\b(?:ImportError|ModuleNotFoundError|Exception|BaseException)\b)/;

/** The first file of a handler's folder that needs boto3, from its module on through what that imports. */
export async function importerOfBoto3(folder: string, file: string): Promise<string | undefined> {
  for await (const { name, text } of modules(folder, file, false)) {
    const needs = Array.from(text.matchAll(BOTO3)).some(({ 1: indent = '', index }) => {
      // What other files import under a condition, as libraries do, may never be needed.
      return indent === '' || (name === file && !isGuarded(text, index, indent));
    });
    if (needs) return name;
  }
  return undefined;
}

/** Names of the files that are read before a handler can run: its module, and what that imports at once, and so on. */
export async function modulesAtOnce(folder: string, file: string): Promise<readonly string[]> {
  return await namesOf(modules(folder, file, true));
}

/** A module and all that it imports of its folder; `atOnce`: without what stands in a block. */
function modules(folder: string, file: string, atOnce: boolean): AsyncIterable<LoadedFile> {
  return loadedFiles(folder, file, FILES_MAX, ({ name, text }) =>
    imported(name, text, atOnce).flatMap((path) => moduleFile(folder, path) ?? []),
  );
}

/** Whether the block of a statement is a `try` that goes on without what cannot be imported. */
function isGuarded(text: string, index: number, indent: string): boolean {
  const outer = (line: string): number | undefined => {
    const depth = INDENT.exec(line)?.[0].length;
    return depth !== undefined && depth < indent.length ? depth : undefined;
  };
  const head =
    text
      .slice(0, index)
      .split('\n')
      .findLast((line) => outer(line) !== undefined) ?? '';
  if (!/^try\s*:/.test(head.trimStart())) return false;
  const after = text.slice(index).split('\n');
  const end = after.findIndex((line) => outer(line) !== undefined);
  return end >= 0 && CATCHES.test((after[end] ?? '').trimStart());
}

/** The file of a module, by its path without ending: `a/b`. */
export function moduleFile(folder: string, path: string): string | undefined {
  return [`${path}.py`, `${path}/__init__.py`].find((name) => existsSync(join(folder, name)));
}

/** Paths that the modules would have which a file imports; most are none of its folder. */
function imported(file: string, text: string, atOnce: boolean): readonly string[] {
  const plain = Array.from(text.matchAll(IMPORT), ([, indent = '', names = '']) => {
    return atOnce && indent !== '' ? [] : words(names);
  }).flat();
  const from = Array.from(text.matchAll(FROM), ([, indent = '', dots = '', module = '', names = '']) => {
    if (atOnce && indent !== '') return [];
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
