import { messageOf } from '../kernel/errors.ts';
import {
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
} from 'yaml';
import type { ConfigPath } from '../kernel/schema/check-config.ts';

const FAULTS_SHOWN = 2;
const CHARACTERS_MAX = 1024 * 1024;
const BRACKETS_MAX = 200;

/** A place in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A parsed file: plain values, and where each stands. */
export interface ConfigFile {
  readonly value: unknown;
  /** Where the value (or key) of that path stands; the nearest one above when it does not exist. */
  locate(path: ConfigPath): Position | undefined;
  /** What keeps it from being read. */
  readonly faults: readonly { readonly position: Position; readonly message: string }[];
}

/** Reads YAML 1.2 (JSON is a part of it); never throws. */
export function readYaml(text: string): ConfigFile {
  const excess = excessOf(text);
  if (excess !== undefined) {
    return {
      value: undefined,
      locate: () => undefined,
      faults: [{ position: { line: 1, column: 1 }, message: excess }],
    };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  // One fault of syntax makes many more behind it.
  const first = document.errors.slice(0, FAULTS_SHOWN);
  const faults = first.map(({ pos, message }) => ({ position: at(pos[0]), message: withHint(text, pos[0], message) }));
  if (faults.length > 0) return { value: undefined, locate: () => undefined, faults };
  const read = toPlain(document);
  return {
    value: read.value,
    locate: (path) => {
      const offset = offsetOf(document, path);
      return offset === undefined ? undefined : at(offset);
    },
    faults: read.fault === undefined ? [] : [{ position: { line: 1, column: 1 }, message: read.fault }],
  };
}

/** What would cost the parser more than a config is worth: it goes down once for every level. */
function excessOf(text: string): string | undefined {
  if (text.length > CHARACTERS_MAX) return `the file is longer than ${CHARACTERS_MAX} characters`;
  if (/^ {1000}|(?:[-?:] ){200}/m.test(text)) return 'the file is nested too deeply';
  let depth = 0;
  for (const [character] of text.matchAll(/[[\]{}]/g)) {
    depth = character === '[' || character === '{' ? depth + 1 : Math.max(0, depth - 1);
    if (depth > BRACKETS_MAX) return `more than ${BRACKETS_MAX} brackets are open at once`;
  }
  return undefined;
}

/** `${...}` begins a mapping where YAML is not told that it is text. */
function withHint(text: string, offset: number, message: string): string {
  const isPlaceholder = text.slice(Math.max(0, offset - 1), offset + 1).includes('${') || text[offset - 1] === '$';
  return isPlaceholder ? `${message}; put the text with \${...} in quotes` : message;
}

/** Aliases that multiply themselves are refused by the library. */
function toPlain(document: Document): { value?: unknown; fault?: string } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch (error) {
    return { fault: messageOf(error) };
  }
}

function offsetOf(document: Document, path: ConfigPath): number | undefined {
  let node: unknown = document.contents;
  let found = startOf(node);
  for (const step of path) {
    const next = child(node, step);
    if (next === undefined) return found;
    found = next.offset ?? found;
    node = next.node;
  }
  return found;
}

function child(node: unknown, step: string | number): { node: unknown; offset: number | undefined } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    if (pair === undefined) return undefined;
    const isEmpty = !isNode(pair.value) || (isScalar(pair.value) && pair.value.range?.[0] === pair.value.range?.[1]);
    return { node: pair.value, offset: startOf(isEmpty || isCollection(pair.value) ? pair.key : pair.value) };
  }
  if (!isCollection(node)) return undefined;
  const item = node.items[Number(step)];
  if (item === undefined || isPair(item)) return undefined;
  return { node: item, offset: startOf(item) };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
