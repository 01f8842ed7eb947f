import { RequestError } from '../kernel/errors.ts';
import type { HeaderLine, HttpRequest } from '../ports/http.ts';

/** The parts of a request that a test says; the rest is as a plain POST would have it. */
export interface FakeRequest {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Spelt as the sender did; absent: as `headers` has them. */
  readonly headerList?: readonly HeaderLine[];
  readonly remoteAddress?: string;
  readonly id?: string;
  readonly signal?: AbortSignal;
}

/** A request without a network: its body is all there, and longer than asked for is refused as on the wire. */
export function fakeRequest(parts: FakeRequest): HttpRequest {
  const body = typeof parts.body === 'string' ? new TextEncoder().encode(parts.body) : (parts.body ?? new Uint8Array());
  const headers = parts.headers ?? {};
  return {
    id: parts.id ?? '00000000-0000-4000-8000-000000000000',
    method: parts.method ?? 'POST',
    path: parts.path ?? '/',
    query: parts.query ?? '',
    headers,
    headerList: () => parts.headerList ?? Object.entries(headers),
    remoteAddress: parts.remoteAddress ?? '127.0.0.1',
    signal: parts.signal ?? new AbortController().signal,
    async readBody(maxBytes, seen) {
      await Promise.resolve();
      if (body.length > maxBytes) throw new RequestError('RequestEntityTooLarge', 'the body is too large', 413);
      seen?.(body);
      return body;
    },
    recycleBody: () => undefined,
    hold: async () => undefined,
  };
}
