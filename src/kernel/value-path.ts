const PART = /(?:^|\.)([^.[\]]+)|\[(\d{1,9})\]/y;
const INDEX = /^\d{1,9}$/;

/**
 * Reads the value at a path such as `event.id`, `$.items[0].id` or `items.0.id`: undefined where there is none. Only
 * own members count. Undefined instead of a reader when the text is no path.
 */
export function compileValuePath(text: string): ((value: unknown) => unknown) | undefined {
  const parts = readParts(text.replace(/^\$\.?/, ''));
  if (parts === undefined) return undefined;
  return (value) => {
    let at: unknown = value;
    for (const part of parts) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
      if (Array.isArray(at) && !INDEX.test(part)) return undefined;
      at = (at as Readonly<Record<string, unknown>>)[part];
    }
    return at;
  };
}

/** A text or a number as a text; undefined for anything else, and for an empty text. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

function readParts(text: string): readonly string[] | undefined {
  const parts: string[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const found = PART.exec(text);
    if (found === null) return undefined;
    parts.push(found[1] ?? found[2] ?? '');
  }
  return parts.length === 0 ? undefined : parts;
}
