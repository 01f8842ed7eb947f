import { asBuffer } from '../../../kernel/bytes/as-buffer.ts';
import { RequestError } from '../../../kernel/errors.ts';
import { timeValue } from '../../../kernel/query-values.ts';
import type { QueryParameters } from '../../../ports/capability.ts';
import type { Verdict } from '../verdict.ts';
import type { RequestEntry } from './request-entry.ts';

const TEXT_CHARACTERS_MAX = 256;
const OUTCOMES: readonly Verdict['outcome'][] = [
  'accepted', 'duplicate', 'quarantined', 'answered', 'challenged', 'refused',
]; // prettier-ignore

/** Which requests somebody asks for; all that is said must fit. */
export interface RequestFilter {
  /** Arrival in ms, `from` included and `to` not. */
  readonly from: number | undefined;
  readonly to: number | undefined;
  fits(entry: RequestEntry): boolean;
}

/** What `readFilter` reads. */
export const filterParameters: QueryParameters = {
  route: 'The key of a route.',
  outcome: `One of ${OUTCOMES.join(', ')}.`,
  code: 'Of a refusal.',
  reason: 'Of a refusal: what is not told to the sender.',
  status: 'A number such as 401, or 4 for 4xx.',
  from: 'A time.',
  to: 'A time: those before it.',
  text: 'Found anywhere in the request.',
};

/**
 * Reads `route`, `outcome`, `code` and `reason` of a refusal, `status` (a number, or 4 for 4xx), `from`, `to` and
 * `text` (found anywhere in the request, as it is written). RequestError BadRequest for what is none.
 */
export function readFilter(query: URLSearchParams): RequestFilter {
  const [status, text] = [query.get('status'), query.get('text')];
  const [from, to] = [timeValue(query, 'from'), timeValue(query, 'to')];
  if (status !== null && !/^\d(\d\d)?$/.test(status)) {
    throw new RequestError('BadRequest', 'status is a number such as 401, or 4 for all from 400 to 499');
  }
  if ((text?.length ?? 0) > TEXT_CHARACTERS_MAX) {
    throw new RequestError('BadRequest', `text has at most ${TEXT_CHARACTERS_MAX} characters`);
  }
  const outcome = query.get('outcome');
  if (outcome !== null && !OUTCOMES.includes(outcome as Verdict['outcome'])) {
    throw new RequestError('BadRequest', `outcome is one of ${OUTCOMES.join(', ')}`);
  }
  const tests: ((entry: RequestEntry) => boolean)[] = [];
  for (const name of ['route', 'outcome', 'code', 'reason'] as const) {
    const wanted = query.get(name);
    if (wanted !== null) tests.push(({ head }) => head[name] === wanted);
  }
  if (status !== null) tests.push(({ head }) => String(head.status).startsWith(status));
  if (from !== undefined) tests.push(({ head }) => Date.parse(head.at) >= from);
  if (to !== undefined) tests.push(({ head }) => Date.parse(head.at) < to);
  if (text !== null && text !== '') tests.push((entry) => holds(entry, text));
  return { from, to, fits: (entry) => tests.every((test) => test(entry)) };
}

function holds({ head, body }: RequestEntry, text: string): boolean {
  const bytes = asBuffer(body);
  if (bytes.includes(text)) return true;
  const { id, path, query, headers, deliveryId = '', code, reason, remoteAddress, problems = [] } = head;
  const texts = [id, path, query, deliveryId, code, reason, remoteAddress, ...problems, ...Object.values(headers)];
  return texts.some((one) => one.includes(text));
}
