import * as s from '../../../kernel/schema/declare.ts';
import { isFresh } from '../../../wire/webhook/freshness.ts';
import { readStandardKey, signStandard, verifyStandard, type StandardKey } from '../../../wire/webhook/standard.ts';
import type { Environment } from '../../../ports/environment.ts';
import { limits } from '../limits.ts';
import { activeKeys, activeText, filled, readSecrets, secretList, secretProblems, tolerance } from './secrets.ts';
import type { Headers, Sample, SignedRequest, Verification, VerifierKind } from './verifier.ts';

const KEY_FORM = {
  isFit: (text: string) => readStandardKey(text) !== undefined,
  expected: 'whsec_ and 24 to 64 bytes in base64, or whpk_ and the 32 bytes of an Ed25519 key',
};

const options = s.struct(
  { secrets: secretList, toleranceSeconds: s.optional(tolerance) },
  {
    doc: 'webhook-id, webhook-timestamp and webhook-signature (v1, v1a), or the svix- ones; the id is the delivery id.',
  },
);

/** Standard Webhooks 1.0, and Svix under its own names. The id is signed. */
export const standard: VerifierKind<typeof options> = {
  name: 'standard',
  options,
  problems: ({ secrets }) => secretProblems(secrets, ['secrets'], KEY_FORM),
  create({ secrets, toleranceSeconds = limits.toleranceSeconds }, { environment }) {
    const keys = readSecrets(secrets, readStandardKey);
    return {
      kind: 'standard',
      mayVerify: (headers) => signedHeaders(headers) !== undefined,
      verify: async (request) =>
        await verifyStandardRequest(environment, activeKeys(keys, request.nowMs), request, toleranceSeconds),
      deliveryId: (headers) => filled(signedHeaders(headers)?.id),
      secretHeaders: [],
    };
  },
  sign({ secrets }, sample) {
    const secret = activeText(secrets, sample.nowMs);
    return secret === undefined ? undefined : signStandardSample(secret, sample);
  },
};

/** Checks a request by headers of Standard Webhooks, first its time. */
export async function verifyStandardRequest(
  { compute }: Pick<Environment, 'compute'>,
  keys: readonly (StandardKey | undefined)[],
  { headers, body, nowMs, turn, room }: SignedRequest,
  toleranceSeconds: number,
): Promise<Verification> {
  const signed = signedHeaders(headers);
  if (signed === undefined) return 'mismatch';
  if (!isFresh(signed.timestamp, nowMs, toleranceSeconds)) return 'stale';
  const known = keys.filter((key) => key !== undefined);
  return (await verifyStandard(known, signed, body, { turn, compute, room })) ? 'valid' : 'mismatch';
}

/** The headers of a sample; undefined for a public key, which signs nothing. */
export function signStandardSample(secret: string, sample: Sample): Readonly<Record<string, string>> | undefined {
  const key = readStandardKey(secret);
  if (key?.scheme !== 'v1') return undefined;
  const timestamp = String(Math.floor(sample.nowMs / 1000));
  return {
    'webhook-id': sample.deliveryId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signStandard(key.bytes, sample.deliveryId, timestamp, sample.body),
  };
}

/** Names of one family only: an id of one and a signature of the other were never signed together. */
function signedHeaders(headers: Headers): { id: string; timestamp: string; signature: string } | undefined {
  for (const family of ['webhook', 'svix']) {
    const id = headers[`${family}-id`] ?? '';
    const timestamp = headers[`${family}-timestamp`] ?? '';
    const signature = headers[`${family}-signature`] ?? '';
    if (id !== '' && timestamp !== '' && signature !== '') return { id, timestamp, signature };
  }
  return undefined;
}
