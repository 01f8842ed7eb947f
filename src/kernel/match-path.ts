/**
 * The values of a pattern's `{name}` parts, decoded, or undefined when the path does not fit. A last part `{name+}`
 * takes all that is left of the path, at least a character.
 */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/');
  const given = splitFor(wanted, path);
  if (wanted.length !== given.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? '';
    const name = /^\{(\w+)\+?\}$/.exec(part)?.[1];
    if (name === undefined) {
      if (part !== text) return undefined;
      continue;
    }
    const value = decode(text);
    if (value === undefined || value === '') return undefined;
    values[name] = value;
  }
  return values;
}

/** The parts of a path, as many as there are wanted where the last one takes the rest. */
function splitFor(wanted: readonly string[], path: string): readonly string[] {
  const given = path.split('/');
  const fixed = wanted.length - 1;
  if (wanted.at(-1)?.endsWith('+}') !== true || given.length <= fixed) return given;
  return [...given.slice(0, fixed), given.slice(fixed).join('/')];
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % is a path that fits nothing, not a fault.
    return undefined;
  }
}
