import { JsonPathFinder, parseJsonPath } from '../../kernel/json-path.ts';
import { KEY_CHARACTERS_MAX, recordKey } from '../../ports/record-key.ts';

/** Gives each event its partition key. */
export class PartitionKeys {
  readonly #finder: JsonPathFinder | undefined;
  readonly #start: string;
  #count = 0;

  /** `path` undefined: records go round all shards. `start` keeps the keys of several lives apart. */
  constructor(path: string | undefined, start: string) {
    this.#finder = path === undefined ? undefined : new JsonPathFinder(parseJsonPath(path) ?? []);
    this.#start = start;
  }

  /** Writes the event's key, 1 to 256 characters in UTF-8; returns the position behind it. */
  write(data: Uint8Array, into: Buffer, at: number): number {
    const finder = this.#finder;
    if (finder?.findPlain(data) === true) {
      const { from, to } = finder;
      if (to > from && to - from <= KEY_CHARACTERS_MAX) {
        for (let index = from; index < to; index += 1) into[at + index - from] = data[index] as number;
        return at + to - from;
      }
    }
    return at + into.write(this.#textOf(data), at);
  }

  #textOf(data: Uint8Array): string {
    const found = recordKey(this.#finder?.find(data));
    if (found !== undefined) return found;
    // Hashed by the log, running numbers fall evenly on all shards.
    this.#count += 1;
    return `${this.#start}-${this.#count}`;
  }
}
