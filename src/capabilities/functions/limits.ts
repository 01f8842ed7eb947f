const KIB = 1024;
const MIB = 1024 * KIB;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Numbers of the contract; AWS's unless said otherwise (Lambda quotas and asynchronous invocation). */
export const functionsLimits = {
  nameCharactersMax: 64,
  /** Our own. */
  functionsMax: 1000,
  /** Event of a call that waits for its answer. */
  eventBytesMax: 6 * MIB,
  /** Event of a call that does not. */
  asyncEventBytesMax: MIB,
  /** Our own: bytes of an event that are looked at in one turn. */
  checkBytes: 64 * KIB,
  timeoutSeconds: 3,
  timeoutSecondsMax: 900,
  memoryMb: 128,
  memoryMbMin: 64,
  memoryMbMax: 10_240,
  /** Our own: AWS starts as many as there are events. */
  concurrency: 10,
  concurrencyMax: 1000,
  /** Our own; Lambda keeps an idle process for some minutes. */
  idleSeconds: 300,
  idleSecondsMax: 86_400,
  logTailBytes: 4 * KIB,
  environmentBytesMax: 64 * KIB,
  retries: 2,
  retryAfterSeconds: [60, 120],
  eventAgeSeconds: 21_600,
  eventAgeSecondsMin: 60,
  /**
   * Our own: events stay in the log until they are done, also while the node is down or a function slow; they are
   * trimmed as they leave. What ends one is its own age. A hundred years.
   */
  invocationsRetentionMs: 876_000 * HOUR_MS,
  /** First tries, second and third ones have a shard each, so that none waits behind another's delay. */
  tries: 3,
  /** Our own: events of one function, in one shard, that are under way at once. */
  eventsAtOnce: 64,
  eventsAtOnceBytes: 16 * MIB,
  /** Our own: the same of all functions in one shard, and events that wait behind others of their function. */
  laneEventsMax: 1024,
  laneBytesMax: 64 * MIB,
  laneParkedMax: 100_000,
  readRecords: 64,
  readBytes: MIB,
  /** Our own: how often positions are written while events are run. */
  positionEveryMs: 200,
  /** Our own: open events of a shard that a planned stop names; what was done behind more is run again. */
  openNamedMax: 1000,
  /** Our own: how often an event looks for its function that is not in the file. */
  absentMs: 30_000,
  idleMs: 1000,
  backoffBaseMs: 500,
  backoffMaxMs: 30_000,
  logRetentionMs: 7 * DAY_MS,
  /** Our own: lines of one run that are kept, and what may wait to be kept. */
  logEntryBytesMax: 512 * KIB,
  logPendingBytesMax: 8 * MIB,
  /** Our own: entries are gathered for so long, or until there are so many, and written at once. */
  logGatherMs: 100,
  logGatherRecords: 500,
  logGatherBytes: MIB,
  logPage: 100,
  logPageMax: 1000,
  logPageBytesMax: MIB,
  /** Our own: failures that the admin route shows. */
  failuresShown: 10,
  messageCharactersMax: 300,
} as const;
