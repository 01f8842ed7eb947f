import { messageOf } from '../../kernel/errors.ts';
import type { Clock } from '../../ports/environment.ts';
import type { AwsKeyChain, AwsKeys } from '../../ports/search-clusters.ts';
import { foundCredentials, type CredentialsProvider, type Sdk } from './found-credentials.ts';

/** Not asked again for so long where it found nothing, in ms: each look can wait a second for a machine's role. */
const NOTHING_MS = 10_000;
const NO_SDK =
  'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, and what finds profiles and roles, the AWS SDK, is not ' +
  'installed: npm install @aws-sdk/client-s3';

/** What the chain works with. */
export interface ChainOptions {
  readonly clock: Clock;
  readonly region: string;
  /** Keys in the environment of the process, for those who have no SDK. */
  readonly environmentKeys: () => AwsKeys | undefined;
  /** Loads the SDK; rejects where it is not installed. */
  readonly load?: () => Promise<Sdk>;
}

/** The chain of the AWS SDK, by which buckets go, too, for those who sign requests themselves. */
export class CredentialChain implements AwsKeyChain {
  readonly #options: ChainOptions;
  #provider: Promise<CredentialsProvider | undefined> | undefined;
  #nothing: { readonly reason: string; readonly until: number } | undefined;

  constructor(options: ChainOptions) {
    this.#options = options;
  }

  async keys(): Promise<AwsKeys | { readonly reason: string }> {
    this.#provider ??= this.#load();
    const provider = await this.#provider;
    if (provider === undefined) return this.#options.environmentKeys() ?? { reason: NO_SDK };
    const now = this.#options.clock.monotonic();
    if (this.#nothing !== undefined && now < this.#nothing.until) return { reason: this.#nothing.reason };
    try {
      const { accessKeyId, secretAccessKey, sessionToken } = await provider();
      this.#nothing = undefined;
      return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    } catch (error) {
      const reason = messageOf(error);
      this.#nothing = { reason, until: now + NOTHING_MS };
      return { reason };
    }
  }

  async #load(): Promise<CredentialsProvider | undefined> {
    const { region, clock, load = async () => await import('@aws-sdk/client-s3') } = this.#options;
    const sdk = await load().catch(() => undefined);
    return sdk === undefined ? undefined : foundCredentials(sdk, region, clock);
  }
}
