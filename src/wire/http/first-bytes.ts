/** What a connection turns out to carry; `partial`: more bytes will tell. */
export type Protocol = 'http/1.1' | 'h2' | 'tls' | 'other' | 'partial';

const TLS_HANDSHAKE = 0x16;
const UPPER_A = 65;
const UPPER_Z = 90;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/**
 * Tells a connection's protocol by its first bytes (at least one). All of a port's protocols are told apart here: a TLS
 * greeting begins with 0x16, HTTP/2 by prior knowledge with its preface (RFC 9113, 3.4).
 */
export function firstProtocol(bytes: Buffer): Protocol {
  const [first = 0] = bytes;
  if (first === TLS_HANDSHAKE) return 'tls';
  if (first < UPPER_A || first > UPPER_Z) return 'other';
  const length = Math.min(bytes.length, PREFACE.length);
  if (!bytes.subarray(0, length).equals(PREFACE.subarray(0, length))) return 'http/1.1';
  return length === PREFACE.length ? 'h2' : 'partial';
}
