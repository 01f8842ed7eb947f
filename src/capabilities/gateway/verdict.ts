/** What came of one request: what a log of requests keeps beside the request itself. */
export interface Verdict {
  /** The key of its route; undefined when it met none. */
  readonly route: string | undefined;
  /**
   * `accepted`, `duplicate` and `quarantined`: it is a record. `answered`: a function answered. `challenged`: its
   * sender tested the address. `refused`: nothing was kept of it.
   */
  readonly outcome: 'accepted' | 'duplicate' | 'quarantined' | 'answered' | 'challenged' | 'refused';
  /** Of the answer. */
  readonly status: number;
  /** Of a refusal: its code, and what is not told to the sender, such as `stale`; both empty without one. */
  readonly code: string;
  readonly reason: string;
  /** What was wrong with records that were left out of a request that holds many. */
  readonly problems?: readonly string[] | undefined;
  readonly deliveryId: string | undefined;
  /** Where the record stands. */
  readonly shardId: string | undefined;
  readonly sequenceNumber: string | undefined;
  /** How many records a request that holds many became, where they are several: the last one stands there. */
  readonly records?: number | undefined;
  /** Of the body as sent; 0 when it was not read. */
  readonly bytes: number;
  /** From the request's head to its answer. */
  readonly latencyMs: number;
}

/** What is found out about a request on its way; it becomes its verdict. */
export interface Trace {
  route: string | undefined;
  reason: string;
  body: Uint8Array | undefined;
  readonly startedAt: number;
}

/** Of a request that was refused. */
export function refusedVerdict(
  { status, code }: { readonly status: number; readonly code: string },
  { reason, body }: Pick<Trace, 'reason' | 'body'>,
  latencyMs: number,
): Omit<Verdict, 'route'> {
  return {
    outcome: 'refused',
    status,
    code,
    reason,
    deliveryId: undefined,
    shardId: undefined,
    sequenceNumber: undefined,
    bytes: body?.length ?? 0,
    latencyMs,
  };
}
