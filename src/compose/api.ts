import { RequestError } from '../kernel/errors.ts';
import type { AdminRoute, Health } from '../ports/capability.ts';
import { plainAnswer } from '../wire/http/plain-answer.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../ports/http.ts';

/** What the private listener serves beside AWS actions. */
export interface ApiParts {
  readonly awsJson: HttpHandler;
  readonly admin: readonly AdminRoute[];
  health(): Health;
  /** False while the node drains. */
  ready(): boolean;
  /** Prometheus text. */
  metrics(): Promise<string>;
}

/** The handler of the api listener: AWS actions on `/`, admin JSON, health, readiness and metrics. */
export function createApi(parts: ApiParts): HttpHandler {
  return async (request) => {
    const { path } = request;
    if (path === '/') return await parts.awsJson(request);
    if (path === '/healthz') return answerHealth(request, parts.health());
    if (path === '/readyz') return answerReady(request, parts.ready());
    if (path === '/metrics')
      return read(request, {
        status: 200,
        headers: { 'content-type': 'text/plain; version=0.0.4' },
        body: await parts.metrics(),
      });
    if (path.startsWith('/admin/')) return await answerAdmin(parts.admin, request);
    return plainAnswer(404, 'NotFound', `nothing is served at ${path}`);
  };
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` };
}

/** GET and HEAD only. */
function read(request: HttpRequest, answer: HttpAnswer): HttpAnswer {
  if (request.method === 'GET' || request.method === 'HEAD') return answer;
  return plainAnswer(405, 'MethodNotAllowed', 'only GET is served here', { allow: 'GET, HEAD' });
}

function answerHealth(request: HttpRequest, health: Health): HttpAnswer {
  return read(request, json(health.ok ? 200 : 503, health));
}

function answerReady(request: HttpRequest, ready: boolean): HttpAnswer {
  return read(request, json(ready ? 200 : 503, { ready }));
}

async function answerAdmin(routes: readonly AdminRoute[], request: HttpRequest): Promise<HttpAnswer> {
  const matches = routes.flatMap((route) => {
    const parameters = matchPath(route.path, request.path);
    return parameters === undefined ? [] : [{ route, parameters }];
  });
  if (matches.length === 0) return plainAnswer(404, 'NotFound', `nothing is served at ${request.path}`);
  const match = matches.find(({ route }) => route.method === request.method);
  if (match === undefined) {
    const allow = [...new Set(matches.map(({ route }) => route.method))].join(', ');
    return plainAnswer(405, 'MethodNotAllowed', `use ${allow}`, { allow });
  }
  try {
    return json(200, await match.route.handle(match.parameters, new URLSearchParams(request.query), request.signal));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return plainAnswer(error.status, error.code, error.message, error.headers);
  }
}

/** The values of a pattern's `{name}` parts, decoded, or undefined when the path does not fit. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) {
      if (part !== text) return undefined;
      continue;
    }
    const value = decode(text);
    if (value === undefined || value === '') return undefined;
    values[name] = value;
  }
  return values;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % is a path that fits nothing, not a fault.
    return undefined;
  }
}
