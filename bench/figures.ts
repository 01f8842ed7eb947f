/** How one figure is printed and compared. */
export interface FigureKind {
  readonly label: string;
  /** Absent: not compared. */
  readonly better?: 'more' | 'less';
  readonly digits: number;
}

/** All figures by their name in the JSON file, in the order in which the table prints them. */
export const FIGURES = {
  putRecordsPerSecond: { label: 'put, records/s', better: 'more', digits: 0 },
  putP50Ms: { label: 'put, p50 ms', better: 'less', digits: 2 },
  putP99Ms: { label: 'put, p99 ms', better: 'less', digits: 1 },
  putServerCpuUs: { label: 'put, server CPU us/record', better: 'less', digits: 1 },
  putClientCpuUs: { label: 'put, client CPU us/record', digits: 1 },
  endToEndP50Ms: { label: 'put to read, p50 ms', better: 'less', digits: 1 },
  endToEndP99Ms: { label: 'put to read, p99 ms', better: 'less', digits: 1 },
  fanOutServerCpuUs: { label: 'put and sent, server CPU us/record and consumer', better: 'less', digits: 1 },
  fanOutClientCpuUs: { label: 'put and sent, client CPU us/record and consumer', digits: 1 },
  drainRecordsPerSecond: { label: 'drain, records/s', better: 'more', digits: 0 },
  drainServerCpuUs: { label: 'drain, server CPU us/record', better: 'less', digits: 1 },
  drainClientCpuUs: { label: 'drain, client CPU us/record', digits: 1 },
  drainAgainRecordsPerSecond: { label: 'the same once more, records/s', better: 'more', digits: 0 },
  drainAgainServerCpuUs: { label: 'the same once more, server CPU us/record', better: 'less', digits: 1 },
  settledAfterSeconds: { label: 'settled after, s', digits: 1 },
  settledDrainRecordsPerSecond: { label: 'drain once settled, records/s', better: 'more', digits: 0 },
  settledDrainServerCpuUs: { label: 'drain once settled, server CPU us/record', better: 'less', digits: 1 },
  conversionsPerSecond: { label: 'scripts, calls/s', better: 'more', digits: 0 },
  conversionCpuUs: { label: 'scripts, CPU us/call, all threads', better: 'less', digits: 1 },
  attackMs: { label: 'scripts that want too much, the slowest to end, ms', better: 'less', digits: 0 },
  attackMiB: { label: 'the same, the highest RSS above idle, MiB', better: 'less', digits: 0 },
  ingestEventsPerSecond: { label: 'events stored/s', better: 'more', digits: 0 },
  ingestServerCpuUs: { label: 'events stored, server CPU us/event', better: 'less', digits: 1 },
  readyMs: { label: 'process start to ready, ms', better: 'less', digits: 0 },
  readyAfterKillMs: { label: 'kill -9 under load, process start to ready, ms', better: 'less', digits: 0 },
  readAfterKillMs: { label: 'the same to the first GetRecords answered, ms', better: 'less', digits: 0 },
  idleRssMiB: { label: 'idle RSS, MiB', better: 'less', digits: 0 },
  peakRssMiB: { label: 'peak RSS, MiB', better: 'less', digits: 0 },
  putPeakRssMiB: { label: 'peak RSS while putting, MiB', better: 'less', digits: 0 },
  diskBytesPerByte: { label: 'bytes to the disk per byte of data', digits: 2 },
  webhooksPerSecond: { label: 'webhooks, requests/s', better: 'more', digits: 0 },
  webhookP50Ms: { label: 'webhooks, p50 ms', better: 'less', digits: 2 },
  webhookP99Ms: { label: 'webhooks, p99 ms', better: 'less', digits: 1 },
  webhookServerCpuUs: { label: 'webhooks, server CPU us/request', better: 'less', digits: 1 },
  webhookClientCpuUs: { label: 'webhooks, client CPU us/request', digits: 1 },
  halfP50Ms: { label: 'webhooks at half that rate, p50 ms', better: 'less', digits: 2 },
  halfP99Ms: { label: 'webhooks at half that rate, p99 ms', better: 'less', digits: 1 },
  invokeNodeColdMs: { label: 'invoke, Node, first event, ms', better: 'less', digits: 0 },
  invokeNodeP50Ms: { label: 'invoke, Node, p50 ms', better: 'less', digits: 2 },
  invokeNodeP99Ms: { label: 'invoke, Node, p99 ms', better: 'less', digits: 1 },
  invokePythonColdMs: { label: 'invoke, Python, first event, ms', better: 'less', digits: 0 },
  invokePythonP50Ms: { label: 'invoke, Python, p50 ms', better: 'less', digits: 2 },
  invokePythonP99Ms: { label: 'invoke, Python, p99 ms', better: 'less', digits: 1 },
  idleCpuPercent: { label: 'CPU when idle, % of a core', better: 'less', digits: 2 },
  idleBaseCpuPercent: { label: 'the same of the node without handlers', better: 'less', digits: 2 },
  idleHandlersCpuPercent: { label: 'the difference: CPU for idle handlers', better: 'less', digits: 2 },
  bareMiBPerSecond: { label: 'bare write + fdatasync beside it, MiB/s', digits: 0 },
  bareP50Ms: { label: 'bare write + fdatasync beside it, p50 ms', digits: 2 },
  gzipMiBPerSecond: { label: 'delivered as GZIP, MiB/s of records', better: 'more', digits: 0 },
  gzipServerCpuMs: { label: 'delivered as GZIP, server CPU ms/MiB', better: 'less', digits: 1 },
  gzipRatio: { label: 'delivered as GZIP, bytes of records per byte', digits: 2 },
  bareGzipMiBPerSecond: { label: 'bare asynchronous zlib, level 1, beside it, MiB/s', digits: 0 },
  bareGzipCpuMs: { label: 'bare asynchronous zlib, level 1, beside it, CPU ms/MiB', digits: 1 },
  shareOfBareGzip: { label: 'delivered as GZIP, share of bare zlib', digits: 2 },
  httpMiBPerSecond: { label: 'to an HTTP endpoint, MiB/s of records', better: 'more', digits: 0 },
  httpServerCpuMs: { label: 'to an HTTP endpoint, server CPU ms/MiB', better: 'less', digits: 1 },
  aloneP99Ms: { label: 'put, nothing delivered, p99 ms', better: 'less', digits: 1 },
  deliveringP99Ms: { label: 'put, delivery at full speed, p99 ms', better: 'less', digits: 1 },
  deliveringTimesAlone: { label: 'put, p99 while delivering, times that without', better: 'less', digits: 2 },
  deliveredMiBPerSecond: { label: 'delivered as GZIP meanwhile, MiB/s of records', better: 'more', digits: 0 },
  caughtUpMiBPerSecond: { label: 'backlog delivered as GZIP, MiB/s of records', better: 'more', digits: 0 },
  caughtUpServerCpuMs: { label: 'backlog delivered as GZIP, server CPU ms/MiB', better: 'less', digits: 1 },
  firstRssMiB: { label: 'highest RSS in the second tenth of a backlog, MiB', better: 'less', digits: 0 },
  grownRssMiB: { label: 'highest RSS behind it, MiB more', better: 'less', digits: 0 },
  shareOfBare: { label: 'written to the disk, share of the bare loop', digits: 2 },
} as const satisfies Record<string, FigureKind>;

/** A name of FIGURES. */
export type FigureName = keyof typeof FIGURES;

/** Some figures of one measurement. */
export type Figures = Partial<Record<FigureName, number>>;

/** One contender in one scenario in one round. */
export interface Measurement {
  readonly scenario: string;
  readonly contender: string;
  readonly isMillrace: boolean;
  readonly round: number;
  readonly figures: Figures;
  /** `ok`, `hangs`, or what is wrong; figures count only with `ok`. */
  readonly verdict: string;
}

/** What a run leaves behind in its `--json` file. */
export interface Results {
  /** One line: cores, system, Node, what was asked for. */
  readonly machine: string;
  readonly measurements: readonly Measurement[];
}
