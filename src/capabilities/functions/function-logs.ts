import { messageOf } from '../../kernel/errors.ts';
import { timeValue, wholeNumber } from '../../kernel/query-values.ts';
import type { Environment } from '../../ports/environment.ts';
import { ensureInternalStream } from '../../ports/internal-stream.ts';
import { isStored, type RecordFailure, type RecordPosition, type Records } from '../../ports/records.ts';
import { orPastDamage } from '../../ports/stream-store.ts';
import { functionsEvents } from './events.ts';
import { functionsLimits } from './limits.ts';
import { LOGS_STREAM } from './model.ts';

/** One run as it is kept for a week. */
export interface LogEntry {
  readonly function: string;
  readonly requestId: string;
  readonly durationMs: number;
  readonly initMs?: number;
  readonly memoryBytesPeak: number;
  /** Absent when the handler returned. */
  readonly errorType?: string;
  readonly lines: readonly string[];
}

const LOOK_BACK_MS = 3_600_000;
/** Room for the frame around the lines, and for quotes within them. */
const RECORD_BYTES_MAX = 4 * functionsLimits.logEntryBytesMax;

interface Gathered {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

/**
 * The lines of all runs as records of the internal stream `$function-logs`. A run does not wait for its entry, unless
 * more entries wait for the disk than may: those of some time are written at once, since a commit for each run costs
 * more than many a run.
 */
export class FunctionLogs {
  readonly #records: Records;
  readonly #environment: Environment;
  #gathered: Gathered[] = [];
  #gatheredBytes = 0;
  #pendingBytes = 0;
  /** Ends the wait for more entries. */
  #full: AbortController | undefined;
  readonly #storing = new Set<Promise<void>>();

  constructor(records: Records, environment: Environment) {
    this.#records = records;
    this.#environment = environment;
  }

  /** Makes the stream. */
  async open(): Promise<void> {
    await ensureInternalStream(this.#records, {
      name: LOGS_STREAM,
      shardCount: 1,
      retentionMs: functionsLimits.logRetentionMs,
      maxRecordBytes: RECORD_BYTES_MAX,
    });
  }

  /** Keeps an entry; resolves at once while there is room for it in memory. Never rejects. */
  async keep(entry: LogEntry): Promise<void> {
    const data = Buffer.from(JSON.stringify(entry));
    this.#gathered.push({ partitionKey: entry.function, data });
    this.#gatheredBytes += data.length;
    this.#pendingBytes += data.length;
    if (this.#full === undefined) void this.#storeLater();
    const { logGatherRecords, logGatherBytes, logPendingBytesMax } = functionsLimits;
    if (this.#gathered.length >= logGatherRecords || this.#gatheredBytes >= logGatherBytes) this.#store();
    if (this.#pendingBytes > logPendingBytesMax) await this.settle();
  }

  /** Resolves once all entries stand, or are lost. */
  async settle(): Promise<void> {
    this.#store();
    await Promise.all(this.#storing);
  }

  async #storeLater(): Promise<void> {
    const full = new AbortController();
    this.#full = full;
    await this.#environment.clock.sleep(functionsLimits.logGatherMs, full.signal);
    if (this.#full === full) this.#store();
  }

  /** Enqueues what was gathered: the order of calls is the order in the stream. */
  #store(): void {
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    const bytes = this.#gatheredBytes;
    const full = this.#full;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#full = undefined;
    full?.abort();
    const mine = this.#append(gathered).finally(() => {
      this.#pendingBytes -= bytes;
      this.#storing.delete(mine);
    });
    this.#storing.add(mine);
  }

  async #append(entries: readonly Gathered[]): Promise<void> {
    let problem = 'unavailable';
    let lost = entries;
    try {
      const results = await this.#records.append(LOGS_STREAM, entries);
      lost = entries.filter((_, index) => !isKept(results[index]));
    } catch (error) {
      problem = messageOf(error);
    }
    for (const { partitionKey } of lost) {
      this.#environment.log.warn(functionsEvents.logLost, { function: partitionKey, problem });
      this.#environment.meter.count(functionsEvents.logsLost, { function: partitionKey });
    }
  }

  /**
   * Entries of a function, oldest first: `from` (a time; an hour ago when absent) or `after` (a former `next`);
   * `isAtEnd` when none stands behind them yet.
   */
  async page(name: string, query: URLSearchParams): Promise<unknown> {
    // Who asks after a run has ended finds it.
    await this.settle();
    const stream = this.#records.describe(LOGS_STREAM);
    const [shard] = stream?.shards ?? [];
    const limit = Math.min(wholeNumber(query, 'limit') ?? functionsLimits.logPage, functionsLimits.logPageMax);
    const after = wholeNumber(query, 'after');
    const from = timeValue(query, 'from') ?? this.#environment.clock.now() - LOOK_BACK_MS;
    if (stream === undefined || shard === undefined) return { entries: [], next: '0', isAtEnd: true };
    let at = after === undefined ? await this.#records.positionAt(shard, from) : BigInt(after);
    const entries: unknown[] = [];
    const { end } = this.#records.bounds(shard);
    for (let bytes = 0; at < end && entries.length < limit && bytes < functionsLimits.logPageBytesMax;) {
      const room = { records: functionsLimits.readRecords, bytes: functionsLimits.readBytes };
      const { records, next } = await orPastDamage(this.#records.read(stream, shard, at, room));
      if (next <= at) break;
      at = next;
      for (const record of records) {
        bytes += record.data.length;
        if (entries.length >= limit) return { entries, next: record.offset.toString(), isAtEnd: false };
        if (Buffer.from(record.key).toString() !== name) continue;
        entries.push({ at: new Date(record.at).toISOString(), ...(parse(record.data) as object) });
      }
    }
    return { entries, next: at.toString(), isAtEnd: at >= end };
  }
}

function isKept(result: RecordPosition | RecordFailure | undefined): boolean {
  return result !== undefined && isStored(result);
}

function parse(data: Uint8Array): unknown {
  return JSON.parse(Buffer.from(data).toString());
}
