import { parseRange } from '../../kernel/net/ip-address.ts';
import { parseJsonPath } from '../../kernel/json-path.ts';
import { INTERNAL_PROBLEM, isInternal } from '../../kernel/names.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import type { UrlRules } from '../../ports/http-client.ts';
import type { CallForm } from './calls/call.ts';
import { callForms } from './calls/index.ts';
import type { GatewayOptions, RouteOptions } from './config.ts';
import { readIdExpression } from './id-source.ts';
import { readIdentitySource } from './identity-source.ts';
import { verifierKinds } from './kinds/index.ts';
import { secretProblems } from './kinds/secrets.ts';
import type { AnyVerifierKind, RouteProblem } from './kinds/verifier.ts';
import { readRoutePath, shapeOf, type RoutePath } from './route-path.ts';

export type { RouteProblem } from './kinds/verifier.ts';

const METHODS: ReadonlySet<string> = new Set(['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);
/** Words of routes to streams, which mean nothing where a function answers. */
const OF_STREAMS = ['dedupe', 'partitionKey', 'payload', 'largeBody'] as const;

/** Words that mean nothing where a request holds many records. */
const NOT_OF_RECEIVERS = ['function', 'event', 'payload', 'largeBody'] as const;
/** Those that mean nothing where no stream takes them. */
const ONLY_OF_STREAMS = ['dedupe', 'partitionKey'] as const;

/** Method and path of a route's key, with the base path; a sentence when it is none. */
export function readRouteKey(
  key: string,
  basePath = '',
): { readonly method: string; readonly path: RoutePath } | string {
  const [, method = '', path = ''] = /^(\S+) (\/\S*)$/.exec(key) ?? [];
  if (path === '') return 'expected a method and a path, for example `POST /hooks`';
  if (!METHODS.has(method)) return `${method} is no method; use one of ${[...METHODS].join(', ')}`;
  const read = readRoutePath(basePath + path);
  if (typeof read === 'string') return read;
  if (isReserved(read.text)) return `${read.text} is reserved: /api/, /write and /healthz are the gateway's own`;
  return { method, path: read };
}

/** Whether the gateway keeps the path for itself: device API, line protocol and health. */
export function isReserved(path: string): boolean {
  return path === '/healthz' || path === '/write' || path === '/api' || path.startsWith('/api/');
}

/** The one way to verify that the options name beside `ip`; undefined when there is none, or `none`. */
export function chosenKind(
  verify: RouteOptions['verify'],
): { readonly kind: AnyVerifierKind; readonly options: unknown } | undefined {
  if (typeof verify !== 'object') return undefined;
  const given = verify as Readonly<Record<string, unknown>>;
  const kind = verifierKinds.find(({ name }) => given[name] !== undefined);
  return kind === undefined ? undefined : { kind, options: given[kind.name] };
}

/** What the function gets. */
export function callFormOf({ event = 'body' }: RouteOptions): CallForm {
  return callForms.find(({ name }) => name === event) as CallForm;
}

/** Whether something asks what a body says: a function's own ids are those of its senders, `dedupe` is for streams. */
export function readsContent(given: RouteOptions): boolean {
  if (given.function === undefined || given.schema !== undefined || callFormOf(given).readsContent) return true;
  return chosenKind(given.verify)?.kind.readsContent === true;
}

/** What is wrong with the section beyond its shape; `start` refuses routes that say nothing about verification. */
export function routeProblems(
  options: GatewayOptions | undefined,
  mode: 'dev' | 'start',
  destinations: readonly AnyDestination[],
): readonly RouteProblem[] {
  const seen = new Map<string, string>();
  return Object.entries(options?.routes ?? {}).flatMap(([key, given]) => {
    const found = [
      ...keyProblems(key, options?.basePath, seen),
      ...verifyProblems(given, mode),
      ...targetProblems(given),
      ...receiverProblems(given, destinations),
      ...authorizerProblems(given),
      ...idProblems(given),
      ...contentProblems(given),
      ...corsProblems(given),
    ];
    return found.map(({ path, message }) => ({ path: ['routes', key, ...path], message }));
  });
}

/** What ways to verify ask for, and may not. */
export function askedUrlProblems(options: GatewayOptions | undefined, urls: UrlRules): readonly RouteProblem[] {
  return Object.entries(options?.routes ?? {}).flatMap(([key, { verify }]) => {
    const chosen = chosenKind(verify);
    return (chosen?.kind.urls?.(chosen.options as never) ?? []).flatMap(({ path, url }) => {
      const message = urls.problem(url);
      const place = ['routes', key, 'verify', chosen?.kind.name ?? '', ...path];
      return message === undefined ? [] : [{ path: place, message }];
    });
  });
}

function keyProblems(key: string, basePath: string | undefined, seen: Map<string, string>): RouteProblem[] {
  const read = readRouteKey(key, basePath);
  if (typeof read === 'string') return [{ path: [], message: read }];
  const shape = `${read.method} ${shapeOf(read.path)}`;
  const earlier = seen.get(shape);
  seen.set(shape, key);
  return earlier === undefined ? [] : [{ path: [], message: `fits the same paths as ${earlier}` }];
}

function verifyProblems({ verify, authorizer, receive }: RouteOptions, mode: 'dev' | 'start'): RouteProblem[] {
  const path = ['verify'];
  if (receive !== undefined) {
    return verify === undefined || isAddressesOnly(verify)
      ? []
      : [{ path, message: 'is for webhooks: Firehose proves itself by its access key; `ip` may stand here' }];
  }
  if (verify === undefined) {
    if (mode === 'dev' || authorizer !== undefined) return [];
    return [{ path, message: 'is missing; name a way to verify, or `verify: none` to take everything' }];
  }
  if (typeof verify === 'string') return [];
  const given = verify as Readonly<Record<string, unknown>>;
  const kinds = verifierKinds.filter(({ name }) => given[name] !== undefined);
  const ip = given['ip'] as { readonly allow: readonly string[] } | undefined;
  if (kinds.length > 1)
    return [{ path, message: `expected one way, not ${kinds.map(({ name }) => name).join(' and ')}` }];
  if (kinds.length === 0 && ip === undefined) return [{ path, message: 'expected a way to verify, or `none`' }];
  const wrong = (ip?.allow ?? []).flatMap((block, index) =>
    parseRange(block) === undefined
      ? [{ path: ['ip', 'allow', String(index)], message: 'expected an address or a block such as 192.0.2.0/24' }]
      : [],
  );
  const own = kinds.flatMap((kind) =>
    (kind.problems?.(given[kind.name] as never) ?? []).map((problem) => ({
      ...problem,
      path: [kind.name, ...problem.path],
    })),
  );
  return [...wrong, ...own].map(({ path: place, message }) => ({ path: [...path, ...place], message }));
}

function targetProblems(given: RouteOptions): RouteProblem[] {
  if ((given.to === undefined) === (given.function === undefined)) {
    return [{ path: [], message: 'expected `to: STREAM` or `function: NAME`' }];
  }
  if (given.to !== undefined && typeof given.to !== 'string' && given.receive === undefined) {
    return [{ path: ['to'], message: 'expected the name of a stream; a destination needs `receive`' }];
  }
  if (typeof given.to === 'string' && isInternal(given.to)) return [{ path: ['to'], message: INTERNAL_PROBLEM }];
  if (given.function === undefined) {
    return given.event === undefined ? [] : [{ path: ['event'], message: 'is for routes with `function`' }];
  }
  return OF_STREAMS.filter((name) => given[name] !== undefined).map((name) => ({
    path: [name],
    message: 'is for routes with `to`; a function gets each request at least once, with its id',
  }));
}

/** What a receiver's words say beyond their shape. */
function receiverProblems(given: RouteOptions, destinations: readonly AnyDestination[]): RouteProblem[] {
  const { receive, to } = given;
  if (receive === undefined) return [];
  const secrets = secretProblems(receive.firehose.accessKeys, ['receive', 'firehose', 'accessKeys']);
  const isToStream = typeof to === 'string';
  const names = [...NOT_OF_RECEIVERS, ...(isToStream ? [] : ONLY_OF_STREAMS)];
  const words: RouteProblem[] = names
    .filter((name) => given[name] !== undefined)
    .map((name) => ({
      path: [name],
      message: `is not for routes with \`receive\`${isToStream ? '' : ' and a destination'}`,
    }));
  const { partitionKey, dedupe } = given;
  const own = partitionKey === undefined || (partitionKey.path !== undefined && Object.keys(partitionKey).length === 1);
  if (!own) words.push({ path: ['partitionKey'], message: 'of records of Firehose is a `path`, or the request’s id' });
  if (typeof dedupe === 'object' && dedupe.id !== undefined) {
    words.push({ path: ['dedupe', 'id'], message: 'is the id of the request where Firehose sends' });
  }
  if (typeof dedupe === 'object' && partitionKey?.path !== undefined) {
    const message = 'has no effect with `partitionKey: { path }`: records of one request go to several shards';
    words.push({ path: ['dedupe'], message });
  }
  return [...secrets, ...words, ...destinationProblems(to, destinations)];
}

function destinationProblems(to: RouteOptions['to'], destinations: readonly AnyDestination[]): RouteProblem[] {
  if (to === undefined || typeof to === 'string') return [];
  const named = Object.keys(to).filter((name) => to[name] !== undefined);
  const chosen = chosenDestination(to, destinations);
  if (chosen === undefined || named.length > 1) return [{ path: ['to'], message: 'expected one destination' }];
  const problem = chosen.kind.problem(chosen.options as never);
  return problem === undefined ? [] : [{ path: ['to', chosen.kind.name], message: problem }];
}

/** The destination that `to` names; undefined when it names a stream. */
export function chosenDestination(
  to: RouteOptions['to'],
  destinations: readonly AnyDestination[],
): { readonly kind: AnyDestination; readonly options: unknown } | undefined {
  if (typeof to !== 'object') return undefined;
  const kind = destinations.find(({ name, takesRequests }) => takesRequests === true && to[name] !== undefined);
  return kind === undefined ? undefined : { kind, options: to[kind.name] };
}

function isAddressesOnly(verify: RouteOptions['verify']): boolean {
  return typeof verify === 'object' && chosenKind(verify) === undefined;
}

function authorizerProblems({ authorizer }: RouteOptions): RouteProblem[] {
  if (authorizer === undefined) return [];
  const { identity = [], cacheSeconds = 0 } = authorizer;
  const wrong = identity.flatMap((source, index) =>
    readIdentitySource(source) === undefined
      ? [{ path: ['identity', String(index)], message: 'expected for example $request.header.Authorization' }]
      : [],
  );
  if (cacheSeconds > 0 && identity.length === 0) {
    wrong.push({ path: ['cacheSeconds'], message: 'needs `identity`: answers are kept by it' });
  }
  return wrong.map(({ path, message }) => ({ path: ['authorizer', ...path], message }));
}

function idProblems(given: RouteOptions): RouteProblem[] {
  const { verify, authorizer, dedupe } = given;
  const problems: RouteProblem[] = [];
  const id = typeof dedupe === 'object' ? dedupe.id : undefined;
  if (id !== undefined && readIdExpression(id) === undefined) {
    problems.push({ path: ['dedupe', 'id'], message: 'expected a path such as event.id, or header:NAME' });
  }
  if (id !== undefined && authorizer === undefined && chosenKind(verify) === undefined) {
    problems.push({ path: ['dedupe', 'id'], message: 'needs a sender that is verified: anyone could use up its ids' });
  }
  if (typeof dedupe === 'object' && given.to !== undefined && !hasIds(given)) {
    problems.push({ path: ['dedupe'], message: 'needs ids, and these senders name none: say `id`' });
  }
  return [...problems, ...keySourceProblems(given)];
}

function hasIds({ verify, receive, dedupe }: RouteOptions): boolean {
  if (receive !== undefined || (typeof dedupe === 'object' && dedupe.id !== undefined)) return true;
  const chosen = chosenKind(verify);
  return chosen !== undefined && (chosen.kind.hasIds?.(chosen.options as never) ?? true);
}

function keySourceProblems({ dedupe, partitionKey }: RouteOptions): RouteProblem[] {
  const problems: RouteProblem[] = [];
  if (partitionKey === undefined) return problems;
  const { header, parameter, path } = partitionKey;
  const sources = [partitionKey.id, header, parameter, path].filter((source) => source !== undefined);
  if (sources.length !== 1)
    problems.push({ path: ['partitionKey'], message: 'expected one of id, header, parameter, path' });
  if (partitionKey.id === false) {
    problems.push({ path: ['partitionKey', 'id'], message: 'expected true, or another source in its place' });
  }
  if (path !== undefined && parseJsonPath(path) === undefined) {
    problems.push({ path: ['partitionKey', 'path'], message: 'expected a path such as repository.full_name' });
  }
  for (const [name, source] of Object.entries({ header, parameter })) {
    if (source === undefined || dedupe === 'off') continue;
    const message = 'needs `dedupe: off`: where ids are kept the key comes from the id or the verified body';
    problems.push({ path: ['partitionKey', name], message });
  }
  return problems;
}

function contentProblems(given: RouteOptions): RouteProblem[] {
  const { schema, onInvalid, receive, inflatedBytesMax } = given;
  const problems: RouteProblem[] = [];
  if (schema === undefined && onInvalid !== undefined && receive === undefined) {
    problems.push({ path: ['onInvalid'], message: 'needs `schema`' });
  }
  if (typeof onInvalid === 'object' && isInternal(onInvalid.quarantine)) {
    problems.push({ path: ['onInvalid', 'quarantine'], message: INTERNAL_PROBLEM });
  }
  if (inflatedBytesMax !== undefined && !readsContent(given)) {
    problems.push({ path: ['inflatedBytesMax'], message: 'needs `schema`: the function gets the body as it came' });
  }
  return problems;
}

function corsProblems({ cors }: RouteOptions): RouteProblem[] {
  if (typeof cors !== 'object' || cors.credentials !== true || !cors.origins.includes('*')) return [];
  return [{ path: ['cors', 'credentials'], message: 'cannot be with the origin `*`: browsers refuse it' }];
}
