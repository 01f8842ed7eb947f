import * as s from '../../../kernel/schema/declare.ts';
import { isFresh } from '../../../wire/webhook/freshness.ts';
import type { HmacAlgorithm, HmacEncoding } from '../../../wire/webhook/hmac.ts';
import { signByScheme, verifyByScheme, type SignatureScheme } from '../../../wire/webhook/signature-scheme.ts';
import { headerName } from '../header-name.ts';
import { limits } from '../limits.ts';
import { activeKeys, activeText, filled, readSecrets, secretList, secretProblems, tolerance } from './secrets.ts';
import type { RouteProblem, VerifierKind } from './verifier.ts';

/** Whole bytes, at least one, padded or not; `A` alone would be read as none, and anyone can sign with an empty key. */
const ENCODED_BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{4}|[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)$/;
const ENCODED_HEX = /^(?:[0-9A-Fa-f]{2})+$/;

const options = s.struct(
  {
    secrets: secretList,
    secretEncoding: s.optional(
      s.string({ values: ['text', 'base64', 'hex'], doc: 'How secrets are written; default text (its UTF-8).' }),
    ),
    header: { ...headerName, doc: 'The header with the signature.' },
    algorithm: s.optional(s.string({ values: ['sha1', 'sha256', 'sha512'], doc: 'The hash; default sha256.' })),
    encoding: s.optional(
      s.string({
        values: ['hex', 'base64', 'base64url'],
        doc: 'How the signature is written; default hex, lower case.',
      }),
    ),
    prefix: s.optional(
      s.string({ max: 64, doc: 'What stands in front of it, for example `sha256=`; default nothing.' }),
    ),
    template: s.optional(
      s.string({
        min: 6,
        max: 256,
        doc: 'What is signed, with `{id}`, `{ts}` and `{body}` in their places; default `{body}`.',
      }),
    ),
    timestampHeader: s.optional({ ...headerName, doc: 'The header that `{ts}` stands for, in seconds.' }),
    idHeader: s.optional({ ...headerName, doc: 'The header with the delivery id, which `{id}` stands for.' }),
    toleranceSeconds: s.optional(tolerance),
  },
  { doc: 'Any sender that signs with a shared key.' },
);

type HmacOptions = s.Static<typeof options>;

/** Senders without a preset of their own. */
export const hmac: VerifierKind<typeof options> = {
  name: 'hmac',
  options,
  hasIds: ({ idHeader }) => idHeader !== undefined,
  problems(given) {
    const encoding = given.secretEncoding ?? 'text';
    const isFit = (text: string): boolean =>
      encoding === 'text' || (encoding === 'hex' ? ENCODED_HEX : ENCODED_BASE64).test(text);
    return [
      ...secretProblems(given.secrets, ['secrets'], { isFit, expected: `${encoding} of 1 byte or more` }),
      ...templateProblems(given),
    ];
  },
  create(given) {
    const { secrets, toleranceSeconds = limits.toleranceSeconds, timestampHeader } = given;
    const scheme = schemeOf(given);
    const keys = readSecrets(secrets, (text) => keyOf(given, text));
    const header = given.header.toLowerCase();
    const clock = timestampHeader?.toLowerCase();
    const id = given.idHeader?.toLowerCase();
    return {
      kind: 'hmac',
      mayVerify: (headers) => (headers[header] ?? '').startsWith(scheme.prefix) && headers[header] !== undefined,
      async verify({ headers, body, nowMs, turn }) {
        const timestamp = clock === undefined ? '' : (headers[clock] ?? '');
        if (clock !== undefined && !isFresh(timestamp, nowMs, toleranceSeconds)) return 'stale';
        const parts = { id: id === undefined ? '' : (headers[id] ?? ''), timestamp, body };
        const active = activeKeys(keys, nowMs);
        return (await verifyByScheme(scheme, active, parts, headers[header] ?? '', turn)) ? 'valid' : 'mismatch';
      },
      deliveryId: (headers) => (id === undefined ? undefined : filled(headers[id])),
      secretHeaders: [],
    };
  },
  sign(given, { body, deliveryId, nowMs }) {
    const secret = activeText(given.secrets, nowMs);
    if (secret === undefined) return undefined;
    const timestamp = String(Math.floor(nowMs / 1000));
    const { header, idHeader, timestampHeader } = given;
    return {
      ...(idHeader !== undefined && { [idHeader.toLowerCase()]: deliveryId }),
      ...(timestampHeader !== undefined && { [timestampHeader.toLowerCase()]: timestamp }),
      [header.toLowerCase()]: signByScheme(schemeOf(given), keyOf(given, secret), { id: deliveryId, timestamp, body }),
    };
  },
};

function schemeOf({
  algorithm = 'sha256',
  encoding = 'hex',
  prefix = '',
  template = '{body}',
}: HmacOptions): SignatureScheme {
  // The declaration takes no other words.
  return { algorithm: algorithm as HmacAlgorithm, encoding: encoding as HmacEncoding, prefix, template };
}

function keyOf({ secretEncoding = 'text' }: HmacOptions, text: string): string | Uint8Array {
  return secretEncoding === 'text' ? text : Buffer.from(text, secretEncoding as 'base64' | 'hex');
}

/** What a template's places stand for: anything else would be signed as it is written. */
const PLACES: ReadonlySet<string> = new Set(['{id}', '{ts}', '{body}']);

/** A time or an id that is not signed proves nothing; one that is must come from somewhere. */
function templateProblems({
  template = '{body}',
  timestampHeader,
  idHeader,
  toleranceSeconds,
}: HmacOptions): RouteProblem[] {
  const problems: RouteProblem[] = [];
  const wrong = (name: string, message: string): void => void problems.push({ path: [name], message });
  if (!template.includes('{body}')) wrong('template', 'expected {body} in it: what is not signed anyone may change');
  const unknown = template.match(/\{\w+\}/g)?.find((place) => !PLACES.has(place));
  if (unknown !== undefined) wrong('template', `${unknown} stands for nothing; there are ${[...PLACES].join(', ')}`);
  if (template.includes('{ts}') !== (timestampHeader !== undefined)) {
    wrong('timestampHeader', '{ts} in the template and timestampHeader go together');
  }
  if (template.includes('{id}') && idHeader === undefined) wrong('idHeader', 'is missing, and {id} stands for it');
  if (toleranceSeconds !== undefined && timestampHeader === undefined) {
    wrong('toleranceSeconds', 'needs a time: {ts} in the template, and timestampHeader');
  }
  return problems;
}
