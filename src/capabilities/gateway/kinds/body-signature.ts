import * as s from '../../../kernel/schema/declare.ts';
import { signByScheme, verifyByScheme, type SignatureScheme } from '../../../wire/webhook/signature-scheme.ts';
import { activeKeys, activeText, filled, readSecrets, secretList, secretProblems } from './secrets.ts';
import type { Sample, VerifierKind } from './verifier.ts';

const options = s.struct({ secrets: secretList });

/** What makes one sender of those that sign the raw body, and nothing else, different from another. */
export interface BodySignature {
  readonly name: string;
  readonly doc: string;
  /** Headers, in lower case: of the signature, and of the delivery id. */
  readonly header: string;
  readonly idHeader: string;
  readonly scheme: Pick<SignatureScheme, 'encoding' | 'prefix'>;
  /** The form of a signature: what differs is refused before the body is read. */
  readonly form: RegExp;
  /** Headers that the sender adds to a sample. */
  readonly more: (sample: Sample) => Readonly<Record<string, string>>;
}

/** A kind of senders that sign the raw body with HMAC-SHA256, and name each delivery in a header. */
export function bodySignature(sender: BodySignature): VerifierKind<typeof options> {
  const { name, header, idHeader, form } = sender;
  const scheme: SignatureScheme = { ...sender.scheme, algorithm: 'sha256', template: '{body}' };
  return {
    name,
    options: { ...options, doc: sender.doc },
    problems: ({ secrets }) => secretProblems(secrets),
    create({ secrets }) {
      const keys = readSecrets(secrets, (text) => text);
      return {
        kind: name,
        mayVerify: (headers) => form.test(headers[header] ?? ''),
        async verify({ body, headers, nowMs, turn }) {
          const active = activeKeys(keys, nowMs);
          const isValid = await verifyByScheme(scheme, active, { body }, headers[header] ?? '', turn);
          return isValid ? 'valid' : 'mismatch';
        },
        deliveryId: (headers) => filled(headers[idHeader]),
        secretHeaders: [],
      };
    },
    sign({ secrets }, sample) {
      const secret = activeText(secrets, sample.nowMs);
      if (secret === undefined) return undefined;
      const signature = signByScheme(scheme, secret, { body: sample.body });
      return { ...sender.more(sample), [idHeader]: sample.deliveryId, [header]: signature };
    },
  };
}
