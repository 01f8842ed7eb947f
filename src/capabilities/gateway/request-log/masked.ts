import { MASK, maskedQuery, type SecretNames } from '../envelope.ts';
import type { Headers } from '../kinds/verifier.ts';

/** Headers that prove something, by their names: whoever reads the log must not be able to send as the sender. */
const HEADER =
  /authorization|cookie|signature|hmac|token|secret|passw|credential|assertion|jwt|bearer|(?:api|access)[-_]?key/;
/** Words that tell only when they stand by themselves, in headers and parameters. */
const WORD = /(?:^|[-_])(?:auth|key|sig|pass|pwd)$/i;
const PARAMETER =
  /(?:token|secret|passw(?:or)?d|pwd|signature|credential|assertion|jwt|(?:api|access)[-_]?key)$|^code$|[-_]code$/i;
/** Names of one attempt, by which records may be keyed: they prove nothing. */
const NO_PROOF = /^(?:.*-)?(?:idempotency|partition|routing|ordering|dedup(?:lication)?|sec-websocket)-key$/;

/** A few names come again with each request: they are looked at once. */
const TELLING_MAX = 1000;
const TELLING_LENGTH_MAX = 64;
const telling = new Map<string, boolean>();

/** Headers as the log keeps them: more is masked than in records, whose readers may need what senders say. */
export function headersForLog(headers: Headers, secrets: SecretNames): Headers {
  const isSecret = (name: string): boolean => isTelling(name) || secrets.headers.includes(name);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, isSecret(name) ? MASK : value]));
}

/** The query as the log keeps it. */
export function queryForLog(query: string, secrets: SecretNames): string {
  if (query === '') return query;
  const names = [...new URLSearchParams(query).keys()].filter((name) => PARAMETER.test(name) || WORD.test(name));
  return maskedQuery(query, [...secrets.parameters, ...names]);
}

function isTelling(name: string): boolean {
  const known = telling.get(name);
  if (known !== undefined) return known;
  if (telling.size >= TELLING_MAX) telling.clear();
  const found = HEADER.test(name) || (WORD.test(name) && !NO_PROOF.test(name));
  if (name.length <= TELLING_LENGTH_MAX) telling.set(name, found);
  return found;
}
