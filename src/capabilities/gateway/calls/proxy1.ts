import { createHash } from 'node:crypto';
import { isMapping } from '../../../kernel/json.ts';
import { limits } from '../limits.ts';
import { apiGatewayMessage, apiGatewayRefusals } from './api-gateway-message.ts';
import type { CallForm, IncomingRequest } from './call.ts';
import { functionAnswer, type GivenHeader } from './function-answer.ts';
import {
  API_ID,
  domainOf,
  eventBody,
  grouped,
  headerLinesOf,
  orNothing,
  queryOf,
  requestTime,
  STAGE,
} from './request-facts.ts';

/**
 * Event 1.0 of API Gateway, that of REST APIs: header names in the sender's spelling, as these have them, where HTTP
 * APIs write them in lower case. Its answers and its faults are those of REST APIs, too.
 */
export const proxy1: CallForm = {
  name: 'proxy1',
  timeoutMs: limits.proxy1TimeoutMs,
  readsContent: false,
  event(call) {
    const { body, isBase64Encoded } = eventBody(call.body, true);
    return { ...proxy1Facts(call), body: call.body.length === 0 ? null : body, isBase64Encoded };
  },
  answer(returned) {
    const lines = mergedHeaders(returned.member('headers') ?? {}, returned.member('multiValueHeaders') ?? {});
    if (lines === undefined) return undefined;
    return functionAnswer({
      statusCode: returned.member('statusCode'),
      headers: lines,
      cookies: [],
      body: returned.member('body'),
      isBase64: returned.member('isBase64Encoded'),
      contentType: 'application/json',
    });
  },
  failed: apiGatewayMessage(502, 'Internal server error'),
  timedOut: apiGatewayMessage(504, 'Endpoint request timed out'),
  refusals: apiGatewayRefusals,
};

/** The event without its body, which is that of authorizers, too. */
export function proxy1Facts(call: IncomingRequest): Readonly<Record<string, unknown>> {
  const { request, resource, parameters } = call;
  const headers = grouped(headerLinesOf(call), (name) => name.toLowerCase());
  const query = queryOf(request);
  return {
    version: '1.0',
    resource,
    path: request.path,
    httpMethod: request.method,
    headers: lastValues(headers),
    multiValueHeaders: Object.fromEntries(headers),
    queryStringParameters: query.size === 0 ? null : lastValues(query),
    multiValueQueryStringParameters: orNothing(query) ?? null,
    requestContext: contextOf(call),
    pathParameters: Object.keys(parameters).length === 0 ? null : parameters,
    stageVariables: null,
  };
}

function contextOf(call: IncomingRequest): object {
  const { request, resource, identity, receivedAt } = call;
  return {
    accountId: identity.account,
    apiId: API_ID,
    ...authorizerOf(call),
    deploymentId: API_ID,
    ...domainOf(request),
    extendedRequestId: request.id,
    httpMethod: request.method,
    identity: {
      accessKey: null,
      accountId: null,
      apiKey: null,
      apiKeyId: null,
      caller: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: request.remoteAddress,
      user: null,
      userAgent: request.headers['user-agent'] ?? null,
      userArn: null,
      clientCert: null,
    },
    path: request.path,
    protocol: 'HTTP/1.1',
    requestId: request.id,
    requestTime: requestTime(receivedAt),
    requestTimeEpoch: receivedAt,
    resourceId: resourceId(resource),
    resourcePath: resource,
    stage: STAGE,
  };
}

/** REST APIs give each path an id of such a form; here the same path has the same one for ever. */
function resourceId(resource: string): string {
  return createHash('md5').update(resource).digest('hex').slice(0, 6);
}

function authorizerOf({ authorized, claims }: IncomingRequest): object {
  if (authorized !== undefined) {
    const { principalId, context } = authorized;
    return { authorizer: { ...context, ...(principalId !== undefined && { principalId }) } };
  }
  return claims === undefined ? {} : { authorizer: { claims, scopes: null } };
}

function lastValues(values: ReadonlyMap<string, readonly string[]>): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from(values, ([name, all]) => [name, all.at(-1) ?? '']));
}

/** Both together; of one name the values of the lists, where the single one is among them. */
function mergedHeaders(single: unknown, multiple: unknown): GivenHeader[] | undefined {
  if (!isMapping(single) || !isMapping(multiple)) return undefined;
  const lists = Object.entries(multiple);
  if (!lists.every(([, values]) => Array.isArray(values))) return undefined;
  const listed = lists.flatMap(([name, values]) => (values as unknown[]).map((value): GivenHeader => [name, value]));
  const known = new Map<string, Set<unknown>>();
  for (const [name, value] of listed) {
    const values = known.get(name.toLowerCase()) ?? new Set();
    known.set(name.toLowerCase(), values.add(value));
  }
  const others = Object.entries(single).filter(([name, value]) => known.get(name.toLowerCase())?.has(value) !== true);
  return [...others, ...listed];
}
