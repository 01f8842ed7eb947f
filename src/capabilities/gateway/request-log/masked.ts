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

const QUOTED_MASK = JSON.stringify(MASK);

/** What is known of a header's name. */
interface KnownName {
  /** As JSON. */
  readonly quoted: string;
  readonly isTelling: boolean;
}

/** A few names come again with each request: they are looked at once. */
const KNOWN_MAX = 1000;
const KNOWN_LENGTH_MAX = 64;
const known = new Map<string, KnownName>();

/**
 * Headers as the log keeps them, as a JSON text: more is masked than in records, whose readers may need what senders
 * say. Made without an object of them, for it is made with each request.
 */
export function headersForLog(headers: Headers, secrets: SecretNames): string {
  let text = '{';
  for (const name of Object.keys(headers)) {
    const { quoted, isTelling } = known.get(name) ?? look(name);
    const isSecret = isTelling || secrets.headers.includes(name);
    text += `${text.length === 1 ? '' : ','}${quoted}:${isSecret ? QUOTED_MASK : JSON.stringify(headers[name])}`;
  }
  return `${text}}`;
}

/** The query as the log keeps it. */
export function queryForLog(query: string, secrets: SecretNames): string {
  if (query === '') return query;
  const names = [...new URLSearchParams(query).keys()].filter((name) => PARAMETER.test(name) || WORD.test(name));
  return maskedQuery(query, [...secrets.parameters, ...names]);
}

function look(name: string): KnownName {
  const isTelling = HEADER.test(name) || (WORD.test(name) && !NO_PROOF.test(name));
  const found = { quoted: JSON.stringify(name), isTelling };
  if (known.size >= KNOWN_MAX) known.clear();
  if (name.length <= KNOWN_LENGTH_MAX) known.set(name, found);
  return found;
}
