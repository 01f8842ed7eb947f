import { isMapping } from '../../../kernel/json.ts';
import { mediaType } from '../content.ts';
import { limits } from '../limits.ts';
import { apiGatewayMessage, apiGatewayRefusals } from './api-gateway-message.ts';
import type { CallForm, IncomingRequest } from './call.ts';
import { functionAnswer } from './function-answer.ts';
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
import type { Returned } from './returned.ts';

const TEXT = /^(?:text\/.*|application\/(?:[\w.+-]+\+)?(?:json|xml)|application\/javascript)$/;

/** Event 2.0 of API Gateway, that of HTTP APIs: header names in lower case, cookies apart, absent things left out. */
export const proxy2: CallForm = {
  name: 'proxy2',
  timeoutMs: limits.functionTimeoutMs,
  readsContent: false,
  event(call) {
    const { headers } = call.request;
    const isText = TEXT.test(mediaType(headers)) && headers['content-encoding'] === undefined;
    const { body, isBase64Encoded } = eventBody(call.body, isText);
    const isEmpty = call.body.length === 0;
    return { ...proxy2Facts(call), ...(!isEmpty && { body }), isBase64Encoded: !isEmpty && isBase64Encoded };
  },
  answer(returned) {
    const statusCode = returned.member('statusCode');
    if (statusCode === undefined) return inferred(returned);
    const headers = returned.member('headers') ?? {};
    const cookies = returned.member('cookies') ?? [];
    if (!isMapping(headers) || !Array.isArray(cookies)) return undefined;
    return functionAnswer({
      statusCode,
      headers: Object.entries(headers),
      cookies,
      body: returned.member('body'),
      isBase64: returned.member('isBase64Encoded'),
      contentType: 'text/plain;charset=UTF-8',
    });
  },
  failed: apiGatewayMessage(500, 'Internal Server Error'),
  timedOut: apiGatewayMessage(504, 'Gateway Timeout'),
  refusals: apiGatewayRefusals,
};

/** The event without its body, which is that of authorizers, too. */
export function proxy2Facts(call: IncomingRequest): Readonly<Record<string, unknown>> {
  const { request, routeKey, parameters } = call;
  const headers = grouped(
    headerLinesOf(call).map(([name, value]) => [name.toLowerCase(), value] as const),
    (name) => name,
  );
  const cookies = (headers.get('cookie') ?? []).flatMap((value) => value.split(/; */)).filter((one) => one !== '');
  headers.delete('cookie');
  const query = orNothing(joined(queryOf(request)));
  return {
    version: '2.0',
    routeKey,
    rawPath: request.path,
    rawQueryString: request.query,
    ...(cookies.length > 0 && { cookies }),
    headers: Object.fromEntries(joined(headers)),
    ...(query !== undefined && { queryStringParameters: query }),
    requestContext: contextOf(call),
    ...(Object.keys(parameters).length > 0 && { pathParameters: parameters }),
  };
}

function contextOf(call: IncomingRequest): object {
  const { request, routeKey, identity, receivedAt, authorized, claims } = call;
  return {
    accountId: identity.account,
    apiId: API_ID,
    ...(authorized !== undefined && { authorizer: { lambda: authorized.context } }),
    ...(authorized === undefined && claims !== undefined && { authorizer: { jwt: { claims, scopes: null } } }),
    ...domainOf(request),
    http: {
      method: request.method,
      path: request.path,
      protocol: 'HTTP/1.1',
      sourceIp: request.remoteAddress,
      userAgent: request.headers['user-agent'] ?? '',
    },
    requestId: request.id,
    routeKey,
    stage: STAGE,
    time: requestTime(receivedAt),
    timeEpoch: receivedAt,
  };
}

/** What is no answer of its own is the body of one. */
function inferred({ text, payload }: Returned): CallForm['failed'] {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: text ?? payload };
}

function joined(values: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  return new Map(Array.from(values, ([name, all]) => [name, all.join(',')]));
}
