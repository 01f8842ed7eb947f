import { createHmac } from 'node:crypto';
import * as s from '../../../kernel/schema/declare.ts';
import {
  areValid, isSignedBy, readKeySet, readToken, sharedTokenKey, tokenAlgorithms, type ReadToken, type TokenKey,
} from '../../../wire/webhook/json-web-token.ts'; // prettier-ignore
import { headerName } from '../header-name.ts';
import { limits } from '../limits.ts';
import { KeySet } from './key-set.ts';
import { activeKeys, activeText, readSecrets, secretList, secretProblems, tolerance } from './secrets.ts';
import type { Headers, RouteProblem, VerifierDoors, VerifierKind } from './verifier.ts';

const HTTP = /^https?:\/\/[^\s]+$/;

const options = s.struct(
  {
    jwks: s.optional(s.string({ min: 1, max: 2048, doc: 'The URL of a JSON Web Key Set; `outgoing` must allow it.' })),
    keys: s.optional(s.list(s.any(), { min: 1, max: 100, doc: 'JSON Web Keys, public ones, in place of a URL.' })),
    secrets: s.optional({ ...secretList, doc: 'Shared secrets (HS256, HS384, HS512): any of them verifies.' }),
    algorithms: s.optional(
      s.list(s.string({ values: tokenAlgorithms }), {
        min: 1,
        max: tokenAlgorithms.length,
        doc: 'Those that a token may be signed by; default all that fit the kind of keys.',
      }),
    ),
    issuer: s.optional(s.string({ min: 1, max: 2048, doc: 'What `iss` must be.' })),
    audience: s.optional(s.string({ min: 1, max: 2048, doc: 'What `aud` must be, or hold.' })),
    header: s.optional({
      ...headerName,
      doc: 'The header with the token, with or without `Bearer`; default authorization.',
    }),
    toleranceSeconds: s.optional({
      ...tolerance,
      doc: `How far clocks may be apart, in seconds; default ${limits.tokenToleranceSeconds}.`,
    }),
  },
  { doc: 'A JSON Web Token with an `exp`. There is no delivery id but by `dedupe.id`.' },
);

type JwtOptions = s.Static<typeof options>;

/** Senders that prove themselves by a token: it vouches for the sender, not for the body. */
export const jwt: VerifierKind<typeof options> = {
  name: 'jwt',
  options,
  hasIds: () => false,
  problems: (given) => [...sourceProblems(given), ...secretProblems(given.secrets)],
  urls: ({ jwks }) => (jwks === undefined || !HTTP.test(jwks) ? [] : [{ path: ['jwks'], url: jwks }]),
  create(given, doors) {
    const { issuer, audience, toleranceSeconds = limits.tokenToleranceSeconds } = given;
    const algorithms =
      given.algorithms ?? tokenAlgorithms.filter((name) => name.startsWith('HS') === (given.secrets !== undefined));
    const keysOf = keySource(given, doors);
    const tokenOf = (headers: Headers): ReadToken | undefined => readToken(tokenText(headers, given.header));
    return {
      kind: 'jwt',
      mayVerify: (headers) => tokenOf(headers) !== undefined,
      async verify({ headers, nowMs }) {
        const token = tokenOf(headers);
        // Before any key is asked for: what cannot verify must cause no request.
        if (token === undefined || !algorithms.includes(token.algorithm)) return 'mismatch';
        if (!areValid(token.claims, { issuer, audience, toleranceSeconds }, nowMs)) return 'stale';
        const keys = await keysOf(token, nowMs);
        if (keys === undefined) return 'unavailable';
        return isSignedBy(token, keys, algorithms) ? 'valid' : 'mismatch';
      },
      claims: (headers) => tokenOf(headers)?.claims,
      secretHeaders: [(given.header ?? 'authorization').toLowerCase()],
    };
  },
  sign(given, { nowMs }) {
    const secret = activeText(given.secrets, nowMs);
    const algorithm = given.algorithms === undefined ? 'HS256' : given.algorithms.find((name) => name.startsWith('HS'));
    if (secret === undefined || algorithm === undefined) return undefined;
    const iat = Math.floor(nowMs / 1000);
    const { issuer: iss, audience: aud } = given;
    const claims = {
      iat,
      exp: iat + limits.toleranceSeconds,
      ...(iss !== undefined && { iss }),
      ...(aud !== undefined && { aud }),
    };
    const signed = [{ alg: algorithm, typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = createHmac(`sha${algorithm.slice(2)}`, secret)
      .update(signed)
      .digest('base64url');
    return { [(given.header ?? 'authorization').toLowerCase()]: `Bearer ${signed}.${signature}` };
  },
};

function tokenText(headers: Headers, header = 'authorization'): string {
  return (headers[header.toLowerCase()] ?? '').replace(/^bearer +/i, '');
}

function keySource(
  { jwks, keys, secrets = [] }: JwtOptions,
  { http, environment }: VerifierDoors,
): (token: ReadToken, nowMs: number) => Promise<readonly TokenKey[] | undefined> {
  if (jwks !== undefined) {
    const set = new KeySet(jwks, http, environment);
    return async ({ keyId }) => await set.keys(keyId);
  }
  const known = readKeySet({ keys: keys ?? [] }) ?? [];
  const shared = readSecrets(secrets, sharedTokenKey);
  return async (_, nowMs) => [...known, ...activeKeys(shared, nowMs)];
}

/** One source of keys: were there two, a public key could be taken for a secret. */
function sourceProblems({ jwks, keys, secrets, algorithms }: JwtOptions): RouteProblem[] {
  const sources = [jwks, keys, secrets].filter((source) => source !== undefined);
  if (sources.length !== 1) return [{ path: [], message: 'expected one of `jwks`, `keys` and `secrets`' }];
  const problems: RouteProblem[] = [];
  if (jwks !== undefined && !HTTP.test(jwks)) {
    problems.push({ path: ['jwks'], message: 'expected a URL with https or http' });
  }
  keys?.forEach((key, index) => {
    if (readKeySet({ keys: [key] })?.length !== 1) {
      problems.push({
        path: ['keys', String(index)],
        message: 'expected a public RSA (2048 bits or more), EC or OKP key',
      });
    }
  });
  algorithms?.forEach((name, index) => {
    if (name.startsWith('HS') !== (secrets !== undefined)) {
      problems.push({ path: ['algorithms', String(index)], message: `${name} does not go with these keys` });
    }
  });
  return problems;
}
