/**
 * A test of whole texts against a pattern: `*` is any text, also none, and `?` one character. Its time is at most the
 * product of both lengths, whatever stands in either.
 */
export function compileWildcard(pattern: string, { ignoreCase = false } = {}): (text: string) => boolean {
  const folded = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const wanted = folded(pattern);
  return (text) => fits(wanted, folded(text));
}

/** Only the last `*` ever has to take more: what an earlier one could do besides, the last one can do as well. */
function fits(pattern: string, text: string): boolean {
  let [at, read, star, resume] = [0, 0, -1, 0];
  while (read < text.length) {
    const next = pattern[at];
    if (next === '*') {
      star = at;
      resume = read;
      at += 1;
    } else if (next !== undefined && (next === '?' || next === text[read])) {
      at += 1;
      read += 1;
    } else if (star < 0) {
      return false;
    } else {
      resume += 1;
      [at, read] = [star + 1, resume];
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
