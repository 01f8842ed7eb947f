import { RequestError } from '../kernel/errors.ts';
import { matchPath } from '../kernel/match-path.ts';
import type { Audit } from '../ports/audit.ts';
import { AdminBytes, type AdminRequest, type AdminRoute, type Health } from '../ports/capability.ts';
import type { AwsRest } from '../wire/aws-rest/index.ts';
import type { Gate } from '../wire/sigv4/gate.ts';
import type { Principal } from '../wire/sigv4/principal.ts';
import { plainAnswer } from '../wire/http/plain-answer.ts';
import { isForSts } from './caller-identity.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../ports/http.ts';
import { RawAnswer } from '../ports/operation.ts';

/** What the private listener serves beside AWS actions. */
export interface ApiParts {
  readonly awsJson: HttpHandler;
  /** Actions with a path of their own. */
  readonly awsRest: AwsRest;
  readonly callerIdentity: HttpHandler;
  readonly admin: readonly AdminRoute[];
  readonly gate: Gate;
  readonly audit: Audit;
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
    if (!parts.ready() && !STOPPING_PATHS.has(path) && !parts.gate.isLent(request)) return refuseStopping();
    if (path === '/') return await (isForSts(request) ? parts.callerIdentity : parts.awsJson)(request);
    if (path === '/healthz') return answerHealth(request, parts.health());
    if (path === '/readyz') return answerReady(request, parts.ready());
    const rest = parts.awsRest(path);
    if (rest !== undefined) return await rest(request);
    return await refusable(async () => {
      const asked = adminRequest(request);
      const caller = await callerOf(parts.gate, request, asked);
      if (path.startsWith('/admin/')) return await answerAdmin(parts, request, { caller, asked });
      if (path !== '/metrics') return plainAnswer(404, 'NotFound', `nothing is served at ${path}`);
      caller?.check(READ, []);
      const headers = { 'content-type': 'text/plain; version=0.0.4' };
      return read(request, { status: 200, headers, body: await parts.metrics() });
    });
  };
}

/** What tells of the node, also while it stops. */
const STOPPING_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Clients of AWS try again after it, and with a new connection. */
function refuseStopping(): HttpAnswer {
  return plainAnswer(503, 'ServiceUnavailable', 'the node is being stopped', { connection: 'close' });
}

/** Bytes of the body of an admin request. */
const ADMIN_BODY_BYTES_MAX = 1024 * 1024;
const READ = 'admin:Read';
const WRITE = 'admin:Write';
/** Says nothing of any stream, and every command asks for it. */
const OPEN_TO_BOUND = '/admin/node';

/** Who signed for the service `millrace`; undefined while signatures are not verified. */
async function callerOf(gate: Gate, request: HttpRequest, asked: AdminRequest): Promise<Principal | undefined> {
  const presented = gate.begin(request, 'millrace');
  if (presented === undefined) return undefined;
  await asked.readBody(ADMIN_BODY_BYTES_MAX, presented.see);
  return gate.finish(presented);
}

/** The request as routes see it: the body is read once, by the signature's check or by the route. */
function adminRequest(request: HttpRequest): AdminRequest {
  let body: Promise<Uint8Array> | undefined;
  return {
    signal: request.signal,
    hold: async (bytes) => await request.hold(bytes),
    giveBack: (bytes) => request.giveBack(bytes),
    readBody: async (_maxBytes, seen) => await (body ??= request.readBody(ADMIN_BODY_BYTES_MAX, seen)),
  };
}

async function refusable(answer: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return plainAnswer(error.status, error.code, error.message, error.headers);
  }
}

function json(status: number, value: unknown): HttpAnswer {
  const body = value instanceof RawAnswer ? value.body : `${JSON.stringify(value)}\n`;
  return { status, headers: { 'content-type': 'application/json' }, body };
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

async function answerAdmin(
  { admin: routes, audit }: ApiParts,
  request: HttpRequest,
  { caller, asked }: { readonly caller: Principal | undefined; readonly asked: AdminRequest },
): Promise<HttpAnswer> {
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
  const { route, parameters } = match;
  const handle = async (): Promise<unknown> => {
    if (caller !== undefined) checkAllowed(caller, route, parameters);
    return await route.handle(parameters, new URLSearchParams(request.query), asked);
  };
  if (caller === undefined || route.method === 'GET') return answered(await handle());
  const { id: requestId, remoteAddress: from, path } = request;
  return json(200, await audit.note({ who: caller.accessKeyId, action: WRITE, on: [path], from, requestId }, handle));
}

function answered(value: unknown): HttpAnswer {
  if (!(value instanceof AdminBytes)) return json(200, value);
  const { pieces } = value;
  return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: { pieces } };
}

/** Who is bound to some streams and deliveries sees those one by one, and no lists. */
function checkAllowed(caller: Principal, route: AdminRoute, parameters: Readonly<Record<string, string>>): void {
  const action = route.method === 'GET' ? READ : WRITE;
  const { name } = parameters;
  const isNamed = /^\/admin\/(streams|deliveries)\/\{name\}/.test(route.path) && name !== undefined;
  if (route.path === OPEN_TO_BOUND && caller.mayDo(action)) return;
  caller.check(action, isNamed ? [{ name, arn: route.path.replace('{name}', name) }] : [{ name: '', arn: route.path }]);
}
