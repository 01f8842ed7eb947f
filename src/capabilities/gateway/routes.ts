import type { Static } from '../../kernel/schema/declare.ts';
import type { gatewayOptions } from './config.ts';
import type { WindowBounds } from './id-window.ts';
import { github, type TimedSecret } from './kinds/github.ts';
import { none } from './kinds/none.ts';
import type { Verifier } from './kinds/verifier.ts';
import { limits } from './limits.ts';

/** The checked section of the config file. */
export type GatewayOptions = Static<typeof gatewayOptions>;
type RouteOptions = NonNullable<GatewayOptions['routes']>[string];
type SecretOptions = NonNullable<Exclude<NonNullable<RouteOptions['verify']>, string>['github']>['secrets'][number];

/** One webhook route, ready to serve. */
export interface Route {
  /** `POST /path`: the scope of its delivery ids. */
  readonly key: string;
  readonly path: string;
  readonly verifier: Verifier;
  readonly stream: string;
  /** Absent: repeats are stored again. */
  readonly dedupe: WindowBounds | undefined;
  readonly bodyBytesMax: number;
}

/** What is wrong with the section beyond its shape; `path` leads to the place from the section on. */
export interface RouteProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** Routes by path, or what is wrong with them. */
export interface RouteTable {
  readonly routes: ReadonlyMap<string, Route>;
  readonly problems: readonly RouteProblem[];
}

const METHODS = ['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'PUT'];
const HOUR_MS = 3_600_000;

/** Whether the gateway keeps the path for itself: device API, line protocol and health. */
export function isReserved(path: string): boolean {
  return path === '/healthz' || path === '/write' || path === '/api' || path.startsWith('/api/');
}

/** Reads the section; `start` refuses routes that say nothing about verification. */
export function readRoutes(options: GatewayOptions | undefined, mode: 'dev' | 'start'): RouteTable {
  const routes = new Map<string, Route>();
  const problems: RouteProblem[] = [];
  for (const [key, given] of Object.entries(options?.routes ?? {})) {
    const place = ['routes', key];
    const wrong = [
      ...keyProblems(key).map((message) => ({ path: place, message })),
      ...verifyProblems(given, mode).map(({ path, message }) => ({ path: [...place, ...path], message })),
    ];
    if (typeof given.to !== 'string') wrong.push({ path: [...place, 'to'], message: 'expected the name of a stream' });
    problems.push(...wrong);
    if (wrong.length === 0) {
      const route = readRoute(key, given);
      routes.set(route.path, route);
    }
  }
  return { routes, problems };
}

function keyProblems(key: string): string[] {
  const [, method = '', path = ''] = /^(\S+) (\/\S*)$/.exec(key) ?? [];
  if (path === '') return ['expected a method and a path, for example `POST /hooks`'];
  if (METHODS.includes(method)) return [`the method ${method} is not built yet; POST is`];
  if (method !== 'POST') return [`${method} is no method; use POST`];
  if (/[{}]/.test(path)) return ['path parameters are not built yet; write the path out'];
  if (/[?#]/.test(path)) return ['a path has no ? or #'];
  if (isReserved(path)) return [`${path} is reserved: /api/, /write and /healthz are the gateway's own`];
  return [];
}

function verifyProblems({ verify }: RouteOptions, mode: 'dev' | 'start'): RouteProblem[] {
  if (verify === undefined) {
    if (mode === 'dev') return [];
    return [{ path: ['verify'], message: 'is missing; name a way to verify, or `verify: none` to take everything' }];
  }
  if (typeof verify === 'string') return [];
  if (verify.github === undefined) return [{ path: ['verify'], message: 'expected `github` or `none`' }];
  return verify.github.secrets.flatMap((secret, index) => {
    if (typeof secret === 'string') return [];
    return (['notBefore', 'notAfter'] as const)
      .filter((name) => secret[name] !== undefined && Number.isNaN(Date.parse(secret[name])))
      .map((name) => ({
        path: ['verify', 'github', 'secrets', String(index), name],
        message: 'expected an ISO 8601 time, for example 2026-01-31T00:00:00Z',
      }));
  });
}

function readRoute(key: string, options: RouteOptions): Route {
  const { verify } = options;
  const hasIds = typeof verify === 'object';
  return {
    key,
    path: key.slice(key.indexOf(' ') + 1),
    verifier: typeof verify === 'object' ? github((verify.github?.secrets ?? []).map(readSecret)) : none,
    stream: String(options.to),
    dedupe: hasIds ? readDedupe(options.dedupe) : undefined,
    bodyBytesMax: options.bodyBytesMax ?? limits.bodyBytesMax,
  };
}

function readSecret(secret: SecretOptions): TimedSecret {
  if (typeof secret === 'string') return { value: secret, notBefore: -Infinity, notAfter: Infinity };
  return {
    value: secret.value,
    notBefore: secret.notBefore === undefined ? -Infinity : Date.parse(secret.notBefore),
    notAfter: secret.notAfter === undefined ? Infinity : Date.parse(secret.notAfter),
  };
}

function readDedupe(dedupe: RouteOptions['dedupe']): WindowBounds | undefined {
  if (typeof dedupe === 'string') return undefined;
  return {
    windowMs: (dedupe?.windowHours ?? limits.windowHours) * HOUR_MS,
    idsMax: dedupe?.idsMax ?? limits.idsMax,
  };
}
