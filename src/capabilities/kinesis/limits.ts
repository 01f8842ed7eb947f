const HOUR_MS = 3_600_000;
const KIB = 1024;
const MIB = KIB * KIB;

/** Numbers of the contract; AWS's unless said otherwise (service model and quotas page of Kinesis Data Streams). */
export const kinesisLimits = {
  /** Shards an on-demand stream opens with. */
  onDemandShards: 4,
  /** Our own, in place of an account's quotas: open shards of all provisioned streams, and on-demand streams. */
  provisionedShardsMax: 20_000,
  onDemandStreamsMax: 5000,
  /** Shards of one provisioned stream: our own bound, in place of an account's quota. */
  shardsPerStreamMax: 500,
  recordBytesDefault: MIB,
  recordKibMin: KIB,
  recordKibMax: 10 * KIB,
  recordBytesMax: 10 * MIB,
  /** Data and partition keys of one PutRecords. */
  putRecordsBytesMax: 10 * MIB,
  putRecordsCountMax: 500,
  /** Data and partition keys of one GetRecords. */
  getRecordsBytesMax: 10 * MIB,
  getRecordsCountMax: 10_000,
  iteratorLifeMs: 300_000,
  pageTokenLifeMs: 300_000,
  listStreamsDefault: 100,
  describeShardsDefault: 100,
  listShardsDefault: 1000,
  subscriptionLifeMs: 300_000,
  /** A subscription that is younger is not taken over by another one. */
  subscriptionAloneMs: 5000,
  /** Our own: after so long without records a subscriber hears where it stands. */
  subscriptionQuietMs: 5000,
  /** Our own, of the records of one event: data and keys, unless one record alone has more. */
  eventBytesMax: 256 * KIB,
  eventRecordsMax: 1000,
  /** Our own, of all subscriptions: events that are being read or not sent yet, and some that others may need next. */
  fanOutBytesMax: 64 * MIB,
  /** Our own: what each subscription may hold beside that, and the most that is read to stay below it. */
  smallEventBytesMax: 64 * KIB,
  smallEventReadBytes: 24 * KIB,
  smallEventRecordsMax: 16,
  /**
   * Our own: while others wait for memory, an event must be taken within so long, and what its bytes need at twice the
   * speed of AWS's fan-out, or its subscriber is cut.
   */
  stalledMs: 5000,
  slowestBytesPerMs: (4 * MIB) / 1000,
  sharedBytesMax: 16 * MIB,
  retentionHoursMin: 24,
  retentionHoursMax: 8760,
  hourMs: HOUR_MS,
  consumersPerStreamMax: 20,
  /** Consumers of one stream that are being registered at the same time. */
  consumersCreatingMax: 5,
  listConsumersDefault: 100,
  /** More may be asked for, but no more come. */
  listConsumersMax: 100,
  tagsPerStreamMax: 50,
  tagsPageMax: 50,
  /** Changes of a stream's capacity mode in any 24 hours. */
  modeChangesMax: 2,
  /** Changes of a stream's encryption in any 24 hours. */
  encryptionChangesMax: 25,
  dayMs: 24 * HOUR_MS,
  warmThroughputMiBpsMax: 10_240,
  /** Of a resource policy, in UTF-8. */
  policyBytesMax: 20 * KIB,
  /** How long a commitment to a minimum of throughput lasts at least. */
  commitmentMs: 24 * HOUR_MS,
  /** Our own: how often closed shards are looked at that keep nothing any more. */
  closedShardsEveryMs: 60_000,
  /** Our own: how long the viewer holds a request open, how much it answers, and how much it looks at for it. */
  viewerWaitMsMax: 20_000,
  viewerRecordsMax: 1000,
  viewerBytesMax: 4 * MIB,
  /** What a page may take in memory: a read of the log, its records as they are shown, and as they are sent. */
  viewerHoldBytes: 12 * MIB,
  /** How many questions are held open until a record comes; others are, up to this time, until they look again. */
  viewersWaitingMax: 64,
  /** Also how often it looks for the children of a closed shard. */
  viewerLookMs: 1000,
  viewerScanDefault: 10_000,
  viewerScanMax: 100_000,
  viewerScanBytesMax: 64 * MIB,
  /**
   * Text that is searched for, in UTF-8. Node searches for up to 250 bytes in linear time, 25 ns a byte at worst; above
   * that its search multiplies the two lengths.
   */
  viewerContentBytesMax: 200,
} as const;
