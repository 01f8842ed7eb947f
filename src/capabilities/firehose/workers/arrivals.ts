import type { Delivered } from '../../../ports/destination.ts';
import { extendLast } from '../joined-ranges.ts';
import { firehoseLimits } from '../limits.ts';
import type { Intent, Range } from '../model.ts';
import { isNextPlace, rangesBetween, type PlacedRecord } from '../outgoing.ts';
import { originRange, type BatchRecords } from './batch-records.ts';

/** Stored records that arrived, whole or in part, at one place. */
export interface Arrival {
  readonly place: string;
  /** Not all of them where `isCut`. */
  readonly ranges: readonly Range[];
  readonly isCut?: true;
}

/** Records from one place of the intent to another, that one included. */
interface Run {
  readonly place: string;
  readonly first: number;
  last: number;
}

/** Where the records of a batch arrived that went to several places, as far as that is remembered. */
export class Arrivals {
  readonly #runs: Run[] = [];
  /** Whether all of its runs are remembered, by place. */
  readonly #isWhole = new Map<string, boolean>();
  #characters = 0;

  /** What an attempt came to that was given the records at these places of the intent. */
  add({ place, places, refused = [] }: Delivered, given: readonly number[]): void {
    const isMissed = new Uint8Array(given.length);
    for (const { index } of refused) isMissed[index] = 1;
    for (const { from, to, place: own } of places ?? [{ from: 0, to: given.length, place }]) {
      let run: Run | undefined;
      for (let index = from; index < to; index += 1) {
        const at = given[index];
        if (at === undefined || isMissed[index] === 1) continue;
        if (run !== undefined && isNextPlace(run.last, at)) run.last = at;
        else run = this.#begin(own, at);
      }
    }
  }

  /** Of each place; empty where all went to one. Rejects as Records.read does. */
  async of(intent: Intent, records: BatchRecords): Promise<readonly Arrival[]> {
    if (this.#isWhole.size < 2) return [];
    const runs = this.#runs.toSorted((one, other) => one.first - other.first);
    const found = new Map<string, Range[]>([...this.#isWhole.keys()].map((place) => [place, []]));
    if (records.origins === undefined) {
      for (const { place, first, last } of runs) found.get(place)?.push(...rangesBetween(intent, first, last));
    } else {
      await collectOrigins(runs, records, found);
    }
    return [...found].map(([place, ranges]) => {
      const isCut = this.#isWhole.get(place) === false || ranges.length > firehoseLimits.historyRangesMax;
      return { place, ranges: ranges.slice(0, firehoseLimits.historyRangesMax), ...(isCut && { isCut }) };
    });
  }

  #begin(place: string, at: number): Run | undefined {
    const known = this.#isWhole.get(place);
    if (known === undefined) {
      this.#characters += place.length;
      // More names than are remembered: those that came last are left out.
      if (this.#characters > firehoseLimits.historyPlaceCharactersMax) return { place, first: at, last: at };
      this.#isWhole.set(place, true);
    }
    const run = { place, first: at, last: at };
    if (this.#runs.length < firehoseLimits.historyRangesMax) this.#runs.push(run);
    else this.#isWhole.set(place, false);
    return run;
  }
}

/** What was processed is told by the records it was made of, which only a look at it tells. */
async function collectOrigins(
  runs: readonly Run[],
  records: BatchRecords,
  found: ReadonlyMap<string, Range[]>,
): Promise<void> {
  let at = 0;
  const runOf = ({ index }: PlacedRecord): Run | undefined => {
    while ((runs[at]?.last ?? Infinity) < index) at += 1;
    const run = runs[at];
    return run !== undefined && run.first <= index ? run : undefined;
  };
  for await (const some of records.pass()) {
    for (const record of some) {
      const run = runOf(record);
      if (run !== undefined) widen(found.get(run.place) ?? [], originRange(record));
    }
  }
}

function widen(ranges: Range[], origin: Range): void {
  if (!extendLast(ranges, origin) && ranges.length <= firehoseLimits.historyRangesMax) ranges.push(origin);
}
