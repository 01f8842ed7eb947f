import { DeliveryError } from '../../kernel/errors.ts';
import { isBucketName } from '../../kernel/names.ts';
import { fileName } from '../../kernel/paths.ts';

/** The longest name that file systems take, in bytes. */
const NAME_BYTES_MAX = 255;

/** The folder name of a bucket. */
export function bucketFolder(bucket: string): string {
  if (isBucketName(bucket)) return bucket;
  throw new DeliveryError('S3.InvalidBucketName', `not a bucket name: ${JSON.stringify(bucket)}`, false);
}

/** The path of a key below its bucket, each part as `fileName` writes it. */
export function keyPath(key: string): string {
  const parts = key.split('/').map(fileName);
  if (key === '' || parts.some((part) => Buffer.byteLength(part) > NAME_BYTES_MAX)) {
    throw new DeliveryError('S3.KeyTooLongError', `a folder cannot hold the key ${JSON.stringify(key)}`, false);
  }
  return parts.join('/');
}
