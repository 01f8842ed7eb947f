import type { Schema, Static } from '../kernel/schema/declare.ts';
import type { BlobStore } from './blob-store.ts';
import type { Json } from './catalog.ts';
import type { Environment } from './environment.ts';

/** One record on its way out. Bytes belong to the batch and are gone after `deliver`. */
export interface OutgoingRecord {
  readonly data: Uint8Array;
  readonly at: number;
  readonly partitionKey: string;
  /** Of what stands in the stream. */
  readonly sequenceNumber: string;
  /** Its place, from 0, among the records that a producer packed into one; absent for a record that came alone. */
  readonly subSequenceNumber?: number;
  readonly shardId: string;
}

/**
 * What is delivered in one attempt: fixed by the intent that stands in the log, so that a repeated attempt
 * (also after a crash) sends the same records to the same place.
 */
export interface Batch {
  /** Kept over repeats and restarts. */
  readonly id: string;
  readonly deliveryStream: string;
  /** Version of the delivery stream's configuration, digits. */
  readonly versionId: string;
  /** Arrival of the oldest record, in ms. */
  readonly oldestAt: number;
  /** Records of the stream: those that hold others count once. */
  readonly recordCount: number;
  readonly sizeBytes: number;
  /** The records; may be iterated again for a repeated attempt. */
  records(): AsyncIterable<readonly OutgoingRecord[]>;
}

/** All records arrived at `place` (an object key, a request id). Failures are DeliveryErrors. */
export interface Delivered {
  readonly place: string;
  readonly sizeBytes: number;
}

export interface OpenDestination {
  /** Where the batch will go, decided before the first attempt and kept in the intent. */
  place(batch: Omit<Batch, 'records'>): string;
  deliver(batch: Batch, place: string, signal: AbortSignal): Promise<Delivered>;
  close(): Promise<void>;
}

/** The doors a destination may use. */
export interface DestinationDoors {
  readonly blobs: BlobStore;
}

/** How long records are gathered: a batch leaves when one of the two is reached. */
export interface Buffering {
  readonly bytesMax: number;
  readonly intervalMs: number;
}

/** A kind of destination; `name` is the AWS member, for example `ExtendedS3DestinationConfiguration`. */
export interface Destination<O extends Schema = Schema> {
  readonly name: string;
  readonly options: O;
  buffering(options: Static<O>): Buffering;
  /** What the shape alone cannot say, in a sentence; undefined when the options are fine. */
  problem(options: Static<O>): string | undefined;
  /** Members of AWS's destination description; never a secret. */
  describe(options: Static<O>): Readonly<Record<string, Json>>;
  open(options: Static<O>, doors: DestinationDoors, environment: Environment): OpenDestination;
}

/** A destination whose options only its own room knows; called with options that were checked against `options`. */
export interface AnyDestination {
  readonly name: string;
  readonly options: Schema;
  buffering(options: never): Buffering;
  problem(options: never): string | undefined;
  describe(options: never): Readonly<Record<string, Json>>;
  open(options: never, doors: DestinationDoors, environment: Environment): OpenDestination;
}
