const MIB = 1024 * 1024;

/** Numbers of the workers that run sources, each with its reason. */
export const ingestLimits = {
  nameCharactersMax: 64,
  /**
   * Entries of one append, but for what came with its last event: enough for a commit to be worth its sync, and so
   * little that the log writes them at once, into memory of its own (1 MiB).
   */
  batchBytesMax: 896 * 1024,
  batchRecordsMax: 2500,
  /** One piece of the memory in which events wait: an append. */
  memoryBytes: MIB,
  /** Pieces that wait for their next use, of all sources: what waits for one of them, and its append under way. */
  memoryKeptMax: 10,
  /** Events that are packed in one turn of the loop: about a millisecond. */
  turnRecords: 500,
  /** What waits for the append under way; at the bound the source is not read. */
  pendingBytesMax: 8 * MIB,
  pendingRecordsMax: 10_000,
  /** Ids known for the overlap of connections: 64 bytes each. */
  windowIds: 65_536,
  /** Records looked at after a start to know the window again; further back only the position is looked for. */
  scanRecordsMax: 200_000n,
  readRecords: 1000,
  readBytes: MIB,
  /** How often the position is written to the catalog while records come, and how soon when none do. */
  checkpointMs: 5000,
  idleCheckpointMs: 1000,
  /** Records of others behind the position after which it is written anew. */
  strangersMax: 100_000n,
  strangersLookMs: 60_000,
  storeWaitBaseMs: 50,
  storeWaitMaxMs: 2000,
  functionAttempts: 5,
  functionWaitBaseMs: 100,
  functionWaitMaxMs: 10_000,
  /** Failures in a row after which health says so. */
  unhealthyFailures: 3,
  /** How long a changed source may take to come to its end before the new one begins. */
  reloadDrainMs: 2000,
} as const;
