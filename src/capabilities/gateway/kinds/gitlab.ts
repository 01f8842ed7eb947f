import * as s from '../../../kernel/schema/declare.ts';
import { isOneOfSecrets } from '../../../wire/webhook/secret-text.ts';
import { readStandardKey } from '../../../wire/webhook/standard.ts';
import { limits } from '../limits.ts';
import { activeKeys, activeText, filled, readSecrets, secretList, secretProblems, tolerance } from './secrets.ts';
import { signStandardSample, verifyStandardRequest } from './standard.ts';
import type { VerifierKind } from './verifier.ts';

const TOKEN = 'x-gitlab-token';
const ID = 'idempotency-key';
const SIGNATURE = 'webhook-signature';

const options = s.struct(
  {
    secrets: s.optional({ ...secretList, doc: 'Signing tokens (`whsec_…`): any of them verifies.' }),
    tokens: s.optional({
      ...secretList,
      doc: 'Secret tokens, sent as they are in X-Gitlab-Token: any of them verifies.',
    }),
    toleranceSeconds: s.optional(tolerance),
  },
  { doc: 'Signing tokens (webhook-signature) or plain X-Gitlab-Token; Idempotency-Key is the delivery id.' },
);

/** GitLab's webhooks, both ways. With signing tokens alone, a plain token proves nothing. */
export const gitlab: VerifierKind<typeof options> = {
  name: 'gitlab',
  options,
  problems({ secrets, tokens, toleranceSeconds }) {
    const key = {
      isFit: (text: string) => readStandardKey(text)?.scheme === 'v1',
      expected: 'a signing token, whsec_…',
    };
    const none = secrets === undefined && tokens === undefined;
    return [
      ...(none ? [{ path: [], message: 'expected `secrets` (signing tokens) or `tokens`' }] : []),
      ...(secrets === undefined && toleranceSeconds !== undefined
        ? [{ path: ['toleranceSeconds'], message: 'is for `secrets`: plain tokens have no time' }]
        : []),
      ...secretProblems(secrets, ['secrets'], key),
      ...secretProblems(tokens, ['tokens']),
    ];
  },
  create({ secrets = [], tokens = [], toleranceSeconds = limits.toleranceSeconds }, { environment }) {
    const keys = readSecrets(secrets, readStandardKey);
    const plain = readSecrets(tokens, (text) => text);
    const isSigned = (headers: Readonly<Record<string, string>>): boolean =>
      keys.length > 0 && headers[SIGNATURE] !== undefined;
    return {
      kind: 'gitlab',
      mayVerify: (headers) => isSigned(headers) || (plain.length > 0 && headers[TOKEN] !== undefined),
      async verify(request) {
        const { headers, nowMs } = request;
        if (isSigned(headers))
          return await verifyStandardRequest(environment, activeKeys(keys, nowMs), request, toleranceSeconds);
        return isOneOfSecrets(activeKeys(plain, nowMs), headers[TOKEN] ?? '') ? 'valid' : 'mismatch';
      },
      // The signed id is the better one; both are the same where GitLab signs.
      deliveryId: (headers) => (isSigned(headers) ? filled(headers['webhook-id']) : filled(headers[ID])),
      secretHeaders: [TOKEN],
    };
  },
  sign({ secrets, tokens }, sample) {
    const own = { 'x-gitlab-event': sample.event, [ID]: sample.deliveryId };
    const secret = activeText(secrets, sample.nowMs);
    if (secret !== undefined) return { ...own, ...signStandardSample(secret, sample) };
    const token = activeText(tokens, sample.nowMs);
    return token === undefined ? undefined : { ...own, [TOKEN]: token };
  },
};
