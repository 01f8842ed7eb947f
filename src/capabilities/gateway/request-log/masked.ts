import { maskedHeaders, maskedQuery, type SecretNames } from '../envelope.ts';
import type { Headers } from '../kinds/verifier.ts';

/** Headers that prove something, by their names: whoever reads the log must not be able to send as the sender. */
const HEADER = /authorization|cookie|signature|hmac|token|secret|password|api-?key|access-?key/;
const PARAMETER = /^(?:.*[_-])?(?:token|secret|password|passwd|signature|sig|key|apikey|auth|code)$/i;

/** Headers as the log keeps them: more is masked than in records, whose readers may need what senders say. */
export function headersForLog(headers: Headers, secrets: SecretNames): Headers {
  return maskedHeaders(headers, [...secrets.headers, ...Object.keys(headers).filter((name) => HEADER.test(name))]);
}

/** The query as the log keeps it. */
export function queryForLog(query: string, secrets: SecretNames): string {
  if (query === '') return query;
  const telling = [...new URLSearchParams(query).keys()].filter((name) => PARAMETER.test(name));
  return maskedQuery(query, [...secrets.parameters, ...telling]);
}
