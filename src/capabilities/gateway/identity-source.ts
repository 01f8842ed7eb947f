import type { IncomingRequest } from './calls/call.ts';
import { queryOf } from './calls/request-facts.ts';
import { filled } from './kinds/secrets.ts';

/** Reads one part of an identity; undefined when the request lacks it. */
export type IdentitySource = (call: Pick<IncomingRequest, 'request' | 'routeKey'>) => string | undefined;

/** API Gateway's two spellings, of HTTP APIs and of REST APIs. */
const SOURCE = /^(?:(?:\$|method\.)request\.(header|querystring)|(\$?context))\.([\w!#$%&'*+.^`|~-]+)$/;

/** Reads `$request.header.Authorization`, `$request.querystring.token` or `$context.routeKey`; undefined for others. */
export function readIdentitySource(text: string): IdentitySource | undefined {
  const [, place, context, name = ''] = SOURCE.exec(text) ?? [];
  if (place === 'header') {
    const key = name.toLowerCase();
    return ({ request }) => filled(request.headers[key]);
  }
  if (place === 'querystring') return ({ request }) => filled(queryOf(request).get(name)?.join(','));
  if (context === undefined) return undefined;
  if (name === 'routeKey') return ({ routeKey }) => routeKey;
  if (name === 'httpMethod') return ({ request }) => request.method;
  if (name === 'path') return ({ request }) => request.path;
  return name === 'identity.sourceIp' ? ({ request }) => filled(request.remoteAddress) : undefined;
}

/** The header or the query parameter that an identity source reads; undefined for others, which are no secrets. */
export function readIdentitySecret(
  text: string,
): { readonly place: 'header' | 'querystring'; readonly name: string } | undefined {
  const [, place, , name = ''] = SOURCE.exec(text) ?? [];
  if (place === 'header') return { place, name: name.toLowerCase() };
  return place === 'querystring' ? { place, name } : undefined;
}
