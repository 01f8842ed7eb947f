const HOUR_MS = 3_600_000;

/** Numbers of the gateway, each with its reason. */
export const limits = {
  /** Above GitHub's own bound of 25 MB; the record size of the stream is the narrower bound. */
  bodyBytesMax: 25 * 1024 * 1024,
  /** Of a form that is read: several times what browsers and senders make, and each one costs time and memory. */
  formFieldsMax: 10_000,
  /** As for any partition key: it becomes one. */
  deliveryIdCharactersMax: 256,
  /** GitHub lets people redeliver for 3 days; 7 leaves room. */
  windowHours: 168,
  windowHoursMax: 720,
  /** About 34 bytes each: 136 MB when full. */
  idsMax: 4_000_000,
  idsMaxMax: 100_000_000,
  secretsMax: 10,
  /** As the libraries of Standard Webhooks, Stripe and Slack have it. */
  toleranceSeconds: 300,
  toleranceSecondsMax: 86_400,
  /** Clocks of token issuers are seldom far off. */
  tokenToleranceSeconds: 60,
  /** How long keys behind a URL are good without a look, and without an answer. */
  keySetFreshMs: 600_000,
  keySetKeptMs: 24 * HOUR_MS,
  /** Between two requests for them. */
  keySetPauseMs: 30_000,
  keySetTimeoutMs: 5000,
  keySetBytesMax: 1024 * 1024,
  /** As API Gateway waits: 29 s for event 1.0, 30 s for others; 10 s for authorizers. */
  proxy1TimeoutMs: 29_000,
  functionTimeoutMs: 30_000,
  authorizerTimeoutMs: 10_000,
  /** As for API Gateway. */
  authorizerCacheSecondsMax: 3600,
  /** Answers of one authorizer that are kept; the oldest fall out first. */
  authorizerCacheMax: 1000,
  identitySourcesMax: 10,
  /** Each source of an identity, in characters. */
  identityCharactersMax: 4096,
  /** What an authorizer may say beside its verdict, as JSON. */
  authorizerContextBytesMax: 64 * 1024,
  /** As many events a function takes at once: 6 MiB, of which base64 and headers take their part. */
  functionBodyBytesMax: 4 * 1024 * 1024,
  /** Memory that an event takes for each byte of a body. */
  eventBytesPerByte: 4,
  /** A schema's file. */
  schemaBytesMax: 1024 * 1024,
  /** Of Firehose's requests, before compression (AWS). */
  receivedBytesMax: 64 * 1024 * 1024,
  receivedRecordsMax: 10_000,
  commonAttributesMax: 50,
  /** What is decoded of them in one turn of the loop, and what a record costs beside its bytes. */
  receivedBytesPerTurn: 256 * 1024,
  bytesPerReceivedRecord: 256,
  /** Records in one write to a destination. */
  receivedRecordsPerWrite: 500,
  /** Of skipped records: sentences that are told and logged. */
  problemsShown: 10,
  /** Requests are kept for three days, as GitHub redelivers. */
  logRetentionHours: 72,
  logBodyBytesMax: 1024 * 1024,
  logBodyBytesMaxMax: 8 * 1024 * 1024,
  logRecordBytes: 10 * 1024 * 1024,
  /** Of refused requests, which anyone can send: the beginning is enough to see what it was. */
  refusedBodyBytesMax: 16 * 1024,
  refusedPerMinute: 60,
  answerCharactersMax: 4096,
  /** What waits to be written; beyond it entries are left out. */
  logPendingBytesMax: 16 * 1024 * 1024,
  logDelayMs: 20,
  /**
   * An entry stands at most so long after its request came: a body takes up to 120 s, room, keys, an authorizer and a
   * function 50 s. Only a destination that takes requests of Firehose may need longer.
   */
  logSlackMs: 180_000,
  logPage: 50,
  logPageMax: 500,
  logWindowRecords: 256,
  /** Read in one turn of the loop. */
  logWindowBytes: 256 * 1024,
  /** Looked through for one page, and for an id. */
  logBytesPerPage: 64 * 1024 * 1024,
  logSearchBytesMax: 2 * 1024 * 1024 * 1024,
  redeliveriesPerCall: 100,
  redeliveriesPerSecondMax: 10_000,
  /** The list of ids of a call. */
  redeliveryBytesMax: 64 * 1024,
  redeliveryTimeoutMs: 10_000,
  /** A request to be tried, with its body in base64, and what is shown of an answer. */
  trialBytesMax: 16 * 1024 * 1024,
  trialAnswerBytesMax: 6 * 1024 * 1024,
  redeliveryTargetsMax: 100,
  /** After that long a call tells what it did, and where to go on. */
  redeliveryCallMs: 20_000,
  redeliveriesPerSecond: 100,
  routesMax: 1000,
  rateMax: 1_000_000,
  /** Webhooks of one stream between append and answer; more are told to come again. */
  pendingMax: 10_000,
  retryAfterSeconds: 1,
  /** Ids in one entry of the checkpoint: about 80 KB, well below a millisecond to read. */
  chunkIds: 2000,
  checkpointIntervalMs: 5000,
  /** This many ids not yet checkpointed start a checkpoint at once. */
  checkpointIds: 2000,
  /** Records that may stand in a shard after the covered position before it is written anew. */
  tailRecordsMax: 100_000n,
  /** A checkpoint is written at least this often, so that the newest one is always within the horizon. */
  heartbeatMs: HOUR_MS,
  /** How much longer than the longest window checkpoints are kept: heartbeat and its delays. */
  horizonSlackMs: 2 * HOUR_MS,
  /** The checkpoint stream keeps at most the longest window there can be; the worker trims it to the one in use. */
  checkpointRetentionMs: 31 * 24 * HOUR_MS,
  checkpointRecordBytes: 1024 * 1024,
  /** One read while the window is rebuilt. */
  readRecords: 1000,
  readBytes: 256 * 1024,
  pullNameCharactersMax: 64,
  /** Of one route; each has a request of its own every few minutes. */
  pullHooksMax: 100,
  /** GitHub keeps deliveries for 3 days, and takes 5,000 requests an hour of one token. */
  pullEverySeconds: 300,
  pullEverySecondsMin: 10,
  pullEverySecondsMax: 86_400,
  pullHistoryMs: 72 * HOUR_MS,
  pullFirstMs: 1000,
  /** As many as GitHub gives at once, and what they may take: about 400 bytes each. */
  pullPageAttempts: 100,
  pullPageBytesMax: 512 * 1024,
  /** Pages of one look: a million attempts. */
  pullPagesMax: 10_000,
  /** Missed deliveries that are known at once, about 300 bytes each; what is newer comes with the next look. */
  pullMissedMax: 10_000,
  /**
   * How far each look goes back behind what is settled: an attempt stands in the list when it is over, up to half a
   * minute after its time.
   */
  pullOverlapMs: 300_000,
  /** Settled attempts of times that are to come, as a clock that is a little slow has them. */
  pullAheadMax: 1000,
  pullHeadersBytesMax: 64 * 1024,
  /** What an attempt takes beside its body: the headers, and the answer it got. */
  pullAnswerBytes: 1024 * 1024,
  pullTimeoutMs: 30_000,
  pullRedirectsMax: 3,
  pullBackoffBaseMs: 5000,
  pullBackoffMaxMs: 900_000,
  /** After a refusal: as GitHub asks for where it names no time. */
  pullPauseMs: 60_000,
  /** GitHub's limit is one of requests an hour. */
  pullLimitMsMax: 3_660_000,
  /** Times that a function gets a delivery that it fails on; the waits are also those of what the log refuses. */
  pullAttempts: 5,
  pullRetryBaseMs: 200,
  pullRetryMaxMs: 30_000,
  /** How often the position is written while deliveries come. */
  pullCheckpointMs: 5000,
  /** Failures in a row after which health says so. */
  pullUnhealthyFailures: 3,
  /** Refusals of one reason on one route are logged at most this often. */
  refusalLogMs: 10_000,
} as const;
