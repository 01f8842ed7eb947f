import { RequestError, ThrottleError, messageOf } from '../kernel/errors.ts';
import { timeValue, wholeNumber } from '../kernel/query-values.ts';
import type { Audit, AuditEntry } from '../ports/audit.ts';
import type { AdminRoute } from '../ports/capability.ts';
import type { Environment } from '../ports/environment.ts';
import { ensureInternalStream } from '../ports/internal-stream.ts';
import { isStored, type Records, type StreamInfo } from '../ports/records.ts';

const STREAM = '$audit';
const DAY_MS = 24 * 3600_000;
const RETENTION_MS = 365 * DAY_MS;
const RECORD_BYTES_MAX = 64 * 1024;
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
const PAGE_BYTES_MAX = 1024 * 1024;
const RESOURCES_MAX = 10;
/** Refusals of one key pair, for any reason, that are noted in a minute: what is refused must not fill the disk. */
const REFUSALS_A_MINUTE = 60;
const MINUTE_MS = 60_000;

/**
 * Changes as records of the internal stream `$audit`, kept for a year. The answer of a change waits for its entry to be
 * durable. A change whose entry could not be stored stays as it is, and the log line `audit.lost` has the entry: a
 * change that was done cannot be undone by refusing its answer. Of what was refused to one key pair 60 entries are kept
 * a minute, and the others counted.
 */
export class AuditStream implements Audit {
  readonly #records: Records;
  readonly #environment: Environment;
  /** Refusals in this minute, by key pair. */
  readonly #refusals = new Map<string, number>();
  #minute = 0;

  constructor(records: Records, environment: Environment) {
    this.#records = records;
    this.#environment = environment;
  }

  async note<T>(entry: AuditEntry, change: () => Promise<T>): Promise<T> {
    let outcome = 'ok';
    let isRefused = false;
    try {
      return await change();
    } catch (error) {
      isRefused = isRefusal(error);
      outcome = isRefusal(error) ? error.code : 'InternalFailure';
      throw error;
    } finally {
      if (isRefused && this.#isTooMuch(entry.who)) {
        this.#environment.meter.count('audit_skipped_total');
      } else {
        await this.#keep({ ...entry, on: entry.on.slice(0, RESOURCES_MAX), outcome });
      }
    }
  }

  #isTooMuch(who: string): boolean {
    const minute = Math.floor(this.#environment.clock.now() / MINUTE_MS);
    if (minute !== this.#minute) this.#refusals.clear();
    this.#minute = minute;
    const count = (this.#refusals.get(who) ?? 0) + 1;
    this.#refusals.set(who, count);
    return count > REFUSALS_A_MINUTE;
  }

  /** Never rejects. */
  async #keep(entry: AuditEntry & { readonly outcome: string }): Promise<void> {
    let problem = 'unavailable';
    try {
      await this.#stream();
      const record = { partitionKey: entry.who, data: Buffer.from(JSON.stringify(entry)) };
      const [result] = await this.#records.append(STREAM, [record]);
      if (result !== undefined && isStored(result)) return;
    } catch (error) {
      problem = messageOf(error);
    }
    const { log, meter } = this.#environment;
    log.error('audit.lost', { ...entry, on: entry.on.join(' '), problem });
    meter.count('audit_lost_total');
  }

  /** Made with the first entry: a node without key pairs never has it. */
  async #stream(): Promise<StreamInfo> {
    const shape = { shardCount: 1, retentionMs: RETENTION_MS, maxRecordBytes: RECORD_BYTES_MAX };
    return await ensureInternalStream(this.#records, { name: STREAM, ...shape });
  }

  /** `GET /admin/audit`. */
  get route(): AdminRoute {
    return {
      method: 'GET',
      path: '/admin/audit',
      doc: 'Who changed what, oldest first: `from` (a time), or `after` (a former `next`); `limit` (100).',
      query: { from: 'A time.', after: 'A former `next`.', limit: 'Entries; 100.' },
      handle: async (_parameters, query) => await this.#page(query),
    };
  }

  async #page(query: URLSearchParams): Promise<unknown> {
    const limit = wholeNumber(query, 'limit') ?? PAGE_DEFAULT;
    const time = timeValue(query, 'from');
    const after = wholeNumber(query, 'after');
    const stream = this.#records.describe(STREAM);
    const [shard] = stream?.shards ?? [];
    if (stream === undefined || shard === undefined) return { entries: [], next: '0' };
    const begin = time === undefined ? 0n : await this.#records.positionAt(shard, time);
    const room = { records: Math.min(Math.max(limit, 1), PAGE_MAX), bytes: PAGE_BYTES_MAX };
    const slice = await this.#records.read(stream, shard, after === undefined ? begin : BigInt(after), room);
    const entries = slice.records.map(({ at, data }) => ({
      at: new Date(at).toISOString(),
      ...(JSON.parse(Buffer.from(data).toString()) as object),
    }));
    return { entries, next: slice.next.toString() };
  }
}

/** Nothing was changed; of any other error that is not known. */
function isRefusal(error: unknown): error is RequestError | ThrottleError {
  return error instanceof RequestError || error instanceof ThrottleError;
}
