import * as s from '../../../kernel/schema/declare.ts';
import { pullOptions } from '../pull/pull-options.ts';
import { bodySignature } from './body-signature.ts';
import { secretList } from './secrets.ts';
import type { VerifierKind } from './verifier.ts';

const signature = bodySignature({
  name: 'github',
  doc: 'X-Hub-Signature-256 over the bytes as sent; X-GitHub-Delivery is the delivery id.',
  header: 'x-hub-signature-256',
  idHeader: 'x-github-delivery',
  scheme: { encoding: 'hex', prefix: 'sha256=' },
  form: /^sha256=[0-9a-f]{64}$/,
  more: ({ event }) => ({ 'user-agent': 'GitHub-Hookshot/millrace', 'x-github-event': event }),
});

const options = s.struct({ secrets: secretList, pull: s.optional(pullOptions) }, { doc: signature.options.doc ?? '' });

/** GitHub's webhooks. The older SHA-1 header alone proves nothing here; the delivery id is not signed. */
export const github: VerifierKind<typeof options> = { ...signature, options, pull: ({ pull }) => pull };
