import { hmacText, hmacTexts, matchesAny, type HmacAlgorithm, type HmacEncoding, type HmacKey } from './hmac.ts';

/** How one sender signs with a shared key; `{id}`, `{ts}` and `{body}` stand in the template for what is signed. */
export interface SignatureScheme {
  readonly algorithm: HmacAlgorithm;
  readonly encoding: HmacEncoding;
  /** In front of the signature, for example `sha256=`. */
  readonly prefix: string;
  /** For example `{id}.{ts}.{body}`. */
  readonly template: string;
}

/** What the template's places hold, as the sender wrote it; what is absent is empty. */
export interface SignedParts {
  readonly id?: string;
  readonly timestamp?: string;
  readonly body: Uint8Array | string;
}

const PLACE = /(\{(?:id|ts|body)\})/;
const BODY_ALONE = '{body}';

/** The signature as the sender writes it, prefix included. */
export function signByScheme(scheme: SignatureScheme, key: HmacKey, parts: SignedParts): string {
  const { algorithm, encoding, prefix, template } = scheme;
  return prefix + hmacText(algorithm, encoding, key, signedBytes(template, parts));
}

/** Whether the signature is that of one of the keys, written exactly as the scheme says; a large body in turns. */
export async function verifyByScheme(
  scheme: SignatureScheme,
  keys: readonly HmacKey[],
  parts: SignedParts,
  signature: string,
  turn: () => Promise<void>,
): Promise<boolean> {
  const { algorithm, encoding, prefix, template } = scheme;
  const wanted = await hmacTexts(algorithm, encoding, keys, signedBytes(template, parts), turn);
  return matchesAny(
    wanted.map((text) => prefix + text),
    [signature],
  );
}

function signedBytes(template: string, { id = '', timestamp = '', body }: SignedParts): (string | Uint8Array)[] {
  // Most senders sign nothing else.
  if (template === BODY_ALONE) return [body];
  const places: Readonly<Record<string, string | Uint8Array>> = { '{id}': id, '{ts}': timestamp, '{body}': body };
  return template.split(PLACE).map((piece) => places[piece] ?? piece);
}
