import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import type { RequestHead } from './calls/call.ts';
import type { Headers } from './kinds/verifier.ts';

/** What proves a sender to anyone who repeats it, whatever the route's way to verify. */
const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie'];
/** Stands in place of what is not shown. */
export const MASK = '***';

/** What of a route's requests proves their sender: names of headers, lower case, and of query parameters, decoded. */
export interface SecretNames {
  readonly headers: readonly string[];
  readonly parameters: readonly string[];
}

/** Headers without the values of those that are secrets. */
export function maskedHeaders(headers: Headers, names: readonly string[]): Headers {
  const secret = new Set([...SECRET_HEADERS, ...names]);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secret.has(name) ? MASK : value]));
}

/** A query without the values of the parameters that are secrets; the rest stays as it was written. */
export function maskedQuery(query: string, names: readonly string[]): string {
  if (names.length === 0) return query;
  const isSecret = (piece: string): boolean => {
    const [name] = new URLSearchParams(piece).keys();
    return name !== undefined && names.includes(name);
  };
  const masked = query.split('&').map((piece) => (isSecret(piece) ? `${piece.split('=', 1)[0] ?? ''}=${MASK}` : piece));
  return masked.join('&');
}

/** What stands in an envelope in place of a body that it has no room for. */
export interface OmittedBody {
  /** As it was sent, in hex. */
  readonly bodySha256: string;
  readonly bodyBytes: number;
}

/**
 * All of a request as one JSON text in UTF-8: its body in base64, byte for byte as it was sent, unless `omitted` stands
 * in its place.
 */
export function envelope(
  request: RequestHead,
  secrets: SecretNames,
  parts: { readonly body: Uint8Array; readonly receivedAt: number; readonly deliveryId: string | undefined },
  problems?: readonly string[],
  omitted?: OmittedBody,
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
      query: maskedQuery(query, secrets.parameters),
      remoteAddress,
      headers: maskedHeaders(headers, secrets.headers),
      ...(problems !== undefined && { problems }),
      ...(omitted ?? { body: asBuffer(body).toString('base64') }),
    }),
  );
}
