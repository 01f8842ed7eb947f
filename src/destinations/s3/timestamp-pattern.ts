import type { LocalTime } from './local-time.ts';
import { printerOf } from './timestamp-fields.ts';

/** Writes a part of a time. */
export type Print = (time: LocalTime) => string;

/** A pattern that can be printed, or why it is none. */
export type Pattern = { readonly print: Print } | { readonly fault: string };

const LETTER = /[A-Za-z]/;
const RESERVED = /[{}#]/;
/** What they print differs between versions of Java; the name that all have is UTC's. */
const ZONE_NAMES = new Set(['z', 'v']);
const NO_ZONE_NAMES = 'names of zones (z, v) are not built yet; VV, O, X, x and Z print zones too';

/**
 * A pattern of Java's DateTimeFormatter (as of Java 17, English of the United States): letters print fields,
 * everything else itself, text in single quotes as it is, two of them one quote; sections in brackets are always
 * printed. The times are those of `zone`.
 */
export function timestampPattern(pattern: string, zone: string): Pattern {
  const prints: Print[] = [];
  let open = 0;
  for (let at = 0; at < pattern.length;) {
    const character = pattern[at] as string;
    if (LETTER.test(character)) {
      const count = repeats(pattern, at);
      const print = ZONE_NAMES.has(character) && zone !== 'UTC' ? NO_ZONE_NAMES : printerOf(character, count);
      if (typeof print === 'string') return { fault: print };
      prints.push(print);
      at += count;
    } else if (character === "'") {
      const quoted = quotedAt(pattern, at);
      if (quoted === undefined) return { fault: 'a single quote is not closed' };
      prints.push(() => quoted.text);
      at = quoted.end;
    } else {
      if (RESERVED.test(character)) return { fault: `${character} is reserved` };
      if (character === '[') open += 1;
      else if (character === ']') open -= 1;
      else prints.push(() => character);
      if (open < 0) return { fault: 'a ] closes nothing' };
      at += 1;
    }
  }
  return { print: (time) => prints.map((print) => print(time)).join('') };
}

function repeats(pattern: string, from: number): number {
  let to = from;
  while (pattern[to] === pattern[from]) to += 1;
  return to - from;
}

/** The text of the quote that begins at `from`, and what is behind it. */
function quotedAt(pattern: string, from: number): { readonly text: string; readonly end: number } | undefined {
  let text = '';
  for (let at = from + 1; at < pattern.length; at += 1) {
    const character = pattern[at] as string;
    if (character !== "'") text += character;
    else if (pattern[at + 1] === "'") {
      text += "'";
      at += 1;
    } else return { text: text === '' ? "'" : text, end: at + 1 };
  }
  return undefined;
}
