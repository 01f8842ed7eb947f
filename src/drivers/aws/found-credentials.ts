import type * as S3Sdk from '@aws-sdk/client-s3';
import type { Clock } from '../../ports/environment.ts';

/** The SDK as its users load it. */
export type Sdk = typeof S3Sdk;
type Config = InstanceType<Sdk['S3Client']>['config'];
/** Gives credentials as the SDK takes them, anew before they expire. */
export type CredentialsProvider = () => ReturnType<Config['credentials']>;

/** How long keys without an end are taken for those that still stand where they were found, in ms. */
const KEPT_MS = 60_000;
/** The SDK asks for others so long before credentials expire, in ms. */
const ASKED_BEFORE_MS = 300_000;

/**
 * What the SDK's own chain finds: environment, shared files, SSO, web identities, roles of containers and machines. Of
 * keys in files the SDK knows no end, and would keep those that expired and were replaced since: they are looked up
 * again each minute.
 */
export function foundCredentials(sdk: Sdk, region: string, clock: Clock): CredentialsProvider {
  // What is not said of it stands in the options of the providers below.
  const config: ConstructorParameters<Sdk['S3Client']>[0] & { readonly ignoreCache: boolean } = {
    region,
    ignoreCache: true,
  };
  const { credentials } = new sdk.S3Client(config).config;
  /** When keys without an end were looked up, on the clock that never steps back. */
  let endlessAt: number | undefined;
  return async () => {
    const now = clock.monotonic();
    const isOld = endlessAt !== undefined && now - endlessAt >= KEPT_MS;
    const found = await credentials({ forceRefresh: isOld });
    if (found.expiration !== undefined) {
      endlessAt = undefined;
      return found;
    }
    if (endlessAt === undefined || isOld) endlessAt = now;
    return { ...found, expiration: new Date(clock.now() + KEPT_MS + ASKED_BEFORE_MS) };
  };
}
