const MIB = 1024 * 1024;

/** Bounds of one listener; each keeps a single sender, or many slow ones, from taking what others need. */
export const httpLimits = {
  /** From the first byte of a request to the end of its headers. */
  headersMs: 10_000,
  headerBytesMax: 32 * 1024,
  headersMax: 200,
  /** A longer head is not a usual one. */
  usualHeadBytesMax: 16 * 1024,
  /** Longest pause inside a body, and longest body. */
  bodyIdleMs: 10_000,
  bodyMs: 120_000,
  /**
   * Where others wait for memory, a body of more than `slowBodyBytes` must bring so much of what it is from one look to
   * the next: even those that hold all of it, and hardly come, keep the others waiting for no longer than two looks.
   */
  bodyLookMs: 1000,
  slowBodyShare: 1 / 16,
  slowBodyBytes: 8 * 1024,
  /** Who holds so much, and waits for more, makes way where nothing moves from one look to the next. */
  muchHeldBytes: MIB,
  /** How long a body waits for room in the budget of bytes in flight before the answer is 503. */
  budgetWaitMs: 5000,
  /** A connection without any traffic is closed, unless its request came whole and waits for an answer. */
  socketIdleMs: 60_000,
  keepAliveMs: 60_000,
  connectionsMax: 10_000,
  requestsMax: 10_000,
  /** Bodies and answers in memory at once, over all connections of a node. */
  inFlightBytesMax: 256 * MIB,
  /** A body is held as it came, and as it waits for the disk: so much counts for each of its bytes. */
  bytesHeldPerByte: 2,
  /** Size of the pieces that bodies are read into: most that do not come in one chunk fit into one. */
  pooledBodyBytes: MIB,
  pooledBodies: 16,
  /** What is left of a refused body is read to its end when the body is no longer, and the connection kept. */
  restBytesMax: 256 * 1024,
  /** What is left of a refused body is read and dropped for this long, so that the sender sees the answer. */
  lingerMs: 2000,
  /** Requests at once over one HTTP/2 connection, as AWS allows. */
  h2StreamsMax: 128,
  /** The window of a request's body; that of a connection once a large body comes over it. */
  h2WindowBytes: MIB,
  /** The window of a connection before that (RFC 9113, 6.9.2). */
  h2FirstWindowBytes: 64 * 1024 - 1,
  /**
   * What the platform may hold for one HTTP/2 connection before it takes no more requests over it. Bodies and answers
   * are bounded by the budget before that: large answers to some requests must not refuse the others.
   */
  h2SessionBytesMax: 512 * MIB,
  h2SettingsMax: 32,
  /** How often an HTTP/2 connection without a request is looked at: whether the platform gave it up. */
  h2LookMs: 2500,
  /** So much of an answer over HTTP/2 is on its way at once, and must be taken within `socketIdleMs`. */
  h2SliceBytes: 256 * 1024,
  /**
   * Pings, settings and requests taken back that one connection is forgiven at once, and each second. Below what the
   * platform forgives of the last, 1,000 and 33 in whole seconds: behind its bound it takes no more requests, and
   * leaves the connection open.
   */
  h2NuisancesMax: 600,
  h2NuisancesPerSecond: 25,
  /** How often slow headers, and answers over HTTP/2 that nobody takes, are looked for. */
  slowLookMs: 1000,
} as const;
