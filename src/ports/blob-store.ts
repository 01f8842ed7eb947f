/** What a stored object says about itself. */
export interface BlobInfo {
  readonly key: string;
  readonly sizeBytes: number;
}

export interface BlobOptions {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  /** The last object of a key counts; absent: what stands there is an earlier attempt, and stays. */
  readonly replaces?: true;
  /** The key that a real S3 encrypts the object with; folders do not encrypt. */
  readonly kmsKeyArn?: string;
  /** Ends it early where a store keeps one waiting: it rejects then, and the object may stand all the same. */
  readonly signal?: AbortSignal;
}

/** Objects in buckets: folders or S3. Failures are DeliveryErrors. */
export interface BlobStore {
  /**
   * The object becomes visible whole or not at all. Returns the size of the body in bytes. A chunk is looked at only
   * until the next one is asked for.
   */
  put(bucket: string, key: string, body: AsyncIterable<Uint8Array>, options?: BlobOptions): Promise<number>;
  /** The object's bytes as they come; undefined when there is none. */
  get(bucket: string, key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Objects whose key starts with `prefix` and sorts after `after`, sorted by key, at most `limit`. */
  list(
    bucket: string,
    options?: { readonly prefix?: string; readonly after?: string; readonly limit?: number },
  ): Promise<readonly BlobInfo[]>;
  remove(bucket: string, key: string): Promise<void>;
  /** Where a person finds the object (a path or a URL). */
  locate(bucket: string, key: string): string;
}
