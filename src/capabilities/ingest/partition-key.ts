import { JsonPathFinder, parseJsonPath } from '../../kernel/json-path.ts';
import { recordKey } from '../../ports/record-key.ts';

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

  /** 1 to 256 characters. */
  of(data: Uint8Array): string {
    const found = recordKey(this.#finder?.find(data));
    if (found !== undefined) return found;
    // Hashed by the log, running numbers fall evenly on all shards.
    this.#count += 1;
    return `${this.#start}-${this.#count}`;
  }
}
