import type { ScriptFailure, ScriptFailureKind } from '../../../ports/script.ts';

/** A failure as the guest tells it; the stack is the engine's, or what the script made of it. */
export interface GuestFailure {
  readonly kind: ScriptFailureKind;
  readonly message: string;
  readonly stack: string;
}

interface Place {
  readonly line: number;
  readonly column?: number;
}

const MESSAGE_CHARACTERS_MAX = 1000;
/** What the guest puts before what a getter or `toJSON` threw. */
const NO_JSON = /^the result is no JSON: /;
/** The innermost place in the script. */
const PLACE = /\bscript\.js:(\d{1,7})(?::(\d{1,7}))?/;
/** What was under way is the script's own line, and no function of the language that it called. */
const IN_SCRIPT = /^\s*at [^\n]*\bscript\.js:/;
/**
 * The engine keeps the places of calls, of `throw` and of most operators. For what else can fail (tried with
 * QuickJS-NG as of 2026) it says where the last of them was, or where the function begins. Of these, the word that
 * failed is known.
 */
const NAMED = [
  /^ReferenceError: (\S+) is not (?:defined|initialized)$/,
  /^TypeError: cannot (?:read|set) property '([^']*)' of (?:undefined|null)$/,
  /^TypeError: '([^']*)' is read-only$/,
];
const UNNAMED =
  /^TypeError: (?:bigint argument with|toPrimitive|cannot convert undef|value is not iterable|parent class must)/i;
const WORD = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
/** `a[b]`: what it reads is not to be seen in the text. */
const COMPUTED = /[\w$)\]]\[\s*(?:([A-Za-z_$][\w$]*)|[^"'\d\s])/g;
const COUNTER = /(?:\b(?:var|let)|,)\s*([A-Za-z_$][\w$]*)\s*=\s*\d/g;

/** The failure, with its place in the user's file where it is known: its first line is the second that was compiled. */
export function readFailure({ kind, message, stack }: GuestFailure, text: string): ScriptFailure {
  const oneLine = message.replace(/\s+/g, ' ').slice(0, MESSAGE_CHARACTERS_MAX);
  const thrown = oneLine.replace(NO_JSON, '');
  return { kind, message: oneLine, ...placeOf({ kind, message: thrown, stack }, text) };
}

function placeOf({ kind, message, stack }: GuestFailure, text: string): Place | undefined {
  const lines = text.split('\n');
  const [, found, column] = PLACE.exec(stack) ?? [];
  const line = Number(found) - 1;
  // A text that ends too early fails at the end of what stands around it.
  if (found === undefined || line < 1 || line > lines.length) return undefined;
  // Where the engine stood when it saw that a text is none is not where the user would look.
  if (kind === 'syntax') return { line };
  const isOwn = IN_SCRIPT.test(stack);
  for (const pattern of isOwn ? NAMED : []) {
    const [, word] = pattern.exec(message) ?? [];
    if (word !== undefined) return wordAt(word, message, lines);
  }
  if (UNNAMED.test(message) && (isOwn || /toPrimitive/.test(message))) return undefined;
  return { line, ...(column !== undefined && { column: Number(column) }) };
}

/** The only line with the word, where nothing else can have named it. */
function wordAt(word: string, message: string, lines: readonly string[]): Place | undefined {
  if (!WORD.test(word)) return undefined;
  const isMember = message.includes(' property ');
  if (isMember && hasComputedNames(lines.join('\n'))) return undefined;
  const escaped = word.replaceAll('$', '\\$');
  const whole = new RegExp(`(?<![\\p{ID_Continue}$])${escaped}(?![\\p{ID_Continue}$])`, 'gu');
  const found = lines.flatMap((one, index) => [...one.matchAll(whole)].map((match) => [index, match.index] as const));
  const [first] = found;
  if (first === undefined || found.some(([index]) => index !== first[0])) return undefined;
  return { line: first[0] + 1, ...(found.length === 1 && { column: first[1] + 1 }) };
}

/** Whether a member is read whose name is no number: counters of loops are. */
function hasComputedNames(text: string): boolean {
  const counters = new Set([...text.matchAll(COUNTER)].map(([, name]) => name));
  return [...text.matchAll(COMPUTED)].some(([, name]) => name === undefined || !counters.has(name));
}
