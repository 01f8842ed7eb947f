import * as s from '../../../kernel/schema/declare.ts';
import { isOneOfSecrets } from '../../../wire/webhook/secret-text.ts';
import { headerName } from '../header-name.ts';
import { activeKeys, activeText, readSecrets, secretList, secretProblems } from './secrets.ts';
import type { VerifierKind } from './verifier.ts';

const DEFAULT_HEADER = 'x-api-key';

const options = s.struct(
  {
    header: s.optional({ ...headerName, doc: `The header with the key; default ${DEFAULT_HEADER}.` }),
    prefix: s.optional(
      s.string({ max: 64, doc: 'What stands in front of it, for example `Bearer `; default nothing.' }),
    ),
    secrets: { ...secretList, doc: 'Keys: any of them verifies.' },
  },
  { doc: 'A key in a header. There is no delivery id but by `dedupe.id`.' },
);

/** Senders that repeat a key as it is. */
export const apiKey: VerifierKind<typeof options> = {
  name: 'apiKey',
  options,
  hasIds: () => false,
  problems: ({ secrets }) => secretProblems(secrets),
  create({ header = DEFAULT_HEADER, prefix = '', secrets }) {
    const name = header.toLowerCase();
    const keys = readSecrets(secrets, (text) => prefix + text);
    return {
      kind: 'apiKey',
      mayVerify: (headers) => headers[name] !== undefined,
      verify: ({ headers, nowMs }) =>
        isOneOfSecrets(activeKeys(keys, nowMs), headers[name] ?? '') ? 'valid' : 'mismatch',
      secretHeaders: [name],
    };
  },
  sign({ header = DEFAULT_HEADER, prefix = '', secrets }, { nowMs }) {
    const secret = activeText(secrets, nowMs);
    return secret === undefined ? undefined : { [header.toLowerCase()]: prefix + secret };
  },
};
