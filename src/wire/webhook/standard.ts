import { createPublicKey, type KeyObject } from 'node:crypto';
import { BytesInTurns } from '../../kernel/flow/bytes-in-turns.ts';
import type { Compute, Room } from '../../ports/environment.ts';
import { hmacText, hmacTexts, matchesAny } from './hmac.ts';

const SECRET_PREFIX = 'whsec_';
const PUBLIC_PREFIX = 'whpk_';
const KEY_BYTES_MIN = 24;
const KEY_BYTES_MAX = 64;
const ED25519_BYTES = 32;
/** DER of a SubjectPublicKeyInfo of Ed25519 in front of its 32 bytes (RFC 8410). */
const ED25519_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
/** More than any sender lists while it rotates. */
const SIGNATURES_MAX = 16;
/** Each costs a public-key operation over the whole body: 30 ms for 25 MB. One signature is tried with ten keys. */
const PUBLIC_SIGNATURES_MAX = 3;
const PUBLIC_VERIFICATIONS_MAX = 10;
const ED25519_SIGNATURE_BYTES = 64;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A key of Standard Webhooks: a shared one (`v1`) or a public one (`v1a`). */
export type StandardKey =
  | { readonly scheme: 'v1'; readonly bytes: Uint8Array }
  | { readonly scheme: 'v1a'; readonly key: KeyObject };

/** What a sender says beside the body. */
export interface StandardHeaders {
  readonly id: string;
  /** Seconds since the Unix epoch, as written. */
  readonly timestamp: string;
  /** Signatures with their scheme, separated by spaces. */
  readonly signature: string;
}

/** What verifying needs. */
export interface StandardDoors {
  readonly turn: () => Promise<void>;
  readonly compute: Pick<Compute, 'isSigned'>;
  /** Counts the copy of the body that a public-key signature is checked on; what it rejects with passes. */
  readonly room?: Room | undefined;
}

/** The key of `whsec_` and 24 to 64 bytes in base64, or of `whpk_` and 32; undefined for any other text. */
export function readStandardKey(text: string): StandardKey | undefined {
  if (text.startsWith(PUBLIC_PREFIX)) {
    const bytes = decode(text.slice(PUBLIC_PREFIX.length));
    if (bytes?.length !== ED25519_BYTES) return undefined;
    return {
      scheme: 'v1a',
      key: createPublicKey({ key: Buffer.concat([ED25519_HEAD, bytes]), format: 'der', type: 'spki' }),
    };
  }
  const bytes = decode(text.startsWith(SECRET_PREFIX) ? text.slice(SECRET_PREFIX.length) : text);
  if (bytes === undefined || bytes.length < KEY_BYTES_MIN || bytes.length > KEY_BYTES_MAX) return undefined;
  return { scheme: 'v1', bytes };
}

/** The `v1` signature of a body under a shared key. */
export function signStandard(key: Uint8Array, id: string, timestamp: string, body: Uint8Array | string): string {
  return `v1,${hmacText('sha256', 'base64', key, [`${id}.${timestamp}.`, body])}`;
}

/**
 * Whether one of the signatures is one of the keys', of `v1a` one of the first three; a large body is hashed in turns
 * of the loop, and by `compute`. The time is not looked at.
 */
export async function verifyStandard(
  keys: readonly StandardKey[],
  { id, timestamp, signature }: StandardHeaders,
  body: Uint8Array,
  { turn, compute, room }: StandardDoors,
): Promise<boolean> {
  const given = signature.split(' ').slice(0, SIGNATURES_MAX);
  const front = `${id}.${timestamp}.`;
  const shared = keys.flatMap((key) => (key.scheme === 'v1' ? [key.bytes] : []));
  const wanted = (await hmacTexts('sha256', 'base64', shared, [front, body], turn)).map((text) => `v1,${text}`);
  if (matchesAny(wanted, given)) return true;
  const open = keys.flatMap((key) => (key.scheme === 'v1a' ? [key.key] : []));
  const asymmetric = given.filter((text) => text.startsWith('v1a,')).slice(0, PUBLIC_SIGNATURES_MAX);
  const pairs = asymmetric.flatMap((text) => pairsOf(decode(text.slice(4)), open)).slice(0, PUBLIC_VERIFICATIONS_MAX);
  if (pairs.length === 0) return false;
  // Many may wait for a thread, each with a copy of its own.
  await room?.hold(body.length);
  try {
    const signed = await joined(front, body, turn);
    for (const [bytes, key] of pairs) {
      if (await compute.isSigned(signed, key, bytes)) return true;
    }
    return false;
  } finally {
    room?.giveBack(body.length);
  }
}

async function joined(front: string, body: Uint8Array, turn: () => Promise<void>): Promise<Uint8Array> {
  let at = Buffer.byteLength(front);
  const whole = Buffer.allocUnsafe(at + body.length);
  whole.write(front);
  await new BytesInTurns(turn).each(body, (piece) => {
    whole.set(piece, at);
    at += piece.length;
  });
  return whole;
}

function pairsOf(signature: Buffer | undefined, keys: readonly KeyObject[]): (readonly [Buffer, KeyObject])[] {
  return signature?.length === ED25519_SIGNATURE_BYTES ? keys.map((key) => [signature, key] as const) : [];
}

function decode(text: string): Buffer | undefined {
  return text !== '' && BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}
