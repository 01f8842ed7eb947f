import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import { matchPath } from '../../kernel/match-path.ts';
import type { Audit } from '../../ports/audit.ts';
import type { Identity } from '../../ports/capability.ts';
import type { HttpAnswer, HttpHandler, HttpRequest } from '../../ports/http.ts';
import type { RestOperation } from '../../ports/rest-operation.ts';
import { Unavailable } from '../../ports/stream-store.ts';
import { authorized } from '../sigv4/authorized.ts';
import type { Gate } from '../sigv4/gate.ts';
import { checkSignatureShape } from '../sigv4/signature-shape.ts';

/** An operation and what its capability's start returned. */
export interface ServedRestOperation {
  readonly operation: RestOperation<unknown>;
  readonly state: unknown;
  /** The word before `:` in permissions, and in the scope of signatures. */
  readonly service: string;
}

/** What the protocol serves. */
export interface AwsRestOptions {
  readonly operations: readonly ServedRestOperation[];
  readonly gate: Gate;
  readonly identity: Identity;
  readonly audit: Audit;
}

/**
 * AWS's REST protocol with JSON: actions have paths, and members stand in headers too. What serves a path; undefined
 * when no action, by whatever method, has it. The handler rejects only for bugs and when the disk fails.
 */
export type AwsRest = (path: string) => HttpHandler | undefined;

interface Match {
  readonly served: ServedRestOperation;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Who they are is not known: AWS's REST services answer 403 where the others answer 400. */
const REFUSED = new Set([
  'AccessDeniedException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'UnrecognizedClientException',
]);

/** Serves these operations. */
export function createAwsRest(options: AwsRestOptions): AwsRest {
  return (path) => {
    const matches = options.operations.flatMap((served) => {
      const parameters = matchPath(served.operation.path, path);
      return parameters === undefined ? [] : [{ served, parameters }];
    });
    if (matches.length === 0) return undefined;
    return async (request) => {
      try {
        return await serve(request, matches, options);
      } catch (error) {
        return refusal(error);
      }
    };
  };
}

async function serve(request: HttpRequest, matches: readonly Match[], options: AwsRestOptions): Promise<HttpAnswer> {
  const { gate, identity, audit } = options;
  const match = matches.find(({ served }) => served.operation.method === request.method);
  if (match === undefined) {
    const allow = matches.map(({ served }) => served.operation.method).join(', ');
    throw new RequestError('MethodNotAllowedException', `use ${allow}`, 405, { allow });
  }
  const { operation, state, service } = match.served;
  const presented = gate.begin(request, service);
  const body = await request.readBody(operation.bodyBytesMax, presented?.see);
  const caller = gate.finish(presented);
  if (caller === undefined) checkSignatureShape(request);
  const { parameters } = match;
  const { id: requestId, headers, signal } = request;
  const handle = async (): Promise<HttpAnswer> => {
    const query = new URLSearchParams(request.query);
    return await operation.handle({ requestId, parameters, query, headers, body, signal, state });
  };
  if (caller === undefined) return await handle();
  const action = `${service}:${operation.name}`;
  return await authorized(
    { caller, action, operation, request, audit },
    operation.resources(parameters, identity),
    handle,
  );
}

/** AWS's error of whatever a call was ended by. */
function refusal(error: unknown): HttpAnswer {
  const { code, message, status, headers } = asRequestError(error);
  const type = status >= 500 ? 'Service' : 'User';
  return {
    status: REFUSED.has(code) ? 403 : status,
    headers: { ...headers, 'content-type': 'application/json', 'x-amzn-errortype': code },
    // Lambda spells it both ways, by exception; clients read either.
    body: JSON.stringify({ Type: type, Message: message, message }),
  };
}

function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) {
    if (error.code !== 'RequestEntityTooLarge') return error;
    return new RequestError('RequestEntityTooLargeException', error.message, 413, error.headers);
  }
  const retry = { 'retry-after': '1' };
  if (error instanceof ThrottleError) {
    if (error.code === 'ServiceUnavailable') return new RequestError('ServiceException', error.message, 503, retry);
    return new RequestError(error.code, error.message, 429, retry);
  }
  if (error instanceof Unavailable) return new RequestError('ServiceException', 'Try again later.', 503, retry);
  throw error;
}
