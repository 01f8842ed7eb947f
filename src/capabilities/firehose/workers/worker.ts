import type { ByteBudget } from '../../../kernel/flow/byte-budget.ts';
import type { BlobStore } from '../../../ports/blob-store.ts';
import type { Identity } from '../../../ports/capability.ts';
import type { Catalog } from '../../../ports/catalog.ts';
import type { AnyDestination } from '../../../ports/destination.ts';
import type { DocumentStore } from '../../../ports/document-store.ts';
import type { Environment } from '../../../ports/environment.ts';
import type { Functions } from '../../../ports/functions.ts';
import type { HttpClient } from '../../../ports/http-client.ts';
import type { Records } from '../../../ports/records.ts';
import type { SearchClusters } from '../../../ports/search-clusters.ts';
import type { Offset, ShardRef } from '../../../ports/stream-store.ts';
import { sourceStream, type DeliveryStream, type Intent, type Progress } from '../model.ts';
import type { DeliveryMemory } from './delivery-memory.ts';
import type { Attempt } from './delivery-notes.ts';

/** What a worker works with. */
export interface WorkerDoors {
  readonly records: Records;
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly http: HttpClient;
  readonly documents: DocumentStore;
  readonly clusters: SearchClusters;
  readonly destinations: readonly AnyDestination[];
  readonly functions: Functions;
  readonly identity: Identity;
  readonly environment: Environment;
  readonly memory: DeliveryMemory;
  /** Bytes of the events that functions have at this moment, over all deliveries. */
  readonly eventBytes: ByteBudget;
}

/** How a delivery fares, for people. */
export interface DeliveryStatus {
  /** Objects written, or batches that a function took. */
  readonly objects: number;
  readonly records: number;
  readonly last: string | undefined;
  /** Records that a function did not take, and that were given up. */
  readonly failed: number;
  /** Records and bytes gathered for the next batch; of a function, all records that are to come, and no bytes. */
  readonly waitingRecords: number;
  readonly waitingBytes: number;
  /** Records that wait for the function that processes them; absent: there is none. */
  readonly unprocessedRecords?: number;
  /** By shard of the source, behind the last record delivered, where processed ones wait; absent: by `position`. */
  readonly origins?: Progress['origins'];
  /** When the next batch leaves, if it is not full before; undefined when nothing waits. */
  readonly dueInMs?: number | undefined;
  /** Numbers of records that were gone before they were delivered. */
  readonly lost?: number;
  /** Records sent again while the attempt before may have arrived. */
  readonly duplicates?: number;
  /** The batch that is being attempted. */
  readonly underway?: Intent | undefined;
  /** The last ones, the newest first. */
  readonly attempts?: readonly Attempt[];
  readonly nextAttemptInMs?: number | undefined;
  /** Of the worker that writes each record to the backup. */
  readonly backup?: DeliveryStatus;
  /** Why the last attempt failed, while it is being repeated. */
  readonly failure: string | undefined;
}

/** Said of a delivery whose position somebody else writes. */
export const FENCED = 'somebody else delivers this stream now';

/** What is wrong with the stream that a delivery reads, for people. */
export function sourceProblems(records: Records, delivery: DeliveryStream): string[] {
  const source = sourceStream(delivery);
  return records.describe(source) === undefined ? [`delivery ${delivery.name}: no stream ${source}`] : [];
}

/** What delivers one stream, batch after batch. */
export interface Worker {
  start(): void;
  /** Batches begun from now on go by these options. */
  update(delivery: DeliveryStream): void;
  /** Finishes what is under way, within `withinMs`; what is only gathered stays in the log. */
  drain(withinMs: number): Promise<void>;
  stop(): Promise<void>;
  /** Resolves with true once everything that stood in the stream at the call is delivered, with false after a while. */
  flush(signal: AbortSignal): Promise<boolean>;
  status(): DeliveryStatus;
  /** The first record of the shard that is not delivered yet. */
  position(shard: Pick<ShardRef, 'generation' | 'ordinal'>): Offset;
  /** Measures how old what waits has become; absent: nothing of that is measured. */
  measure?(): Promise<void>;
  /** What is wrong, for people. */
  problems(): string[];
}
