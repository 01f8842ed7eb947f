const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** Numbers of the contract; AWS's unless said otherwise (service model and quotas page of Data Firehose). */
export const firehoseLimits = {
  recordBytesMax: 1_024_000,
  batchRecordsMax: 500,
  batchBytesMax: 4 * MIB,
  deliveryStreamsMax: 5000,
  listDefault: 10,
  listMax: 10_000,
  nameCharactersMax: 64,
  tagsMax: 50,
  /** Calls of StartDeliveryStreamEncryption and StopDeliveryStreamEncryption in 24 hours. */
  encryptionCallsMax: 25,
  dayMs: 24 * HOUR_MS,
  /**
   * Our own: DirectPut records wait in the log until they are delivered, while the disk lasts (AWS keeps them for a
   * day). They are trimmed as they leave. A hundred years.
   */
  directRetentionMs: 876_000 * HOUR_MS,
  /** Our own: how often a worker looks at a stream that is written all the time. */
  scanEveryMs: 100,
  /** Our own: how long a worker sleeps when nothing wakes it. */
  idleMs: 1000,
  /** Our own: records of one batch. Without a bound empty ones would have no end. */
  gatheredRecordsMax: 1_000_000,
  /**
   * Our own: records of one batch for a destination that can refuse some of them. Of each that it does its place is
   * held, and why, as long as the batch is attempted.
   */
  refusableRecordsMax: 50_000,
  /**
   * Our own: memory of all attempts to deliver at one time, over all deliveries: reads, pieces that are encoded,
   * bodies, what is known of refused records. And of all looks at what came.
   */
  attemptBytesMax: 256 * MIB,
  scanBytesMax: 16 * MIB,
  /** Our own: characters of what was said of a batch's records that were given up; as many of one attempt's others. */
  keptMessageCharactersMax: 128 * 1024,
  /** Our own: how often it is looked at how old what waits has become. */
  measureEveryMs: 5000,
  readRecords: 1000,
  readBytes: MIB,
  /** Waits between attempts. */
  backoffBaseMs: 1000,
  backoffMaxMs: 60_000,
  /** Our own: attempts of a delivery that are remembered to be shown. */
  attemptsShown: 20,
  /** Our own: shards of a stream whose lag is shown. */
  shardsShown: 200,
  /** Our own: how long it is told what became of records put directly; of others, as long as their stream keeps. */
  historyMs: 168 * HOUR_MS,
  historyBytesMax: MIB,
  /** Our own: so much of what became of a delivery's batches waits for a log that takes nothing. */
  historyWaitingBytesMax: 64 * 1024,
  /** Our own: so many stretches of failed records of one batch are remembered. */
  historyRangesMax: 1000,
  /** Our own: characters of the places of one batch that are remembered, together. */
  historyPlaceCharactersMax: 128 * 1024,
  /** Our own: so much of what was processed is looked through for what was made of one record. */
  fateBytesMax: 256 * MIB,
  /** Failed attempts of one batch after which health says so. */
  unhealthyAttempts: 3,
  /** How long health remembers that retention was faster than a delivery. */
  lossShownMs: HOUR_MS,
  /** Lambda's bound of an event, in bytes of JSON. */
  eventBytesMax: 6 * MIB,
  /** Lambda's bounds of an event source mapping (CreateEventSourceMapping). */
  functionBatchDefault: 100,
  functionBatchMax: 10_000,
  functionWindowSecondsMax: 300,
  functionRetriesMax: 10_000,
  functionAgeSecondsMin: 60,
  functionAgeSecondsMax: 604_800,
  /** Our own: bytes of all events that functions have at one time, and of the records they are made of. */
  functionBytesMax: 64 * MIB,
  /** Our own: waits for a function that is not there, or has too much to do. */
  functionWaitBaseMs: 50,
  functionWaitMaxMs: 1000,
  /** Our own bounds of a replay: objects with lines, bytes of one once it is unpacked. */
  replayObjectsMax: 1000,
  replayObjectBytesMax: 512 * MIB,
  /** Our own: records that one replay names, and bytes that name them. */
  replayRecordsMax: 1000,
  replayBodyBytesMax: 128 * 1024,
  /** Longest that a batch of a replay waits for the delivery's own. */
  replayWaitMs: 10_000,
  /** Our own: replays of a delivery that are remembered. */
  replaysKept: 20,
  /** Longest that whoever asks after a replay waits for its end. */
  replayAskMs: 2000,
  /** Longest that what is under way may take to end before a pause. */
  pauseMs: 5000,
  /** AWS's defaults of a transforming function (Developer guide; service model of the parameters). */
  transformSizeMib: 1,
  transformIntervalSeconds: 60,
  transformRetries: 3,
  transformTimeoutMs: 300_000,
  /** Calls of one shard at once (Developer guide). */
  transformCallsMax: 5,
  /** Our own: a transformed record with what is kept of the record it was made of. */
  processedBytesMax: 6 * MIB + 8192,
  processedBesideBytesMax: 8192,
  /** Longest that `flush` is waited for. */
  flushMs: 60_000,
} as const;
