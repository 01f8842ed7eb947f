import { RequestError } from '../../kernel/errors.ts';

/** The closed list of codes the gateway answers, with the status of each. */
export const gatewayErrors = {
  NotFound: 404,
  MethodNotAllowed: 405,
  Unauthorized: 401,
  Forbidden: 403,
  InvalidDeliveryId: 400,
  InvalidBody: 400,
  IncompleteBody: 400,
  RequestTimeout: 408,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  InvalidContent: 422,
  TooManyRequests: 429,
  AuthorizerFailed: 500,
  DestinationFailed: 500,
  FunctionFailed: 502,
  ServiceUnavailable: 503,
  FunctionTimeout: 504,
} as const;

/** One of the codes. */
export type GatewayErrorCode = keyof typeof gatewayErrors;

/** What the sender is told; never says why a proof was refused. */
export const sentences: Readonly<Record<GatewayErrorCode, string>> = {
  NotFound: 'no route',
  MethodNotAllowed: 'use another method',
  Unauthorized: 'what proves the sender is missing or wrong',
  Forbidden: 'the sender may not do that',
  InvalidDeliveryId: 'a delivery id has 1 to 256 characters',
  InvalidBody: 'the body is not what its headers say',
  IncompleteBody: 'the body ended early',
  RequestTimeout: 'the body took too long',
  RequestEntityTooLarge: 'the body is larger than the route takes',
  UnsupportedMediaType:
    'send application/json or application/x-www-form-urlencoded, as it is or encoded by gzip, deflate or br',
  InvalidContent: 'the body does not fit the schema of the route',
  TooManyRequests: 'the route takes no more requests just now',
  AuthorizerFailed: 'the authorizer of the route failed',
  DestinationFailed: 'the destination of the route failed',
  FunctionFailed: 'the function of the route failed',
  ServiceUnavailable: 'nothing was stored; try again',
  FunctionTimeout: 'the function of the route took too long',
};

/** A refusal; its status belongs to the code. */
export function refusal(code: GatewayErrorCode, headers: Readonly<Record<string, string>> = {}): RequestError {
  return new RequestError(code, sentences[code], gatewayErrors[code], headers);
}
