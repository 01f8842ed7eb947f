import { RequestError } from '../../kernel/errors.ts';
import { wholeNumber } from '../../kernel/query-values.ts';
import { AdminBytes, type AdminRequest, type AdminRoute } from '../../ports/capability.ts';
import type { Served } from './handler.ts';
import { limits } from './limits.ts';
import { redeliverRequest, type Redelivered } from './operations/redeliver-request.ts';
import { redeliverRequests, type RedeliveryReport } from './operations/redeliver-requests.ts';
import type { RequestEntry } from './request-log/request-entry.ts';
import { readFilter } from './request-log/request-filter.ts';
import type { ListedRequest, RequestReader } from './request-log/request-reader.ts';

/** What the routes work with. */
export interface RequestRouteParts {
  readonly reader: RequestReader;
  readonly served: Served;
  /** Writes the entries that wait. */
  readonly flush: () => Promise<void>;
}

/** Reads and changes under `/admin/requests`. */
export function requestRoutes(parts: RequestRouteParts): readonly AdminRoute[] {
  const one = async (name: string, query: URLSearchParams, request: AdminRequest): Promise<Redelivered> =>
    await redeliverRequest(parts.served, await found(parts, name, request), isSaid(query, 'again'), request);
  return [
    {
      method: 'GET',
      path: '/admin/requests',
      doc:
        'Requests that met a route, newest first: `route`, `outcome`, `code`, `reason`, `status` (401, or 4 for ' +
        '4xx), `from`, `to`, `text`; `limit` (50), and `before` (a former `next`).',
      handle: async (_parameters, query) => await list(parts, query),
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
      handle: async ({ id = '' }, _query, request) => new AdminBytes(piece((await found(parts, id, request)).body)),
    },
    {
      method: 'POST',
      path: '/admin/requests/{id}/redeliver',
      doc: 'Hands it to its route once more; `again=true` also where it has its record.',
      handle: async ({ id = '' }, query, request) => await one(id, query, request),
    },
    {
      method: 'POST',
      path: '/admin/requests/redeliver',
      doc:
        'Hands accepted requests to their routes once more, oldest first and 100 a call: those that fit as above ' +
        '(`from` is needed), `after` (a former `next`), `again=true`, `dryRun=true`.',
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

async function redeliverMany(
  { reader, served, flush }: RequestRouteParts,
  query: URLSearchParams,
  request: AdminRequest,
): Promise<RedeliveryReport> {
  const filter = readFilter(query);
  if (filter.from === undefined) throw new RequestError('BadRequest', 'say from when on: from');
  const after = wholeNumber(query, 'after');
  await flush();
  // What was sent on once stands in the log, too: not everything that fits came from outside.
  const isFirst = ({ head }: RequestEntry): boolean => head.outcome !== 'refused' && head.redeliveryOf === undefined;
  const taken = { ...filter, fits: (entry: RequestEntry) => isFirst(entry) && filter.fits(entry) };
  const steps = reader.oldest(taken, after === undefined ? undefined : BigInt(after));
  const order = { isAgain: isSaid(query, 'again'), isDryRun: isSaid(query, 'dryRun') };
  return await redeliverRequests(served, steps, order, request);
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
  const { body } = entry;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { ...shown(entry), body: bytes.toString('base64') };
}

function isSaid(query: URLSearchParams, name: string): boolean {
  return query.get(name) === 'true';
}

async function* piece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
