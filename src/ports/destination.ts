import { EnvironmentError, type EnvironmentCode } from '../kernel/errors.ts';
import type { BackoffOptions } from '../kernel/flow/backoff.ts';
import type { Schema, Static } from '../kernel/schema/declare.ts';
import type { BlobStore } from './blob-store.ts';
import type { Json } from './catalog.ts';
import type { DocumentStore } from './document-store.ts';
import type { Environment } from './environment.ts';
import type { HttpClient } from './http-client.ts';
import type { SectionProblem } from './section-problem.ts';
import type { SearchClusters } from './search-clusters.ts';

/** One record on its way out. Its bytes and its key belong to the batch, gone when more records are asked for. */
export interface OutgoingRecord {
  readonly data: Uint8Array;
  readonly at: number;
  readonly partitionKey: string;
  /** Of what stands in the stream. */
  readonly sequenceNumber: string;
  /** Its place, from 0, among the records that a producer packed into one; absent for a record that came alone. */
  readonly subSequenceNumber?: number;
  readonly shardId: string;
  /** The first request that it repeats, where a webhook was sent on again. */
  readonly redeliveryOf?: string | undefined;
  /** Its place among the records that one `records()` gives, from 0. */
  readonly index: number;
}

/**
 * What is delivered in one attempt: fixed by the intent that stands in the log, so that a repeated attempt
 * (also after a crash) sends the same records to the same place.
 */
export interface Batch {
  /** A UUID, kept over repeats and restarts. */
  readonly id: string;
  readonly deliveryStream: string;
  readonly deliveryStreamArn: string;
  /** Version of the delivery stream's configuration, digits. */
  readonly versionId: string;
  /** Arrival of the oldest record, in ms. */
  readonly oldestAt: number;
  /** Records of the stream: those that hold others count once. */
  readonly recordCount: number;
  readonly sizeBytes: number;
  /**
   * Set where the records are lines that tell of records which could not be delivered: the type of error, for example
   * `http-endpoint-failed`. They go below the error output prefix.
   */
  readonly errorType?: string;
  /** Others of its records arrived before, or were given up: `records` gives only what is left. */
  readonly isPart?: true;
  /** Whether a request that failed before began with the record of this index; absent: none was told of. */
  readonly startsRequest?: (index: number) => boolean;
  /** The records not delivered yet; may be iterated again for a repeated attempt. */
  records(): AsyncIterable<readonly OutgoingRecord[]>;
}

/** A record that the destination did not take while it took others of the batch. */
export interface Refused {
  /** Of the record as this attempt was given it. */
  readonly index: number;
  /** AWS's error code, for example `HttpEndpoint.DestinationException`. */
  readonly code: string;
  readonly message: string;
  /** The same record may be taken later: it is part of the next attempt. */
  readonly retryable: boolean;
  /** No answer came for it: it may have arrived all the same. */
  readonly mayHaveArrived?: true;
}

/** Codes of what ends a request that was sent, before its answer is known. */
const UNANSWERED: ReadonlySet<EnvironmentCode> = new Set(['ETIMEDOUT', 'ECONNRESET', 'EMSGSIZE', 'EOTHER']);

/** Whether what this is the cause of may have arrived all the same, since no answer of it is known. */
export function isUnanswered(cause: unknown): boolean {
  return cause instanceof EnvironmentError && UNANSWERED.has(cause.code);
}

/**
 * The records arrived at `place` (an object's location, a request id), but for those that were refused. Failures of all
 * of it are DeliveryErrors.
 */
export interface Delivered {
  readonly place: string;
  /** Where records went to several: those from one index up to but without another, but for those refused. */
  readonly places?: readonly { readonly from: number; readonly to: number; readonly place: string }[];
  readonly sizeBytes: number;
  /** By ascending index; absent or empty: all arrived. */
  readonly refused?: readonly Refused[];
  /** The indexes of those refused with which requests began: they are to be repeated as they were. */
  readonly requestStarts?: readonly number[];
  /** What the destination answered, for people: an HTTP status. */
  readonly status?: number;
}

/** How large what is to be attempted is. */
export interface AttemptSize {
  /** Those that producers packed into one count each. */
  readonly recordCount: number;
  readonly sizeBytes: number;
  /** Of the records that are given at once, at most. */
  readonly groupBytes: number;
}

export interface OpenDestination {
  /** Bytes that one attempt holds at most, beside the records that it is given. */
  holdsBytes(size: AttemptSize): number;
  /** Where the batch will go, decided before the first attempt and kept in the intent. */
  place(batch: Omit<Batch, 'records'>): string;
  /**
   * One attempt; whether and when another one follows is not the destination's to say. Where no answer came, so that
   * records may have arrived all the same, the DeliveryError's cause is the EnvironmentError (`isUnanswered`).
   */
  deliver(batch: Batch, place: string, signal: AbortSignal): Promise<Delivered>;
  close(): Promise<void>;
}

/** What becomes of records that a destination does not take. */
export interface FailurePath {
  /** The type of error in keys and lines: `http-endpoint-failed`, `AmazonOpenSearchService-failed`. */
  readonly errorType: string;
  /** Options of the S3 destination that holds what failed. */
  readonly backup: Json;
  /** `all`: each record goes to the backup as it came, beside the destination. */
  readonly backupMode: 'failed' | 'all';
  /** How long a batch is attempted again after its first failure, in ms, without the time spent waiting for answers. */
  readonly retryMs: number;
  readonly backoff: BackoffOptions;
  /**
   * Members of a record's error line that only this destination has; `place` is that of the intent, absent: the record
   * would go by these options.
   */
  line(record: OutgoingRecord, place?: string): Readonly<Record<string, Json>>;
}

/** The words of a delivery that are ours and concern its destination. */
export interface DeliverySettings {
  /** What follows when an HTTP endpoint finds a batch too large: halves down to the record, or all of it fails. */
  readonly on413: 'bisect' | 'aws';
}

/** Those of a delivery that says nothing of them. */
export const DELIVERY_DEFAULTS: DeliverySettings = { on413: 'bisect' };

/** The doors a destination may use. */
export interface DestinationDoors {
  readonly blobs: BlobStore;
  readonly http: HttpClient;
  readonly documents: DocumentStore;
  readonly settings: DeliverySettings;
  readonly clusters: SearchClusters;
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
  /** What it asks over HTTP, for a look at `outgoing` when a delivery is made or changed; absent: nothing. */
  urls?(options: Static<O>): readonly string[];
  /** What works, but perhaps not as it was meant; paths are below the options. */
  notes?(options: Static<O>): readonly SectionProblem[];
  /** What the options would have to name, and do not, in words; undefined: nothing. Until then a delivery waits. */
  lacks?(options: Static<O>): string | undefined;
  /** Members of AWS's destination description; never a secret. */
  describe(options: Static<O>): Readonly<Record<string, Json>>;
  /** Absent: a batch is attempted until it has arrived. */
  failures?(options: Static<O>): FailurePath;
  /** Options of the S3 destination that gets each record as it came, beside this one; undefined: none does. */
  sourceBackup?(options: Static<O>): Json | undefined;
  /** Why a record will be refused whoever is asked; undefined: nothing is known against it. Absent: of no record. */
  refuses?(data: Uint8Array): Pick<Refused, 'code' | 'message'> | undefined;
  /** Repeated attempts go by the newest options (an address, a key), not by those of the plan. */
  readonly usesNewestOptions?: boolean;
  /**
   * A repeated attempt goes where the one before went, and one of both counts: no record stands there twice. Absent: it
   * does not.
   */
  overwrites?(options: Static<O>): boolean;
  /** Bytes that stand behind each record in what is written before compression; absent: records have no place there. */
  bytesBehindRecord?(options: Static<O>): number;
  /**
   * Requests of another Firehose may go to it at once, without a log between: the same records again replace what the
   * first ones wrote. Absent: they may not.
   */
  readonly takesRequests?: boolean;
  open(options: Static<O>, doors: DestinationDoors, environment: Environment): OpenDestination;
}

/** A destination whose options only its own room knows; called with options that were checked against `options`. */
export interface AnyDestination {
  readonly name: string;
  readonly options: Schema;
  buffering(options: never): Buffering;
  problem(options: never): string | undefined;
  urls?(options: never): readonly string[];
  notes?(options: never): readonly SectionProblem[];
  lacks?(options: never): string | undefined;
  describe(options: never): Readonly<Record<string, Json>>;
  failures?(options: never): FailurePath;
  sourceBackup?(options: never): Json | undefined;
  refuses?(data: Uint8Array): Pick<Refused, 'code' | 'message'> | undefined;
  readonly usesNewestOptions?: boolean;
  overwrites?(options: never): boolean;
  bytesBehindRecord?(options: never): number;
  readonly takesRequests?: boolean;
  open(options: never, doors: DestinationDoors, environment: Environment): OpenDestination;
}
