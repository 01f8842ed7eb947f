import * as s from '../../../kernel/schema/declare.ts';
import { basicHeader, isOneOfSecrets, readBasic } from '../../../wire/webhook/secret-text.ts';
import { activeKeys, activeText, readSecrets, secretList, secretProblems } from './secrets.ts';
import type { VerifierKind } from './verifier.ts';

const options = s.struct(
  {
    username: s.string({ min: 1, max: 256, pattern: '[^:]+', hidden: true, doc: 'The user.' }),
    secrets: { ...secretList, doc: 'Passwords: any of them verifies.' },
  },
  { doc: 'Basic authentication: user and password. There is no delivery id but by `dedupe.id`.' },
);

/** Senders that log in with user and password. */
export const basic: VerifierKind<typeof options> = {
  name: 'basic',
  options,
  hasIds: () => false,
  problems: ({ secrets }) => secretProblems(secrets),
  create({ username, secrets }) {
    const keys = readSecrets(secrets, (text) => text);
    return {
      kind: 'basic',
      mayVerify: ({ authorization = '' }) => readBasic(authorization) !== undefined,
      verify({ headers: { authorization = '' }, nowMs }) {
        const given = readBasic(authorization);
        // Both are compared whatever the first one says.
        const isUser = isOneOfSecrets([username], given?.user ?? '');
        const isPassword = isOneOfSecrets(activeKeys(keys, nowMs), given?.password ?? '');
        return given !== undefined && isUser && isPassword ? 'valid' : 'mismatch';
      },
      secretHeaders: ['authorization'],
    };
  },
  sign({ username, secrets }, { nowMs }) {
    const secret = activeText(secrets, nowMs);
    return secret === undefined ? undefined : { authorization: basicHeader(username, secret) };
  },
};
