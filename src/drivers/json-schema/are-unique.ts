import { createHash } from 'node:crypto';

/** Texts of lists and mappings that were looked at once: a schema may ask about each level of a deep value. */
const texts = new WeakMap<object, string>();

/** Whether no two items are equal by JSON Schema: members in any order. Takes time as the items have bytes. */
export function areUnique(items: readonly unknown[]): boolean {
  return items.length < 2 || new Set(items.map(textOf)).size === items.length;
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const known = texts.get(value);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  if (Array.isArray(value)) {
    for (const item of value) hash.update(`${textOf(item)},`);
  } else {
    const members = value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(members).toSorted())
      hash.update(`${JSON.stringify(name)}:${textOf(members[name])},`);
  }
  const text = `${Array.isArray(value) ? 'list' : 'mapping'} ${hash.digest('base64')}`;
  texts.set(value, text);
  return text;
}
