import { asBuffer } from '../../../kernel/bytes/as-buffer.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import type { Environment } from '../../../ports/environment.ts';
import type { Records, ShardInfo, StreamInfo } from '../../../ports/records.ts';
import { orPastDamage, type StoredRecord } from '../../../ports/stream-store.ts';
import { limits } from '../limits.ts';
import type { WantedRequest } from '../operations/redeliver-requests.ts';
import { REQUESTS_STREAM } from '../workers/request-log.ts';
import { decodeRequest, type RequestEntry } from './request-entry.ts';
import type { RequestFilter } from './request-filter.ts';

/** A request without its body. */
export type ListedRequest = Omit<RequestEntry, 'body'>;

/** Some requests, and where to look on; absent: there are no more. */
export interface RequestPage {
  readonly entries: readonly ListedRequest[];
  readonly next: bigint | undefined;
}

interface Place {
  readonly stream: StreamInfo;
  readonly shard: ShardInfo;
  readonly start: bigint;
  readonly end: bigint;
}

/** Reads the log of requests, a bounded part of it at a time and with turns of the loop in between. */
export class RequestReader {
  readonly #records: Records;
  readonly #environment: Environment;

  constructor(records: Records, environment: Environment) {
    this.#records = records;
    this.#environment = environment;
  }

  /** At most `limit` that fit, newest first, among those below `before`. */
  async newest(filter: RequestFilter, before: bigint | undefined, limit: number): Promise<RequestPage> {
    const place = await this.#span(filter);
    if (place === undefined) return { entries: [], next: undefined };
    const { start, end } = place;
    const step = BigInt(limits.logWindowRecords);
    const entries: ListedRequest[] = [];
    let at = before === undefined || before > end ? end : before;
    for (let bytes = 0; at > start && bytes < limits.logBytesPerPage;) {
      const from = at - step > start ? at - step : start;
      const fitting: ListedRequest[] = [];
      for await (const record of this.#between(place, from, at)) {
        bytes += record.data.length;
        const entry = decodeRequest(record.offset, record.data);
        // Bodies are looked at and let go: those of a page may be more than fits.
        if (entry !== undefined && filter.fits(entry)) fitting.push({ number: entry.number, head: entry.head });
      }
      const taken = fitting.reverse().slice(0, limit - entries.length);
      entries.push(...taken);
      const last = taken.at(-1);
      if (entries.length >= limit && last !== undefined) {
        return { entries, next: last.number > start ? last.number : undefined };
      }
      at = from;
    }
    return { entries, next: at > start ? at : undefined };
  }

  /** Those that fit, oldest first, from `after` on; ends where the log does, or a page's part of it. */
  async *oldest(filter: RequestFilter, after: bigint | undefined): AsyncGenerator<WantedRequest> {
    const place = await this.#span(filter);
    if (place === undefined) return;
    const { start, end } = place;
    const from = after === undefined || after < start ? start : after;
    let bytes = 0;
    for await (const { offset, data } of this.#between(place, from, end)) {
      bytes += data.length;
      const entry = decodeRequest(offset, data);
      const next = offset + 1n < end ? String(offset + 1n) : undefined;
      if (entry !== undefined && filter.fits(entry)) yield { place: String(offset), entry, next };
      if (bytes < limits.logBytesPerPage) continue;
      yield { place: undefined, entry: undefined, next };
      return;
    }
  }

  /** By number, or by the request's id; undefined: it is not there, or too far below the newest. */
  async find(name: string, signal: AbortSignal): Promise<RequestEntry | undefined> {
    const number = (await this.places([name], signal)).get(name);
    return number === undefined ? undefined : await this.at(number);
  }

  /** The request with this number; undefined: it is not there. */
  async at(number: bigint): Promise<RequestEntry | undefined> {
    const place = this.#place();
    if (place === undefined) return undefined;
    for await (const { offset, data } of this.#between(place, number, number + 1n)) return decodeRequest(offset, data);
    return undefined;
  }

  /** The numbers of requests, by their ids or numbers; an id that is not among the newest is left out. */
  async places(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, bigint>> {
    const place = this.#place();
    const found = new Map<string, bigint>();
    if (place === undefined) return found;
    const wanted = new Set<string>();
    for (const name of names) {
      if (/^\d{1,15}$/.test(name)) found.set(name, BigInt(name));
      else wanted.add(name);
    }
    const step = BigInt(limits.logWindowRecords);
    let bytes = 0;
    for (let at = place.end; at > place.start && wanted.size > 0 && bytes < limits.logSearchBytesMax;) {
      if (signal.aborted) break;
      const from = at - step > place.start ? at - step : place.start;
      for await (const { offset, key, data } of this.#between(place, from, at)) {
        bytes += data.length;
        // The key of an entry is the id of its request.
        const id = asBuffer(key).toString();
        if (wanted.delete(id)) found.set(id, offset);
      }
      at = from;
    }
    return found;
  }

  #place(): Place | undefined {
    const stream = this.#records.describe(REQUESTS_STREAM);
    const [shard] = stream?.shards ?? [];
    if (stream === undefined || shard === undefined) return undefined;
    return { stream, shard, ...this.#records.bounds(shard) };
  }

  /** The part of the log that the filter's times leave. */
  async #span({ from, to }: RequestFilter): Promise<Place | undefined> {
    const place = this.#place();
    if (place === undefined) return undefined;
    const { shard } = place;
    const start = from === undefined ? place.start : await this.#records.positionAt(shard, from);
    // An entry stands a moment after its request came.
    const end = to === undefined ? place.end : await this.#records.positionAt(shard, to + limits.logSlackMs);
    return { ...place, start: start > place.start ? start : place.start, end };
  }

  /** Records at `from` and above, below `to`; damaged places are passed by. */
  async *#between({ stream, shard }: Place, from: bigint, to: bigint): AsyncGenerator<StoredRecord> {
    const room = { records: limits.logWindowRecords, bytes: limits.logWindowBytes };
    for (let at = from; at < to;) {
      const slice = await orPastDamage(this.#records.read(stream, shard, at, room));
      for (const record of slice.records) if (record.offset < to) yield record;
      if (slice.next <= at) return;
      at = slice.next;
      await nextTurn(this.#environment.clock);
    }
  }
}
