import { jsonMember } from '../../../kernel/json-children.ts';

const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];

/**
 * The JSON text of an object with one more member, in place of the last of that name where it has one. All else stays
 * byte for byte: numbers that are longer than ours, the order of names, how deep it goes.
 */
export function withMember(bytes: Uint8Array, name: string, value: unknown): Uint8Array {
  const from = bytes.indexOf(OPEN_OBJECT);
  const text = JSON.stringify(value);
  const found = jsonMember(bytes, name);
  if (found !== undefined) return replaced(bytes, found.at, found.end, text);
  const end = bytes.lastIndexOf(CLOSE_OBJECT);
  const isEmpty = bytes.subarray(from + 1, end).every((byte) => byte <= 0x20);
  return replaced(bytes, end, end, `${isEmpty ? '' : ','}${JSON.stringify(name)}:${text}`);
}

function replaced(bytes: Uint8Array, at: number, end: number, text: string): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(text), bytes.subarray(end)]);
}
