import type { BlobInfo, BlobOptions } from './blob-store.ts';

/** A part of an upload that the store has, as it wants to see it again at the end. */
export interface UploadedPart {
  /** Counted from 1. */
  readonly number: number;
  readonly tag: string;
  readonly crc32: string;
}

/** Bytes to be stored with what was computed of them while they were gathered. */
export interface CheckedBytes {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, in lower-case hex. */
  readonly sha256: string;
  /** CRC-32 of the bytes, big-endian, in base64. */
  readonly crc32: string;
}

/** An upload that was begun and neither completed nor given up. */
export interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly id: string;
  /** As of its object's options. */
  readonly replaces?: true;
  readonly signal?: AbortSignal;
}

/**
 * A service that keeps objects in buckets, request by request. Failures are DeliveryErrors with codes such as
 * `S3.NoSuchBucket`; what may succeed by itself was attempted a few times already.
 */
export interface ObjectStore {
  /** Stores an object in one request. False: one of this key was there, and stays, unless the options replace it. */
  put(bucket: string, key: string, body: CheckedBytes, options: BlobOptions): Promise<boolean>;
  begin(bucket: string, key: string, options: BlobOptions): Promise<Upload>;
  /** All parts but the last have at least 5 MiB (a bound of S3). */
  addPart(upload: Upload, number: number, body: CheckedBytes): Promise<UploadedPart>;
  /** The parts become the object. False: one of this key was there, and stays. */
  complete(upload: Upload, parts: readonly UploadedPart[]): Promise<boolean>;
  /** Gives an upload up with its parts. */
  abandon(upload: Upload): Promise<void>;
  /** The object's bytes as they come; undefined when there is none. */
  get(bucket: string, key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  list(
    bucket: string,
    options: { readonly prefix: string; readonly after: string; readonly limit: number },
  ): Promise<readonly BlobInfo[]>;
  remove(bucket: string, key: string): Promise<void>;
  close(): void;
}
