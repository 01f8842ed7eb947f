import { DeliveryError } from '../../kernel/errors.ts';
import { isBucketName } from '../../kernel/names.ts';
import { fileName } from '../../kernel/paths.ts';

/** Behind the name of a file beside which a folder has the name itself; `fileName` ends no other name with it. */
const BESIDE = '%';
/** The longest name that file systems take, in bytes, when it stands beside a folder. */
const NAME_BYTES_MAX = 255 - BESIDE.length;

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

/** Where an object stands when its path is a folder's: S3 has both `a` and `a/b`, a folder has one of each name. */
export function besideFolder(path: string): string {
  return path + BESIDE;
}

/** The name of a file without what tells it from a folder's. */
export function nameWithoutFolder(name: string): string {
  return name.length > BESIDE.length && name.endsWith(BESIDE) ? name.slice(0, -BESIDE.length) : name;
}
