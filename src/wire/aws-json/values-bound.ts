/**
 * Values that one request may hold: a batch of 500 records has 2,500. A body of nothing but empty objects would take
 * two hundred times its bytes, and seconds of the loop.
 */
export const VALUES_MAX = 200_000;

const OPENS = Uint8Array.from({ length: 256 }, (_, byte) => ('[{,'.includes(String.fromCharCode(byte)) ? 1 : 0));

/** Whether JSON may hold more values than that. Texts are not told apart: no member is that long and full of commas. */
export function holdsTooManyValues(json: Uint8Array): boolean {
  if (json.length <= VALUES_MAX) return false;
  let count = 0;
  for (let at = 0; at < json.length; at += 1) count += OPENS[json[at] as number] as number;
  return count > VALUES_MAX;
}
