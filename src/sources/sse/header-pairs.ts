/** Headers of a source, read from names and values by turns. */
export interface HeaderPairs {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** What cannot be sent, in a sentence without values. */
  readonly problem?: string;
  /** What is not sent, and why. */
  readonly notes: readonly string[];
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The connection's own. */
const REFUSED = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer']);
const FIXED: Readonly<Record<string, string>> = {
  accept: 'an event stream is asked for',
  'accept-encoding': 'events come uncompressed, so that none waits for the next one',
  'cache-control': 'nothing is to come from a cache',
  'last-event-id': 'the source keeps it itself',
};

/** Reads `name|value|name|value`. */
export function readHeaders(text: string): HeaderPairs {
  const parts = text.split('|');
  const headers: Record<string, string> = {};
  const notes: string[] = [];
  if (parts.length % 2 !== 0) return { headers, notes, problem: 'headers has a name without a value' };
  for (let index = 0; index < parts.length; index += 2) {
    const name = (parts[index] ?? '').trim().toLowerCase();
    const value = (parts[index + 1] ?? '').trim();
    if (!NAME.test(name)) return { headers, notes, problem: 'headers names something that is no header' };
    if (!VALUE.test(value)) return { headers, notes, problem: `headers gives ${name} a value that cannot be sent` };
    if (REFUSED.has(name)) return { headers, notes, problem: `headers names ${name}, which belongs to the connection` };
    const reason = FIXED[name];
    if (reason === undefined) headers[name] = value;
    else notes.push(`the header ${name} has no effect: ${reason}`);
  }
  return { headers, notes };
}
