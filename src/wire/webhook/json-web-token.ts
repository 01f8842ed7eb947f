import { constants, createHmac, createPublicKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import { isMapping, parseJson } from '../../kernel/json.ts';

/** How a signature of a JSON Web Token is made (RFC 7518, RFC 8037). */
interface Algorithm {
  readonly hash: string | null;
  /** The `kty` of keys that may be used with it: a public key must never be taken for a shared secret. */
  readonly keyType: 'oct' | 'RSA' | 'EC' | 'OKP';
  readonly curve?: string;
  readonly isPss?: true;
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  HS256: { hash: 'sha256', keyType: 'oct' },
  HS384: { hash: 'sha384', keyType: 'oct' },
  HS512: { hash: 'sha512', keyType: 'oct' },
  RS256: { hash: 'sha256', keyType: 'RSA' },
  RS384: { hash: 'sha384', keyType: 'RSA' },
  RS512: { hash: 'sha512', keyType: 'RSA' },
  PS256: { hash: 'sha256', keyType: 'RSA', isPss: true },
  PS384: { hash: 'sha384', keyType: 'RSA', isPss: true },
  PS512: { hash: 'sha512', keyType: 'RSA', isPss: true },
  ES256: { hash: 'sha256', keyType: 'EC', curve: 'P-256' },
  ES384: { hash: 'sha384', keyType: 'EC', curve: 'P-384' },
  ES512: { hash: 'sha512', keyType: 'EC', curve: 'P-521' },
  EdDSA: { hash: null, keyType: 'OKP', curve: 'Ed25519' },
  Ed25519: { hash: null, keyType: 'OKP', curve: 'Ed25519' },
};

/** Algorithms that a token may name. */
export const tokenAlgorithms: readonly string[] = Object.keys(ALGORITHMS);

const RSA_BITS_MIN = 2048;
const TOKEN_CHARACTERS_MAX = 16_384;
const KEYS_MAX = 100;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** A key that verifies tokens. */
export interface TokenKey {
  readonly type: Algorithm['keyType'];
  readonly id: string | undefined;
  /** The only algorithm it is meant for; undefined: any that fits its type. */
  readonly algorithm: string | undefined;
  readonly curve: string | undefined;
  readonly material: KeyObject | Uint8Array;
}

/** Claims of a token whose signature holds. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** A token that was read, but not verified. */
export interface ReadToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly claims: TokenClaims;
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** What a token's claims must be beside signed. */
export interface TokenBounds {
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  readonly toleranceSeconds: number;
}

/** A shared secret as a key. */
export function sharedTokenKey(secret: string): TokenKey {
  return { type: 'oct', id: undefined, algorithm: undefined, curve: undefined, material: Buffer.from(secret) };
}

/** The public keys of a JSON Web Key Set (RFC 7517) that can verify; undefined when it is none. */
export function readKeySet(value: unknown): readonly TokenKey[] | undefined {
  const keys = (value as { keys?: unknown } | null | undefined)?.keys;
  if (!Array.isArray(keys)) return undefined;
  return keys.slice(0, KEYS_MAX).flatMap((key: unknown) => readKey(key) ?? []);
}

function readKey(value: unknown): TokenKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const jwk = value as Record<string, unknown>;
  const { kty, use, kid, alg, crv } = jwk;
  if (use !== undefined && use !== 'sig') return undefined;
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return undefined;
  try {
    const material = createPublicKey({ key: jwk, format: 'jwk' });
    if (kty === 'RSA' && (material.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS_MIN) return undefined;
    return { type: kty, id: textOrNothing(kid), algorithm: textOrNothing(alg), curve: textOrNothing(crv), material };
  } catch {
    // A set may hold kinds of keys that are newer than the platform.
    return undefined;
  }
}

/** Reads a compact token; undefined when it is none, or asks for something critical that is not known here. */
export function readToken(text: string): ReadToken | undefined {
  if (text.length > TOKEN_CHARACTERS_MAX) return undefined;
  const parts = text.split('.');
  const [head = '', claims = '', signature = ''] = parts;
  if (parts.length !== 3 || !parts.every((part) => BASE64URL.test(part))) return undefined;
  const header = readObject(head);
  const body = readObject(claims);
  const algorithm = textOrNothing(header?.['alg']);
  if (header === undefined || body === undefined || algorithm === undefined) return undefined;
  if (header['crit'] !== undefined || header['b64'] !== undefined) return undefined;
  return {
    algorithm,
    keyId: textOrNothing(header['kid']),
    claims: body,
    signed: `${head}.${claims}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** Whether one of the keys that fit signed the token by one of the algorithms. */
export function isSignedBy(token: ReadToken, keys: readonly TokenKey[], algorithms: readonly string[]): boolean {
  const algorithm = algorithms.includes(token.algorithm) ? ALGORITHMS[token.algorithm] : undefined;
  if (algorithm === undefined) return false;
  return keys.some((key) => fits(key, token, algorithm) && holds(key, token, algorithm));
}

function fits(key: TokenKey, token: ReadToken, { keyType, curve }: Algorithm): boolean {
  if (key.type !== keyType || (curve !== undefined && key.curve !== curve)) return false;
  if (key.algorithm !== undefined && key.algorithm !== token.algorithm) return false;
  return token.keyId === undefined || key.id === undefined || key.id === token.keyId;
}

function holds({ material }: TokenKey, { signed, signature }: ReadToken, algorithm: Algorithm): boolean {
  const { hash, keyType, isPss } = algorithm;
  const bytes = Buffer.from(signed, 'latin1');
  if (material instanceof Uint8Array) {
    const wanted = createHmac(hash ?? '', material)
      .update(bytes)
      .digest();
    return wanted.length === signature.length && timingSafeEqual(wanted, signature);
  }
  if (keyType === 'EC') return verify(hash, bytes, { key: material, dsaEncoding: 'ieee-p1363' }, signature);
  const padding = isPss === true ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  if (keyType !== 'RSA') return verify(hash, bytes, material, signature);
  const salt = isPss === true ? { saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {};
  return verify(hash, bytes, { key: material, padding, ...salt }, signature);
}

/** Whether the claims hold at `nowMs`: times (`exp`, `nbf`, `iat`), issuer and audience. */
export function areValid(
  claims: TokenClaims,
  { issuer, audience, toleranceSeconds }: TokenBounds,
  nowMs: number,
): boolean {
  const now = nowMs / 1000;
  const { exp, nbf, iat, iss, aud } = claims;
  // A token without an end would be good for ever.
  if (typeof exp !== 'number' || exp <= now - toleranceSeconds) return false;
  for (const since of [nbf, iat]) {
    if (since !== undefined && (typeof since !== 'number' || since > now + toleranceSeconds)) return false;
  }
  if (issuer !== undefined && iss !== issuer) return false;
  return audience === undefined || (Array.isArray(aud) ? aud.includes(audience) : aud === audience);
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parseJson(Buffer.from(text, 'base64url'));
  return isMapping(value) ? value : undefined;
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
