import type { OutgoingRules } from '../kernel/net/outgoing-rules.ts';

/** One request of ours to somebody else's server. */
export interface ClientRequest {
  /** Absolute, http or https; `${api}` and `${gateway}` in it are the node's own. */
  readonly url: string;
  readonly method: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Whole, or as it is made: then `content-length` tells how much, or it goes in chunks. A piece is looked at only
   * until the next one is asked for; an answer that refuses the request ends the iteration, and what it throws the
   * request.
   */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** From the call to the end of the answer's head; of a body that is read whole, to its end. 0: no bound. */
  readonly timeoutMs: number;
  /** Ends the request, or the reading of its answer. */
  readonly signal?: AbortSignal;
  /**
   * The configuration itself stands behind this address (the node's own listeners, `s3`, `engine`, a MongoDB URI): it
   * is not looked up in `outgoing`. Never set for what an API call or a record names.
   */
  readonly isTrusted?: boolean;
}

/** The answer of somebody else's server, of whatever status: redirects are not followed. */
export interface ClientAnswer {
  readonly status: number;
  /** Lower-case names; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it comes, not decompressed; one of the two, once. Leaving the iteration closes the connection. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** The whole body; EnvironmentError EMSGSIZE at the first byte above `maxBytes`. */
  readBody(maxBytes: number): Promise<Uint8Array>;
}

/**
 * The only way to other servers over HTTP. Each address is checked after its name was resolved, and the connection goes
 * to the address that was checked; connections are kept and used again. Rejects with what the body throws, and with
 * EnvironmentErrors: ENOTALLOWED (`outgoing` does not let it), ENOTFOUND, ECONNREFUSED (there was no connection, also
 * within 10 s), ETLS, ECONNRESET, ETIMEDOUT, EMSGSIZE (also of the answer's head), EOTHER (also when the signal ended
 * it).
 */
export interface HttpClient {
  send(request: ClientRequest): Promise<ClientAnswer>;
  /** Why a URL can never be asked for as the configuration stands, in a sentence; names are not resolved. */
  problem(url: string): string | undefined;
}

/** What is known of URLs before anything is asked. */
export type UrlRules = Pick<HttpClient, 'problem'>;

/** The same as those have it who run a node. */
export interface GovernedHttpClient extends HttpClient {
  /** From now on these rules hold: no connection made under others is used for another request. */
  use(rules: OutgoingRules): void;
  /** Ends what is under way. */
  close(): void;
}
