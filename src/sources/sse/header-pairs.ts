/** Headers of a source, read from names and values by turns. */
export interface HeaderPairs {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** What cannot be sent, in a sentence without values. */
  readonly problem?: string;
  /** What is said in vain, and why. */
  readonly notes: readonly string[];
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The connection's own. */
const REFUSED = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer']);
/** What the source says itself: why, and in which words others say the same. */
const FIXED: Readonly<Record<string, { readonly reason: string; readonly same: readonly string[] }>> = {
  accept: { reason: 'an event stream is asked for', same: ['text/event-stream'] },
  'accept-encoding': {
    reason: 'events come uncompressed, so that none waits for the next one',
    same: ['identity'],
  },
  'cache-control': { reason: 'nothing is to come from a cache', same: ['no-store', 'no-cache'] },
  'last-event-id': { reason: 'the source keeps it itself', same: [] },
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
    const fixed = FIXED[name];
    if (fixed === undefined) headers[name] = value;
    else if (!fixed.same.includes(value.toLowerCase())) notes.push(`the header ${name} has no effect: ${fixed.reason}`);
  }
  return { headers, notes };
}
