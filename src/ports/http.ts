/** Name and value of one header. */
export type HeaderLine = readonly [name: string, value: string];

/** One HTTP request as the rooms behind `wire/http` see it. */
export interface HttpRequest {
  /** A UUID made for this request; answered as `x-amzn-requestid`. */
  readonly id: string;
  readonly method: string;
  /** Path as sent, without query; always starts with `/`. */
  readonly path: string;
  /** Text after `?`, without it; empty when absent. */
  readonly query: string;
  /** Lower-case names; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** All headers one by one, in their order and in the sender's spelling; over HTTP/2 names are lower case. */
  headerList(): readonly HeaderLine[];
  readonly remoteAddress: string;
  /** Aborts when the client goes away before the answer was sent, and when a streamed answer is to end. */
  readonly signal: AbortSignal;
  /**
   * The whole body. Rejects with RequestError 413 `RequestEntityTooLarge` (before reading when Content-Length tells,
   * else at the first byte too many), 408 `RequestTimeout` when the client is too slow, 400 `IncompleteBody` when cut,
   * and with ThrottleError `ServiceUnavailable` when too many bytes are in flight already. `seen` is shown each piece
   * as it comes, so that what is computed of the body is ready with it; a piece stays as it is until the next one.
   */
  readBody(maxBytes: number, seen?: (piece: Uint8Array) => void): Promise<Uint8Array>;
  /** Says that nobody looks at the body's bytes any more: their memory is used again at once. */
  recycleBody(): void;
  /**
   * Takes bytes of what all requests may hold in memory together, for what the handler is about to read: until its
   * answer stands, whose own bytes then count until it was sent. Waits while others hold too much; rejects with
   * ThrottleError `ServiceUnavailable` after 5 s, or after one or two where it holds much already and others wait.
   */
  hold(bytes: number): Promise<void>;
  /** Of what it took, so much is not read after all, or looked at no more. */
  giveBack(bytes: number): void;
}

/** A body that is all there; pieces are sent one after the other, so that a long answer needs no second copy. */
export type WholeBody = string | Uint8Array | readonly Uint8Array[];

/**
 * A body that is made while it is sent, without a length told before. Each piece is sent at once, and the next one
 * asked for when the connection took the last. When the client goes away, or the listener drains, the request's signal
 * aborts and the iteration is returned from; its end ends the answer, and what it throws cuts the connection (or resets
 * the stream), so that nobody takes a part for the whole. A connection without a piece for 60 s is cut.
 */
export interface HttpStream {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Aborts when the connection is to be cut (or the stream reset) at once, with what it has not taken yet. */
  readonly cut?: AbortSignal | undefined;
}

/** What an answer holds. */
export type HttpBody = WholeBody | HttpStream;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: HttpBody;
  /** Each becomes a `Set-Cookie` of its own: cookies alone cannot be joined to one header. */
  readonly cookies?: readonly string[] | undefined;
  /**
   * Called once when nobody looks at the body any more, so that its memory can be used again; never where that is not
   * sure, as when the client went away in the middle.
   */
  readonly sent?: (() => void) | undefined;
}

/** Bad input rejects with RequestError or ThrottleError only; other errors are bugs and answer 500. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer>;
