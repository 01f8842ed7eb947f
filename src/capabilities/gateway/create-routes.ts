import { RequestError } from '../../kernel/errors.ts';
import { TokenBucket } from '../../kernel/flow/token-bucket.ts';
import { JsonPathFinder, parseJsonPath } from '../../kernel/json-path.ts';
import { isInRange, parseAddress, parseRange } from '../../kernel/net/ip-address.ts';
import type { Doors } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import type { JsonCheck } from '../../ports/json-schema.ts';
import { Authorizer } from './authorizer.ts';
import type { CallForm } from './calls/call.ts';
import type { GatewayOptions, RouteOptions } from './config.ts';
import type { Cors } from './cors.ts';
import type { SecretNames } from './envelope.ts';
import { fromBody, fromHeader, fromParameter, readIdExpression, readIdHeader, type IdSource } from './id-source.ts';
import type { WindowBounds } from './id-window.ts';
import { accessKeyHeader, accessKeys } from './firehose/access-keys.ts';
import { readIdentitySecret, readIdentitySource } from './identity-source.ts';
import { none } from './kinds/none.ts';
import type { Verifier } from './kinds/verifier.ts';
import { limits } from './limits.ts';
import { callFormOf, chosenDestination, chosenKind, readRouteKey, readsContent } from './route-problems.ts';
import type { Payload, Receive, Route } from './route.ts';
import { readSchema } from './schema-file.ts';

const HOUR_MS = 3_600_000;

/** What routes are made with. */
export interface RouteDoors extends Pick<
  Doors,
  'configFolder' | 'destinations' | 'functions' | 'http' | 'jsonSchemas'
> {
  readonly environment: Environment;
}

/**
 * The routes of a section without problems. Rejects with RequestError InvalidConfig when the file of a schema cannot be
 * used.
 */
export async function createRoutes(options: GatewayOptions | undefined, doors: RouteDoors): Promise<readonly Route[]> {
  const entries = Object.entries(options?.routes ?? {});
  return await Promise.all(
    entries.map(async ([key, given]) => await createRoute(key, given, options?.basePath, doors)),
  );
}

/** The bucket of a `limit`. */
export function readLimit(limit: RouteOptions['limit']): TokenBucket | undefined {
  if (limit === undefined) return undefined;
  const { perSecond, burst = Math.max(1, Math.ceil(perSecond)) } = limit;
  return new TokenBucket({ perSecond, burst });
}

async function createRoute(
  key: string,
  given: RouteOptions,
  basePath: string | undefined,
  doors: RouteDoors,
): Promise<Route> {
  const read = readRouteKey(key, basePath);
  if (typeof read === 'string') throw new RequestError('InvalidConfig', `gateway.routes.${key}: ${read}`);
  const form = callFormOf(given);
  const dedupe = typeof given.dedupe === 'object' ? given.dedupe : undefined;
  const verifier = verifierOf(given, doors);
  const parts = {
    key,
    ...read,
    verifier,
    sign: signerOf(given),
    isAllowedFrom: addressesOf(given),
    authorizer: authorizerOf(given, form, doors),
    secrets: secretsOf(given, verifier),
    cors: corsOf(given.cors),
    limit: readLimit(given.limit),
    bodyBytesMax: given.bodyBytesMax ?? usualBodyBytesMax(given),
    inflatedBytesMax: given.inflatedBytesMax,
    check: given.schema === undefined ? undefined : await checkOf(key, given.schema, doors),
    quarantine: typeof given.onInvalid === 'object' ? given.onInvalid.quarantine : undefined,
    readsContent: readsContent(given),
    idSource: dedupe?.id === undefined ? undefined : readIdExpression(dedupe.id),
  };
  if (given.function !== undefined) return { ...parts, call: { function: given.function, form } };
  const receive = receiveOf(given);
  const destination = chosenDestination(given.to, doors.destinations);
  if (receive !== undefined && destination !== undefined) return { ...parts, receive, destination };
  // Without ids there is nothing to keep a window for. Of a request whose records go to several shards nothing tells
  // whether all of them stand.
  const hasIds =
    receive === undefined
      ? parts.idSource !== undefined || verifier.deliveryId !== undefined
      : receive.keys === undefined;
  return {
    ...parts,
    stream: typeof given.to === 'string' ? given.to : '',
    receive,
    dedupe: hasIds ? readDedupe(given.dedupe) : undefined,
    partitionKey: receive === undefined ? keySourceOf(given.partitionKey) : undefined,
    payload: (given.payload ?? 'raw') as Payload,
    claimCheckBucket: typeof given.largeBody === 'object' ? given.largeBody.claimCheck : undefined,
  };
}

function usualBodyBytesMax(given: RouteOptions): number {
  if (given.receive !== undefined) return limits.receivedBytesMax;
  return given.function === undefined ? limits.bodyBytesMax : limits.functionBodyBytesMax;
}

function receiveOf({ receive, partitionKey }: RouteOptions): Receive | undefined {
  if (receive === undefined) return undefined;
  const path = partitionKey?.path === undefined ? undefined : parseJsonPath(partitionKey.path);
  const keys = path === undefined ? undefined : new JsonPathFinder(path);
  return { keys, attributesMember: receive.firehose.commonAttributes };
}

function verifierOf({ verify, receive }: RouteOptions, { environment, http }: RouteDoors): Verifier {
  if (receive !== undefined) return accessKeys(receive.firehose.accessKeys);
  const chosen = chosenKind(verify);
  return chosen === undefined ? none : chosen.kind.create(chosen.options as never, { environment, http });
}

function signerOf({ verify, receive, dedupe }: RouteOptions): Route['sign'] {
  if (receive !== undefined) return ({ nowMs }) => accessKeyHeader(receive.firehose.accessKeys, nowMs);
  const chosen = chosenKind(verify);
  const idHeader = typeof dedupe === 'object' ? readIdHeader(dedupe.id ?? '') : undefined;
  return (sample) => {
    const signed = chosen === undefined ? {} : chosen.kind.sign(chosen.options as never, sample);
    if (idHeader === undefined || signed === undefined) return signed;
    // What proves the sender stays as it is, where the route takes its ids from the same header.
    return { [idHeader]: sample.deliveryId, ...signed };
  };
}

function addressesOf({ verify }: RouteOptions): ((address: string) => boolean) | undefined {
  if (typeof verify !== 'object' || verify.ip === undefined) return undefined;
  const ranges = (verify.ip as { allow: readonly string[] }).allow.flatMap((block) => parseRange(block) ?? []);
  return (address) => {
    const bytes = parseAddress(address);
    return bytes !== undefined && ranges.some((range) => isInRange(bytes, range));
  };
}

function authorizerOf({ authorizer }: RouteOptions, form: CallForm, doors: RouteDoors): Authorizer | undefined {
  if (authorizer === undefined) return undefined;
  const spec = {
    function: authorizer.function,
    identity: (authorizer.identity ?? []).flatMap((source) => readIdentitySource(source) ?? []),
    cacheMs: (authorizer.cacheSeconds ?? 0) * 1000,
    version: form.name === 'proxy1' ? ('1.0' as const) : ('2.0' as const),
  };
  return new Authorizer(spec, doors.functions, doors.environment);
}

/** What the verifier says, and what the authorizer tells senders by. */
function secretsOf({ authorizer }: RouteOptions, { secretHeaders }: Verifier): SecretNames {
  const sources = (authorizer?.identity ?? []).flatMap((source) => readIdentitySecret(source) ?? []);
  const namesIn = (wanted: string): string[] => sources.filter(({ place }) => place === wanted).map(({ name }) => name);
  return { headers: [...secretHeaders, ...namesIn('header')], parameters: namesIn('querystring') };
}

function corsOf(cors: RouteOptions['cors']): Cors | undefined {
  if (cors === undefined || cors === false) return undefined;
  const given: Exclude<RouteOptions['cors'], boolean | undefined> = cors === true ? { origins: ['*'] } : cors;
  return {
    origins: given.origins,
    methods: given.methods,
    headers: given.headers,
    exposed: given.expose ?? [],
    hasCredentials: given.credentials ?? false,
    maxAgeSeconds: given.maxAgeSeconds,
  };
}

function keySourceOf(partitionKey: RouteOptions['partitionKey']): IdSource | undefined {
  const { header, parameter, path } = partitionKey ?? {};
  if (header !== undefined) return fromHeader(header);
  if (parameter !== undefined) return fromParameter(parameter);
  return path === undefined ? undefined : fromBody(path);
}

function readDedupe(dedupe: RouteOptions['dedupe']): WindowBounds | undefined {
  if (typeof dedupe === 'string') return undefined;
  return {
    windowMs: (dedupe?.windowHours ?? limits.windowHours) * HOUR_MS,
    idsMax: dedupe?.idsMax ?? limits.idsMax,
  };
}

async function checkOf(key: string, file: string, doors: RouteDoors): Promise<JsonCheck> {
  const check = await readSchema(file, { ...doors, files: doors.environment.files });
  if (typeof check !== 'string') return check;
  throw new RequestError('InvalidConfig', `gateway.routes.${key}.schema: ${check}`);
}
