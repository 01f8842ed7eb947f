/**
 * How an HTTP request reaches a function of `runtime: realm`, and how its answer comes back: an event with this one
 * member is a webhook's, and the function is called with `(payload, response)`; any other event is its only argument.
 */
export interface RealmWebhookEvent {
  readonly realmWebhook: RealmRequest;
}

/** The request. */
export interface RealmRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** As it came, without the question mark; empty when there is none. */
  readonly query: string;
  /** Names and values in their order, names in the sender's case. */
  readonly headers: readonly (readonly [string, string])[];
  /** Empty when there is none. */
  readonly bodyBase64: string;
  /** Where the request came from. */
  readonly remoteAddress?: string;
}

/** The answer: what the function did to `response`, or else what it returned. */
export interface RealmAnswer {
  readonly statusCode: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly bodyBase64: string;
}
