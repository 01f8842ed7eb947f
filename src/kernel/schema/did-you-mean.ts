/** `did you mean X?` for the nearest known word, or an empty text when none is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (word.length > WORD_MAX) return '';
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const one of known) {
    const far = one.toLowerCase() === word.toLowerCase() ? 0 : distance(word, one);
    if (far >= least) continue;
    least = far;
    nearest = one;
  }
  return nearest === undefined ? '' : `did you mean ${nearest}?`;
}

/** Longer words are no typing mistakes of ours, and comparing costs the product of the lengths. */
const WORD_MAX = 100;

/** Levenshtein's distance. */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const changed = one.charAt(row - 1) === other.charAt(column - 1) ? 0 : 1;
      const [left = 0, up = 0, corner = 0] = [line[column - 1], above[column], above[column - 1]];
      line.push(Math.min(left + 1, up + 1, corner + changed));
    }
    above = line;
  }
  return above[other.length] ?? 0;
}
