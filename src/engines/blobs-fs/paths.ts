import { DeliveryError } from '../../kernel/errors.ts';

/** The longest name that file systems take, in bytes. */
const NAME_BYTES_MAX = 255;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Whether S3 would take the name for a bucket. */
export function isBucketName(name: string): boolean {
  return BUCKET.test(name) && !name.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(name);
}

/** The folder name of a bucket. */
export function bucketFolder(bucket: string): string {
  if (isBucketName(bucket)) return bucket;
  throw new DeliveryError('S3.InvalidBucketName', `not a bucket name: ${JSON.stringify(bucket)}`, false);
}

/**
 * The path of a key below its bucket. What a file system would not keep as it is (`..`, empty parts, control
 * characters, a leading dot, `%`) is written as `%XX`, so that no key leaves its bucket and none is mistaken
 * for another.
 */
export function keyPath(key: string): string {
  const parts = key.split('/').map(encodePart);
  if (key === '' || parts.some((part) => Buffer.byteLength(part) > NAME_BYTES_MAX)) {
    throw new DeliveryError('S3.KeyTooLongError', `a folder cannot hold the key ${JSON.stringify(key)}`, false);
  }
  return parts.join('/');
}

/** The part of a key that a file or folder name stands for. */
export function decodePart(name: string): string {
  if (name === '%') return '';
  return name.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function encodePart(part: string): string {
  if (part === '') return '%';
  const escaped = part.replaceAll(/[\p{Cc}%\\:*?"<>|]/gu, (character) => percent(character.charCodeAt(0)));
  return escaped.startsWith('.') ? percent(46) + escaped.slice(1) : escaped;
}

function percent(code: number): string {
  return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}
