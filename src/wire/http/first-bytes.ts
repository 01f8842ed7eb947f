/** What a connection turns out to carry. */
export type Protocol = 'http/1.1' | 'other';

const UPPER_A = 65;
const UPPER_Z = 90;
const PREFACE = Buffer.from('PRI ');

/**
 * Tells a connection's protocol by its first bytes (at least one). All of a port's protocols are told apart here: a TLS
 * greeting begins with 0x16, HTTP/2 by prior knowledge with its preface. Neither is served yet, so both are `other`.
 */
export function firstProtocol(bytes: Buffer): Protocol {
  const [first = 0] = bytes;
  if (first < UPPER_A || first > UPPER_Z) return 'other';
  return bytes.subarray(0, PREFACE.length).equals(PREFACE) ? 'other' : 'http/1.1';
}
