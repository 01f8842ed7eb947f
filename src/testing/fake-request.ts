import { createByteBudget, type ByteBudget } from '../kernel/flow/byte-budget.ts';
import { RequestError, ThrottleError } from '../kernel/errors.ts';
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
  /** What it may hold; absent: one of its own, of the smallest node. */
  readonly budget?: ByteBudget;
}

/** The smallest budget of bytes in flight that a config file may say, and what a body takes of it for each byte. */
const BUDGET_BYTES = 64 * 1024 * 1024;
const HELD_PER_BYTE = 2;

/**
 * A request without a network: its body is all there, and longer than asked for is refused as on the wire. What it
 * holds counts; it waits for nobody: without room it is refused at once.
 */
export function fakeRequest(parts: FakeRequest): HttpRequest {
  const body = typeof parts.body === 'string' ? new TextEncoder().encode(parts.body) : (parts.body ?? new Uint8Array());
  const headers = parts.headers ?? {};
  const budget = parts.budget ?? createByteBudget(BUDGET_BYTES);
  const hold = (bytes: number): void => {
    if (!budget.tryTake(bytes)) throw new ThrottleError('ServiceUnavailable', 'too many bytes are in flight');
  };
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
      hold(body.length * HELD_PER_BYTE);
      seen?.(body);
      return body;
    },
    recycleBody: () => undefined,
    hold: async (bytes) => hold(bytes),
    giveBack: (bytes) => budget.giveBack(bytes),
  };
}
