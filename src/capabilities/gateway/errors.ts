/** The closed list of codes the gateway answers, with the status of each. */
export const gatewayErrors = {
  NotFound: 404,
  MethodNotAllowed: 405,
  Unauthorized: 401,
  InvalidDeliveryId: 400,
  IncompleteBody: 400,
  RequestTimeout: 408,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  ServiceUnavailable: 503,
} as const;

/** One of the codes. */
export type GatewayErrorCode = keyof typeof gatewayErrors;

/** What the sender is told; never says why a signature was refused. */
export const sentences: Readonly<Record<GatewayErrorCode, string>> = {
  NotFound: 'no route',
  MethodNotAllowed: 'use another method',
  Unauthorized: 'the signature is missing or wrong',
  InvalidDeliveryId: 'a delivery id has 1 to 256 characters',
  IncompleteBody: 'the body ended early',
  RequestTimeout: 'the body took too long',
  RequestEntityTooLarge: 'the body is larger than the route takes',
  UnsupportedMediaType: 'send application/json or application/x-www-form-urlencoded without a content encoding',
  ServiceUnavailable: 'nothing was stored; try again',
};
