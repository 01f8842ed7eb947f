import { consumerArn } from '../../kernel/names.ts';
import type { Catalog, Json } from '../../ports/catalog.ts';
import { StreamNotFound, type Records, type StreamInfo } from '../../ports/records.ts';
import { kinesisLimits } from './limits.ts';

const PREFIX = 'consumers/';

/** A reader of its own of one stream. */
export interface Consumer {
  readonly name: string;
  readonly arn: string;
  readonly stream: StreamInfo;
  /** In ms. */
  readonly createdAt: number;
  readonly tags: Readonly<Record<string, string>>;
  /** A resource policy in JSON. */
  readonly policy?: string;
}

/** What is kept of a consumer. */
interface Kept {
  readonly name: string;
  readonly createdAt: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly policy?: string;
}

/** What can be changed of a consumer; a policy of `null` is removed. */
interface ConsumerChange {
  readonly tags?: Readonly<Record<string, string>>;
  readonly policy?: string | null;
}

/** The entry `consumers/<stream>`: one for all of a stream, so that their number is checked and changed in one step. */
interface Entry {
  /** Of the stream: one that was created again under the name has no consumers yet. */
  readonly generation: number;
  /** By name. */
  readonly consumers: readonly Kept[];
}

/** Why a consumer was not registered. */
export type RegisterRefusal = 'exists' | 'too many' | 'too many at once';

/** The consumers of all streams, kept in the catalog. */
export class Consumers {
  readonly #catalog: Catalog;
  readonly #records: Records;
  /** How many are being registered for a stream right now. */
  readonly #creating = new Map<string, number>();

  constructor(catalog: Catalog, records: Records) {
    this.#catalog = catalog;
    this.#records = records;
  }

  /** Those of a stream by name. */
  list(stream: StreamInfo): readonly Consumer[] {
    return this.#kept(stream).map((kept) => described(stream, kept));
  }

  find(stream: StreamInfo, name: string): Consumer | undefined {
    const kept = this.#kept(stream).find((one) => one.name === name);
    return kept === undefined ? undefined : described(stream, kept);
  }

  /**
   * Resolves once the consumer is durable, or with the reason why there is none. Rejects with StreamNotFound, also when
   * the stream is deleted meanwhile, and with Unavailable.
   */
  async register(stream: StreamInfo, kept: Kept): Promise<Consumer | RegisterRefusal> {
    const creating = this.#creating.get(stream.name) ?? 0;
    if (creating >= kinesisLimits.consumersCreatingMax) return 'too many at once';
    this.#creating.set(stream.name, creating + 1);
    try {
      const made = await this.#add(stream, kept);
      await this.sweepStream(stream.name);
      if (!this.#isThere(stream)) throw new StreamNotFound(stream.name);
      return made;
    } finally {
      this.#leave(stream.name);
    }
  }

  /** False when there is no such consumer any more. Rejects with Unavailable. */
  async deregister({ stream, name, createdAt }: Consumer): Promise<boolean> {
    for (;;) {
      const consumers = this.#kept(stream);
      const rest = consumers.filter((one) => one.name !== name || one.createdAt !== createdAt);
      if (rest.length === consumers.length) return false;
      if (await this.#put(stream, rest)) return true;
    }
  }

  /** False when there is no such consumer any more. Rejects as `change` does, with StreamNotFound and Unavailable. */
  async change({ stream, name, createdAt }: Consumer, change: (current: Consumer) => ConsumerChange): Promise<boolean> {
    for (;;) {
      const consumers = this.#kept(stream);
      const kept = consumers.find((one) => one.name === name && one.createdAt === createdAt);
      if (kept === undefined) return false;
      const next = changed(kept, change(described(stream, kept)));
      if (
        await this.#put(
          stream,
          consumers.map((one) => (one === kept ? next : one)),
        )
      )
        return true;
    }
  }

  /** Forgets consumers whose stream is gone. Rejects with Unavailable. */
  async sweep(): Promise<void> {
    for (const { key } of this.#catalog.list(PREFIX)) await this.sweepStream(key.slice(PREFIX.length));
  }

  /** The same for the streams that had one name. */
  async sweepStream(name: string): Promise<void> {
    const entry = this.#catalog.get(PREFIX + name);
    if (entry === undefined) return;
    const stream = this.#records.describe(name);
    if (stream !== undefined && generationOf(stream) === (entry.value as unknown as Entry).generation) return;
    // Whoever wrote it meanwhile wrote it for a stream that is there.
    await this.#catalog.propose([{ key: entry.key, expect: entry.revision, remove: true }]);
  }

  /** Calls `changed` with a stream's name after each change of its consumers; the returned function ends it. */
  watch(changed: (stream: string) => void): () => void {
    return this.#catalog.watch(PREFIX, (key) => changed(key.slice(PREFIX.length)));
  }

  async #add(stream: StreamInfo, kept: Kept): Promise<Consumer | RegisterRefusal> {
    for (;;) {
      const consumers = this.#kept(stream);
      if (consumers.some(({ name }) => name === kept.name)) return 'exists';
      if (consumers.length >= kinesisLimits.consumersPerStreamMax) return 'too many';
      const more = [...consumers, kept].sort((one, two) => (one.name < two.name ? -1 : 1));
      if (await this.#put(stream, more)) return described(stream, kept);
    }
  }

  #leave(stream: string): void {
    const left = (this.#creating.get(stream) ?? 0) - 1;
    if (left > 0) this.#creating.set(stream, left);
    else this.#creating.delete(stream);
  }

  #isThere(stream: StreamInfo): boolean {
    const current = this.#records.describe(stream.name);
    return current !== undefined && generationOf(current) === generationOf(stream);
  }

  #kept(stream: StreamInfo): readonly Kept[] {
    const entry = this.#catalog.get(PREFIX + stream.name)?.value as unknown as Entry | undefined;
    return entry?.generation === generationOf(stream) ? entry.consumers : [];
  }

  /** False when somebody else changed the entry meanwhile. */
  async #put(stream: StreamInfo, consumers: readonly Kept[]): Promise<boolean> {
    // A later stream of the name has consumers of its own.
    if (!this.#isThere(stream)) throw new StreamNotFound(stream.name);
    const key = PREFIX + stream.name;
    const expect = this.#catalog.get(key)?.revision ?? null;
    const entry: Entry = { generation: generationOf(stream), consumers };
    const op = consumers.length === 0 ? { remove: true as const } : { put: entry as unknown as Json };
    return (await this.#catalog.propose([{ key, expect, ...op }])).accepted;
  }
}

/** All shards of a stream have its generation. */
function generationOf({ shards }: StreamInfo): number {
  return shards[0]?.ref.generation ?? 0;
}

function described(stream: StreamInfo, { name, createdAt, tags = {}, policy }: Kept): Consumer {
  const arn = consumerArn(stream.arn, name, createdAt);
  return { name, arn, stream, createdAt, tags, ...(policy !== undefined && { policy }) };
}

function changed({ policy: former, ...kept }: Kept, { tags, policy = former ?? null }: ConsumerChange): Kept {
  return { ...kept, ...(tags !== undefined && { tags }), ...(policy !== null && { policy }) };
}
