import type { BlobStore } from '../ports/blob-store.ts';

/** All bytes of an object; undefined when there is none. */
export async function whole(blobs: BlobStore, bucket: string, key: string): Promise<Buffer | undefined> {
  const pieces = await blobs.get(bucket, key);
  if (pieces === undefined) return undefined;
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
