/** Python code of published documents, as it was before a page took something of it. */

/** Code of listings with a number in front of each line. */
export function numberedListings(document: string, marker: string): readonly string[] {
  const blocks = document.matchAll(/^1 import .*(?:\n\d+(?: .*)?)+/gm);
  return Array.from(blocks, ([block]) => block.replaceAll(/^\d+ ?/gm, '')).filter((code) => code.includes(marker));
}

/** From each `import json` to the word that follows the listing. */
export function plainListings(document: string, end: string): readonly string[] {
  return document
    .split(/^(?=import json$)/m)
    .filter((part) => part.startsWith('import json\n'))
    .map((part) => part.slice(0, part.indexOf(`\n${end}`)));
}

interface Block {
  readonly word: string;
}

const OPENS = /^(def|try|except|for|if|else|with|while)\b.*:$/;
const ENDS = /^(return|continue|break|raise)\b/;

/**
 * Gives flattened code its indentation back, where it can be told: a block ends with `return`, `continue` and the like;
 * `except` belongs to the innermost `try` that can spare it; the last `return` of a function is its own. Only spaces at
 * the beginning of lines are added.
 */
export function indented(code: string): string {
  const lines = code.split('\n');
  const out: string[] = [];
  const open: Block[] = [];
  let depth = 0;
  lines.forEach((line, at) => {
    if (depth > 0) {
      out.push(line);
      depth += bracketsOf(line);
      return;
    }
    if (/^(def|import|from)\b/.test(line)) open.length = 0;
    if (line.startsWith('except')) closeForExcept(open, remaining(lines, at));
    if (line.startsWith('return') && isLastOf(lines, at)) open.length = Math.min(open.length, 1);
    out.push('    '.repeat(open.length) + line);
    const opens = OPENS.exec(line)?.[1];
    depth += bracketsOf(line);
    if (opens !== undefined) open.push({ word: opens });
    else if (ENDS.test(line)) endBlock(open);
  });
  return `${out.join('\n')}\n`;
}

/** Closes what stands inside the `try` that an `except` belongs to, and that one; those outside still need one each. */
function closeForExcept(open: Block[], exceptsLeft: number): void {
  while (open.length > 0) {
    const block = open.pop();
    const needing = open.filter(({ word }) => word === 'try').length;
    if (block?.word === 'try') return;
    // A further one for the same `try`, unless an outer one would be left without.
    if (block?.word === 'except' && exceptsLeft > needing) return;
  }
}

function endBlock(open: Block[]): void {
  if (open.at(-1)?.word !== 'def') open.pop();
}

function remaining(lines: readonly string[], at: number): number {
  const next = lines.findIndex((line, index) => index > at && line.startsWith('def '));
  return lines.slice(at, next < 0 ? undefined : next).filter((line) => line.startsWith('except')).length;
}

/** Whether nothing of the function follows. */
function isLastOf(lines: readonly string[], at: number): boolean {
  let depth = bracketsOf(lines[at] ?? '');
  for (const line of lines.slice(at + 1)) {
    if (depth > 0) depth += bracketsOf(line);
    else if (line.trim() !== '') return line.startsWith('def ');
  }
  return true;
}

function bracketsOf(line: string): number {
  const outside = line.replaceAll(/(["'])(?:\\.|(?!\1).)*\1/g, '');
  return (outside.match(/[([{]/g)?.length ?? 0) - (outside.match(/[)\]}]/g)?.length ?? 0);
}
