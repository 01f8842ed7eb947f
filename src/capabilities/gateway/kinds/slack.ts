import * as s from '../../../kernel/schema/declare.ts';
import { isFresh } from '../../../wire/webhook/freshness.ts';
import { signSlack, slackChallenge, verifySlack } from '../../../wire/webhook/slack.ts';
import { limits } from '../limits.ts';
import { activeKeys, activeText, readSecrets, secretList, secretProblems, tolerance } from './secrets.ts';
import type { VerifierKind } from './verifier.ts';

const SIGNATURE = 'x-slack-signature';
const TIMESTAMP = 'x-slack-request-timestamp';
const FORM = /^v0=[0-9a-f]{64}$/;

const options = s.struct(
  { secrets: secretList, toleranceSeconds: s.optional(tolerance) },
  { doc: 'X-Slack-Signature over time and body; `event_id` is the delivery id; url_verification is answered.' },
);

/** Slack's requests; commands and interactions have no id and are stored each time. */
export const slack: VerifierKind<typeof options> = {
  name: 'slack',
  options,
  readsContent: true,
  problems: ({ secrets }) => secretProblems(secrets),
  create({ secrets, toleranceSeconds = limits.toleranceSeconds }) {
    const keys = readSecrets(secrets, (text) => text);
    return {
      kind: 'slack',
      mayVerify: (headers) => FORM.test(headers[SIGNATURE] ?? ''),
      async verify({ headers, body, nowMs, turn }) {
        const timestamp = headers[TIMESTAMP] ?? '';
        if (!isFresh(timestamp, nowMs, toleranceSeconds)) return 'stale';
        const active = activeKeys(keys, nowMs);
        const isValid = await verifySlack(active, timestamp, headers[SIGNATURE] ?? '', body, turn);
        return isValid ? 'valid' : 'mismatch';
      },
      deliveryId: (_, content) => content.text('event_id'),
      challenge: (content) => slackChallenge(content.json),
      secretHeaders: [],
    };
  },
  sign({ secrets }, { nowMs, body }) {
    const secret = activeText(secrets, nowMs);
    const timestamp = String(Math.floor(nowMs / 1000));
    if (secret === undefined) return undefined;
    return { [TIMESTAMP]: timestamp, [SIGNATURE]: signSlack(secret, timestamp, body) };
  },
};
