/** Numbers of the SSE source, each with its reason. */
export const sseLimits = {
  /** What a stream takes by default (Kinesis' classic record), with room for a key and our headers. */
  eventBytesMax: 1024 * 1024,
  eventBytesMaxMax: 10 * 1024 * 1024,
  /** Servers refuse longer header lines: an id that cannot be sent back is none. */
  idBytesMax: 4096,
  /** Silence after which the connection counts as dead: servers send comments every 15 to 30 seconds. */
  readTimeoutMs: 300_000,
  /** To the head of the answer. */
  connectTimeoutMs: 30_000,
  redirectsMax: 10,
  /** Of answers that are no event stream. */
  discardedBytesMax: 16 * 1024,
  /** Delay before connecting again where the server names none. */
  retryMs: 1000,
  /** Chance takes off up to a half: a tenth of a second is always left between two connections. */
  retryMinMs: 200,
  backoffMaxMs: 60_000,
  /** A connection on which something, be it a comment, comes this long after its beginning works. */
  settledMs: 10_000,
  /** Of `Retry-After`, which may ask for longer waits than our own. */
  waitMaxMs: 3_600_000,
  propertiesBytesMax: 1024 * 1024,
  millisecondsMax: 86_400_000,
} as const;
