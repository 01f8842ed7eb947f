import type { HttpAnswer, HttpRequest } from '../../ports/http.ts';
import type { RouteTable } from './route-table.ts';

/** What pages of other origins may do. */
export interface Cors {
  /** `*` among them: any. */
  readonly origins: readonly string[];
  /** Absent: those of the path's routes. */
  readonly methods: readonly string[] | undefined;
  /** Absent: what the page asks for. */
  readonly headers: readonly string[] | undefined;
  readonly exposed: readonly string[];
  readonly hasCredentials: boolean;
  readonly maxAgeSeconds: number | undefined;
}

type Answered = Record<string, string>;

/** The answer to a page's question before its request; undefined when the request is no such question. */
export function preflight(table: RouteTable, request: HttpRequest): HttpAnswer | undefined {
  const { headers, method, path } = request;
  const wanted = headers['access-control-request-method'];
  const { origin } = headers;
  if (method !== 'OPTIONS' || wanted === undefined || origin === undefined) return undefined;
  const cors = table.find(wanted, path)?.route.cors;
  if (cors === undefined) return undefined;
  const allowed = allowOrigin(cors, origin);
  if (allowed === undefined) return { status: 204, headers: { vary: 'Origin' }, body: '' };
  const { maxAgeSeconds } = cors;
  const methods = cors.methods ?? table.methods(path).map((name) => (name === 'ANY' ? wanted : name));
  return {
    status: 204,
    headers: {
      ...allowed,
      'access-control-allow-methods': [...new Set(methods)].join(','),
      'access-control-allow-headers': cors.headers?.join(',') ?? asked(headers['access-control-request-headers']),
      ...(maxAgeSeconds !== undefined && { 'access-control-max-age': String(maxAgeSeconds) }),
    },
    body: '',
  };
}

/** The answer with what lets the page that asked read it; a function's own words about origins are replaced. */
export function withCors(cors: Cors | undefined, request: HttpRequest, answer: HttpAnswer): HttpAnswer {
  const { origin } = request.headers;
  if (cors === undefined) return answer;
  const own = Object.entries(answer.headers).filter(([name]) => !name.toLowerCase().startsWith('access-control-'));
  const allowed = origin === undefined ? undefined : allowOrigin(cors, origin);
  const exposed = cors.exposed.length === 0 ? {} : { 'access-control-expose-headers': cors.exposed.join(',') };
  const vary = [answer.headers['vary'], 'Origin'].filter((name) => name !== undefined).join(', ');
  return { ...answer, headers: { ...Object.fromEntries(own), ...(allowed && { ...allowed, ...exposed }), vary } };
}

function allowOrigin({ origins, hasCredentials }: Cors, origin: string): Answered | undefined {
  const isAny = origins.includes('*');
  if (!isAny && !origins.includes(origin)) return undefined;
  return {
    'access-control-allow-origin': isAny ? '*' : origin,
    ...(hasCredentials && { 'access-control-allow-credentials': 'true' }),
    vary: 'Origin',
  };
}

/** Names only: what a page sends is not repeated as it is. */
function asked(names = ''): string {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^[\w!#$%&'*+.^`|~-]{1,128}$/.test(name))
    .join(',');
}
