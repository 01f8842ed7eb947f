import type { RequestHead } from './calls/call.ts';
import type { Headers, Verifier } from './kinds/verifier.ts';

/** What proves a sender to anyone who repeats it, whatever the route's way to verify. */
const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie'];
const MASK = '***';

/** Headers without the values of those that are secrets. */
export function maskedHeaders(headers: Headers, { secretHeaders }: Verifier): Headers {
  const secret = new Set([...SECRET_HEADERS, ...secretHeaders]);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secret.has(name) ? MASK : value]));
}

/** All of a request as one JSON text in UTF-8: its body in base64, byte for byte as it was sent. */
export function envelope(
  request: RequestHead,
  verifier: Verifier,
  parts: { readonly body: Uint8Array; readonly receivedAt: number; readonly deliveryId: string | undefined },
  problems?: readonly string[],
): Uint8Array {
  const { id, method, path, query, headers, remoteAddress } = request;
  const { body, receivedAt, deliveryId } = parts;
  return new TextEncoder().encode(
    JSON.stringify({
      requestId: id,
      receivedAt: new Date(receivedAt).toISOString(),
      ...(deliveryId !== undefined && { deliveryId }),
      method,
      path,
      query,
      remoteAddress,
      headers: maskedHeaders(headers, verifier),
      ...(problems !== undefined && { problems }),
      body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
    }),
  );
}
