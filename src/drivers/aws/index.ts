import { EnvironmentError } from '../../kernel/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Sdk } from './found-credentials.ts';
import { S3Store, type S3StoreOptions } from './s3-store.ts';

/** Loads the AWS SDK, which only those have who asked for it: without it, EnvironmentError with the install command. */
export async function openS3Store(
  options: S3StoreOptions,
  environment: Pick<Environment, 'clock' | 'log'>,
): Promise<ObjectStore> {
  let sdk: Sdk;
  try {
    sdk = await import('@aws-sdk/client-s3');
  } catch (error) {
    const need = 'buckets of a real S3 (`s3` in the config) need the AWS SDK: npm install @aws-sdk/client-s3';
    throw new EnvironmentError('ENOENT', need, error);
  }
  return new S3Store(sdk, options, environment);
}
