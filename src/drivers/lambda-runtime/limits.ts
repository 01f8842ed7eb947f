const KIB = 1024;
const MIB = 1024 * KIB;

/** Numbers of the driver; AWS's unless said otherwise (Lambda quotas, runtime API). */
export const runtimeLimits = {
  /** Largest answer of a handler: 6 MiB and a little for the frame around it, as Lambda says it. */
  responseBytesMax: 6_291_556,
  /** A process that sends more than this for one answer is cut off; our own. */
  bodyBytesMax: 64 * MIB,
  /** Time to load the code; beyond it the function's own timeout counts. */
  initMs: 10_000,
  /** Events that wait for a process; our own. */
  waitingMax: 1000,
  waitingBytesMax: 32 * MIB,
  /** Lines and bytes kept of what one run prints; our own. */
  outputBytesMax: 256 * KIB,
  lineBytesMax: 16 * KIB,
  /** Waits before a process is started after others failed to load the code; our own. */
  restartBaseMs: 100,
  restartMaxMs: 5000,
  /** How often the memory of running processes is looked at, and how often that of all their children; our own. */
  memoryLookMs: 50,
  memoryLooksDeep: 10,
  /** How often idle processes are looked at, and the share of that time that is too much CPU; our own. */
  idleLookMs: 1000,
  /** Of one that is idle for long. */
  idleLookMaxMs: 60_000,
  idleBusyShare: 0.25,
  /** Editors write a file in several steps; our own. */
  settleMs: 100,
  /** Changes that do not end are taken over after so long; our own. */
  settleMsMax: 2000,
  /** Folders that are watched of one function; our own. */
  watchedFoldersMax: 2000,
} as const;
