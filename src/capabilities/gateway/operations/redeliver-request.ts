import { RequestError, ThrottleError } from '../../../kernel/errors.ts';
import type { HttpRequest } from '../../../ports/http.ts';
import { mayPass } from '../../../ports/records.ts';
import { REDELIVERY_HEADER } from '../calls/call.ts';
import { refusal } from '../errors.ts';
import type { Served } from '../handler.ts';
import type { RequestEntry, RequestHeadEntry } from '../request-log/request-entry.ts';
import { standingRecord } from '../request-log/standing-record.ts';
import { matchRoutePath } from '../route-path.ts';
import type { Match } from '../route-table.ts';
import type { Route } from '../route.ts';
import { acceptRequest, acceptedVerdict, type Accepted } from './accept-request.ts';

const TAKEN: ReadonlySet<string> = new Set(['accepted', 'duplicate', 'quarantined', 'answered']);
/** From this status on a function did not do what it was asked for. */
const FAILED = 500;

/** What became of a request that was sent on again. */
export interface Redelivered {
  /** Of the request in the log. */
  readonly id: string;
  /** Of this time; absent: nothing was done. */
  readonly redeliveryId?: string;
  /** `sent`: a server elsewhere took it. `ready`: of a dry run, it would be sent on. */
  readonly outcome: 'accepted' | 'duplicate' | 'quarantined' | 'answered' | 'refused' | 'sent' | 'ready';
  readonly code?: string;
  /** What a server elsewhere answered. */
  readonly status?: number;
  readonly answer?: string;
  /** Where its record stands: of a dry run the one it has. */
  readonly stream?: string | undefined;
  readonly shardId?: string | undefined;
  readonly sequenceNumber?: string | undefined;
}

/** Who wants it: whether somebody waits still, and what may be held in memory. */
export type Asker = Pick<HttpRequest, 'signal' | 'hold' | 'giveBack'>;

/** Whether it was accepted once. */
export function wasTaken({ outcome }: Pick<RequestHeadEntry, 'outcome'>): boolean {
  return TAKEN.has(outcome);
}

/** RequestErrors for requests that were never accepted: nobody vouches for them. */
export function checkAccepted(head: Pick<RequestHeadEntry, 'outcome'>): void {
  if (wasTaken(head)) return;
  throw new RequestError('NotAccepted', 'only requests that were accepted once can be sent on again', 409);
}

/** RequestError where the log has only the beginning. */
export function checkWhole({ isWhole }: Pick<RequestHeadEntry, 'isWhole'>): void {
  if (!isWhole) throw new RequestError('BodyNotKept', 'its body was cut in the log', 409);
}

/**
 * Hands a request of the log to its route once more, behind verification: its verdict stands in the log, and masked
 * headers stay masked. Without `isAgain` what has its record, or its answer, is a duplicate. RequestErrors for requests
 * that were never accepted, that were cut, and whose route is gone.
 */
export async function redeliverRequest(
  served: Served,
  entry: RequestEntry,
  isAgain: boolean,
  asker: Asker,
): Promise<Redelivered> {
  const { head } = entry;
  const { id } = head;
  const planned = await planRedelivery(served, head, isAgain);
  if (planned.earlier !== undefined) return planned.earlier;
  const { route, parameters } = planned;
  const redeliveryId = served.environment.random.uuid();
  const sent = sentAgain(entry, redeliveryId, asker);
  const redelivery = { of: head.redeliveryOf ?? id, deliveryId: head.deliveryId, isAgain };
  return { id, redeliveryId, ...(await accept(served, route, { ...sent, parameters, redelivery })) };
}

/** What a redelivery would do: the route it goes to, or what it came to before. RequestErrors as for doing it. */
export async function planRedelivery(
  served: Served,
  head: RequestHeadEntry,
  isAgain: boolean,
): Promise<Match & { readonly earlier: Redelivered | undefined }> {
  checkAccepted(head);
  const route = served.routes().named(head.route);
  const parameters = route === undefined ? undefined : matchRoutePath(route.path, head.path);
  if (route === undefined || parameters === undefined) {
    throw new RequestError('NotFound', `the route ${head.route} is not there any more`, 404);
  }
  const earlier = isAgain ? undefined : await orUnavailable(earlierOutcome(served, route, head));
  if (earlier === undefined) checkWhole(head);
  return { route, parameters, earlier: earlier === undefined ? undefined : { id: head.id, ...earlier } };
}

/** What it came to before, where that still stands. */
async function earlierOutcome(
  { records }: Served,
  { call, stream }: Route,
  head: RequestHeadEntry,
): Promise<Omit<Redelivered, 'id'> | undefined> {
  // Functions have no window of ids: one that answered has had the request.
  if (call !== undefined) return head.status < FAILED ? { outcome: 'duplicate' } : undefined;
  // What was quarantined may fit the schema now.
  if (stream === undefined || head.outcome === 'quarantined') return undefined;
  const standing = await standingRecord(records, head, stream);
  return standing === undefined ? undefined : { outcome: 'duplicate', stream, ...standing };
}

type Sent = Omit<Parameters<typeof acceptRequest>[2], 'receivedAt' | 'claims' | 'authorized'>;

function sentAgain({ head, body }: RequestEntry, redeliveryId: string, asker: Asker): Pick<Sent, 'request' | 'body'> {
  const { method, path, query, remoteAddress } = head;
  const headers = { ...head.headers, [REDELIVERY_HEADER]: head.redeliveryOf ?? head.id };
  const room = {
    hold: async (bytes: number) => await asker.hold(bytes),
    giveBack: (bytes: number) => asker.giveBack(bytes),
  };
  const request = { id: redeliveryId, method, path, query, headers, remoteAddress, signal: asker.signal, ...room };
  return { request: { ...request, headerList: () => Object.entries(headers) }, body };
}

async function accept(served: Served, route: Route, sent: Sent): Promise<Omit<Redelivered, 'id'>> {
  const { clock } = served.environment;
  const startedAt = clock.monotonic();
  const { request, body, redelivery } = sent;
  try {
    if (!served.isReady(route)) throw refusal('ServiceUnavailable');
    const verified = { ...sent, receivedAt: clock.now(), claims: undefined, authorized: undefined };
    const accepted = await acceptRequest(served, route, verified);
    if (accepted.outcome === 'accepted') served.noteStored();
    const { outcome, shardId, sequenceNumber, answer } = accepted;
    const verdict = acceptedVerdict(accepted, body.length, clock.monotonic() - startedAt);
    served.observe?.({ route, request, body, answer, verdict, redeliveryOf: redelivery?.of });
    served.events.redelivered(route.key, told(outcome));
    return { outcome: told(outcome), shardId, sequenceNumber };
  } catch (error) {
    if (!(error instanceof RequestError) && !(error instanceof ThrottleError)) throw error;
    served.events.redelivered(route.key, 'refused');
    return { outcome: 'refused', code: error instanceof ThrottleError ? 'ServiceUnavailable' : error.code };
  }
}

function told(outcome: Accepted['outcome']): Redelivered['outcome'] {
  return outcome === 'challenged' ? 'answered' : outcome;
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!mayPass(error)) throw error;
    throw refusal('ServiceUnavailable');
  }
}
