/** Whether a whole text matches. */
export interface WholePattern {
  test(text: string): boolean;
}

/** Longer texts match no pattern with text behind a gap: nothing that AWS names in such a way is as long. */
const GAPPED_CHARACTERS_MAX = 4096;
/** What can be told apart only by trying: then the pattern is left to the platform as it is. */
const BEYOND = /\[\^|\\[sDWb]|\(\?|\\\d/;
const GAP = '.*';

const compiled = new Map<string, WholePattern>();

/**
 * The pattern as a question about the whole text; compiled once. Patterns come from declarations only, texts from
 * anybody: those of AWS's ARNs have several `.*`, and the platform, which tries each way to fill them, takes most of a
 * second for 2,000 characters made for it.
 */
export function wholePattern(pattern: string): WholePattern {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const made = gapped(pattern) ?? compile(`^(?:${pattern})$`);
  compiled.set(pattern, made);
  return made;
}

/** Pieces found one behind the other, each as early as possible: what is behind it then has the most room. */
function gapped(pattern: string): WholePattern | undefined {
  const sources = pattern.split(GAP);
  if (sources.length < 2 || BEYOND.test(pattern) || sources.some(hasChoice)) return undefined;
  const last = sources.length - 1;
  const pieces = sources.map((source, index) => piece(source, index === 0, index === last));
  // A gap inside of brackets leaves pieces that are no patterns.
  if (!pieces.every((one) => one !== undefined)) return undefined;
  // Behind a gap at the end nothing has to be looked for, however long the text is.
  const isOpen = sources.length === 2 && sources[1] === '';
  if (isOpen) return { test: (text) => isInTurn(pieces, text) };
  return { test: (text) => text.length <= GAPPED_CHARACTERS_MAX && isInTurn(pieces, text) };
}

/** Whether a piece could stand for something else than what is before and behind it goes with. */
function hasChoice(source: string): boolean {
  return source.replaceAll(/\([^()]*\)/g, '').includes('|');
}

function piece(source: string, isFirst: boolean, isLast: boolean): RegExp | undefined {
  try {
    return compile(`(?:${source.replace(/^\^/, '')})${isLast ? '$' : ''}`, isFirst ? 'y' : 'g');
  } catch {
    return undefined;
  }
}

function isInTurn(pieces: readonly RegExp[], text: string): boolean {
  // No piece matches the end of a line, and no gap does.
  if (/[\n\r\u2028\u2029]/.test(text)) return false;
  let from = 0;
  for (const one of pieces) {
    one.lastIndex = from;
    if (!one.test(text)) return false;
    from = one.lastIndex;
  }
  return true;
}

function compile(source: string, flags = ''): RegExp {
  try {
    return new RegExp(source, `u${flags}`);
  } catch {
    // Some of AWS's patterns escape what the unicode mode does not let be escaped.
    return new RegExp(source, flags);
  }
}
