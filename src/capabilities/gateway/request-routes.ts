import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { RequestError } from '../../kernel/errors.ts';
import { isMapping, parseJson } from '../../kernel/json.ts';
import { flagValue, wholeNumber } from '../../kernel/query-values.ts';
import { AdminBytes, type AdminRequest, type AdminRoute, type QueryParameters } from '../../ports/capability.ts';
import type { HttpHandler } from '../../ports/http.ts';
import type { HttpClient } from '../../ports/http-client.ts';
import type { Served } from './handler.ts';
import { limits } from './limits.ts';
import {
  planRedelivery,
  redeliverRequest,
  checkAccepted,
  checkWhole,
  wasTaken,
} from './operations/redeliver-request.ts';
import {
  redeliverRequests,
  type RedeliveryOrder,
  type RedeliveryReport,
  type WantedRequest,
} from './operations/redeliver-requests.ts';
import { sendRequest } from './operations/send-request.ts';
import { readTrial, tryRoute } from './operations/try-route.ts';
import type { RedeliveryTarget } from './redelivery-target.ts';
import type { RequestEntry } from './request-log/request-entry.ts';
import { filterParameters, readFilter } from './request-log/request-filter.ts';
import type { ListedRequest, RequestReader } from './request-log/request-reader.ts';

/** What the routes work with. */
export interface RequestRouteParts {
  readonly reader: RequestReader;
  readonly served: Served;
  readonly handle: HttpHandler;
  readonly http: HttpClient;
  readonly targets: () => ReadonlyMap<string, RedeliveryTarget>;
  /** Writes the entries that wait. */
  readonly flush: () => Promise<void>;
}

const HOW =
  '`again=true` also those that have their record, `target=NAME` to a server of `gateway.redeliverTo`, `dryRun=true`';

/** What `orderOf` reads. */
const ORDER_PARAMETERS: QueryParameters = {
  again: 'true or false: also those that have their record.',
  dryRun: 'true or false: only says what would become of them.',
  rate: 'Requests a second; 100.',
  target: 'A server of `gateway.redeliverTo`, in place of the route.',
};

/** Reads and changes under `/admin/requests`. */
export function requestRoutes(parts: RequestRouteParts): readonly AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/requests',
      doc:
        'Requests that met a route, newest first: `route`, `outcome`, `code`, `reason`, `status` (401, or 4 for ' +
        '4xx), `from`, `to`, `text`; `limit` (50), and `before` (a former `next`).',
      query: { ...filterParameters, limit: 'Requests; 50.', before: 'A former `next`.' },
      handle: async (_parameters, query) => await list(parts, query),
    },
    {
      method: 'POST',
      path: '/admin/requests',
      doc:
        'Tries a route: a request signed as its sender would, `{"route": "POST /hook", "body": {}}`, or one of the ' +
        'log, `{"from": ID}`, also with other parts. What the route does is done; its answer is told.',
      handle: async (_parameters, _query, request) => await trial(parts, request),
    },
    {
      method: 'GET',
      path: '/admin/requests/{id}',
      doc: 'One request with its body in base64, by its `x-amzn-requestid` or its number.',
      handle: async ({ id = '' }, _query, request) => whole(await found(parts, id, request)),
    },
    {
      method: 'GET',
      path: '/admin/requests/{id}/body',
      doc: 'Its body, byte for byte.',
      answersBytes: true,
      handle: async ({ id = '' }, _query, request) => new AdminBytes(piece((await found(parts, id, request)).body)),
    },
    {
      method: 'POST',
      path: '/admin/requests/{id}/redeliver',
      doc: `Hands it to its route once more: ${HOW}.`,
      query: ORDER_PARAMETERS,
      handle: async ({ id = '' }, query, request) =>
        await orderOf(parts, query).send(await found(parts, id, request), request),
    },
    {
      method: 'POST',
      path: '/admin/requests/redeliver',
      doc:
        'Hands accepted requests to their routes once more, 100 a call: those of the body, `{"ids": [ID]}`, or, ' +
        `oldest first, those that fit as above (\`from\` is needed); ${HOW}, \`rate\` (100 a second), ` +
        '`after` (a former `next`).',
      query: { ...filterParameters, after: 'A former `next`.', ...ORDER_PARAMETERS },
      handle: async (_parameters, query, request) => await redeliverMany(parts, query, request),
    },
  ];
}

async function list({ reader, flush }: RequestRouteParts, query: URLSearchParams): Promise<unknown> {
  const filter = readFilter(query);
  const limit = Math.min(Math.max(wholeNumber(query, 'limit') ?? limits.logPage, 1), limits.logPageMax);
  const before = wholeNumber(query, 'before');
  await flush();
  const { entries, next } = await reader.newest(filter, before === undefined ? undefined : BigInt(before), limit);
  return { requests: entries.map(shown), ...(next !== undefined && { next: String(next) }) };
}

async function trial(parts: RequestRouteParts, request: AdminRequest): Promise<unknown> {
  const asked = readTrial(await request.readBody(limits.trialBytesMax));
  const saved = asked.from === undefined ? undefined : await found(parts, asked.from, request);
  const { served, handle } = parts;
  return await tryRoute({ handle, routes: served.routes(), environment: served.environment }, asked, saved, request);
}

/** RequestErrors: BadRequest, and NotFound for a target that the file does not have. */
function orderOf({ served, http, targets }: RequestRouteParts, query: URLSearchParams): RedeliveryOrder {
  const [isAgain, isDryRun] = [flagValue(query, 'again'), flagValue(query, 'dryRun')];
  const perSecond = wholeNumber(query, 'rate') ?? limits.redeliveriesPerSecond;
  if (perSecond < 1 || perSecond > limits.redeliveriesPerSecondMax) {
    throw new RequestError('BadRequest', `rate is from 1 to ${limits.redeliveriesPerSecondMax} a second`);
  }
  const name = query.get('target');
  const target = name === null ? undefined : targets().get(name);
  if (name !== null && target === undefined) {
    const names = [...targets().keys()].join(', ');
    throw new RequestError('NotFound', `no ${name} in gateway.redeliverTo; there are ${names || 'none'}`, 404);
  }
  const { environment } = served;
  return {
    perSecond: isDryRun ? Infinity : perSecond,
    async send(entry, asker) {
      const { head } = entry;
      if (target === undefined) {
        if (!isDryRun) return await redeliverRequest(served, entry, isAgain, asker);
        const { earlier } = await planRedelivery(served, head, isAgain);
        return earlier ?? ready(entry);
      }
      if (!isDryRun) return await sendRequest({ http, environment, events: served.events }, target, entry, asker);
      checkAccepted(head);
      checkWhole(head);
      return ready(entry);
    },
  };
}

function ready({
  head: { id, stream, shardId, sequenceNumber },
}: RequestEntry): Awaited<ReturnType<RedeliveryOrder['send']>> {
  return { id, outcome: 'ready', stream, shardId, sequenceNumber };
}

async function redeliverMany(
  parts: RequestRouteParts,
  query: URLSearchParams,
  request: AdminRequest,
): Promise<RedeliveryReport> {
  const order = orderOf(parts, query);
  const ids = idsOf(await request.readBody(limits.redeliveryBytesMax));
  if (ids === undefined) checkRoute(parts, query);
  const wanted = ids === undefined ? inWindow(parts, query) : named(parts, ids, request);
  await parts.flush();
  return await redeliverRequests(parts.served.environment.clock, wanted, order, request);
}

/** With a name that no route has nothing would be sent on; a server elsewhere gets the requests of former ones, too. */
function checkRoute({ served }: RequestRouteParts, query: URLSearchParams): void {
  const name = query.get('route');
  const routes = served.routes();
  if (name === null || query.has('target') || routes.named(name) !== undefined) return;
  const names = routes.all.map(({ key }) => key).join(', ');
  throw new RequestError('NotFound', `no route ${name}; there are ${names || 'none'}`, 404);
}

/** Undefined: the body says nothing, and the query which are meant. */
function idsOf(body: Uint8Array): readonly string[] | undefined {
  if (body.length === 0) return undefined;
  const wrong = new RequestError(
    'BadRequest',
    `the body is {"ids": [ID, ...]} with 1 to ${limits.redeliveriesPerCall} ids`,
  );
  const given = parseJson(body);
  const ids = isMapping(given) ? given['ids'] : undefined;
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > limits.redeliveriesPerCall) throw wrong;
  if (!ids.every((id) => typeof id === 'string')) throw wrong;
  return ids;
}

async function* named(
  { reader }: RequestRouteParts,
  ids: readonly string[],
  { signal }: AdminRequest,
): AsyncGenerator<WantedRequest> {
  const places = await reader.places(ids, signal);
  // A request that is named twice, also by its id and its number, is meant once.
  const meant = new Map<bigint | string, string>();
  for (const id of ids) if (!meant.has(places.get(id) ?? id)) meant.set(places.get(id) ?? id, id);
  const names = Array.from(meant.values());
  for (const [index, id] of names.entries()) {
    const number = places.get(id);
    const entry = number === undefined ? undefined : await reader.at(number);
    yield { place: id, entry, next: names[index + 1] };
  }
}

function inWindow({ reader }: RequestRouteParts, query: URLSearchParams): AsyncIterable<WantedRequest> {
  const filter = readFilter(query);
  if (filter.from === undefined) throw new RequestError('BadRequest', 'say from when on: from');
  const after = wholeNumber(query, 'after');
  // What was sent on once stands in the log, too: not everything that fits came from outside.
  // With `again` each would become a record: of what was sent four times the first is enough.
  const isRepeatMeant = !flagValue(query, 'again') || query.get('outcome') === 'duplicate';
  const isFirst = ({ head }: RequestEntry): boolean =>
    wasTaken(head) && head.redeliveryOf === undefined && (isRepeatMeant || head.outcome !== 'duplicate');
  const taken = { ...filter, fits: (entry: RequestEntry) => isFirst(entry) && filter.fits(entry) };
  return reader.oldest(taken, after === undefined ? undefined : BigInt(after));
}

async function found(
  { reader, flush }: RequestRouteParts,
  name: string,
  { signal }: AdminRequest,
): Promise<RequestEntry> {
  await flush();
  const entry = await reader.find(name, signal);
  if (entry === undefined) throw new RequestError('NotFound', `no request ${name} in the log`, 404);
  return entry;
}

function shown({ number, head }: ListedRequest): object {
  return { number: String(number), ...head };
}

function whole(entry: RequestEntry): unknown {
  return { ...shown(entry), body: asBuffer(entry.body).toString('base64') };
}

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
