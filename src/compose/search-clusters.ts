import type { OpenSearchSection } from '../config/index.ts';
import type { AwsKeyChain, ClusterAccess, SearchClusters } from '../ports/search-clusters.ts';

/** What stands around the section. */
export interface ClusterSurroundings {
  /** The node's own, for hosts whose name does not tell theirs. */
  readonly region: string;
  /** For clusters of AWS, and for signatures of which the section gives no keys. */
  readonly chain: AwsKeyChain;
}

type Entry = OpenSearchSection[string];

/** A domain of AWS, with its region. */
const AWS_HOST = /\.([a-z]{2}(?:-[a-z]+)+-\d)\.es\.amazonaws\.com(?:\.cn)?$/;
const NO_KEYS = 'its requests are to be signed, and there are no keys';

/** The section `opensearch` as it was read last. */
export class ConfiguredClusters implements SearchClusters {
  readonly #surroundings: ClusterSurroundings;
  #section: OpenSearchSection = {};
  /** By URL. */
  #entries: ReadonlyMap<string, Entry> = new Map();

  constructor(surroundings: ClusterSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Goes by this section from now on. */
  use(section: OpenSearchSection | undefined): void {
    this.#section = section ?? {};
    this.#entries = new Map(
      Object.entries(this.#section).map(([name, entry]) => [canonical(entry.endpoint ?? name), entry]),
    );
  }

  async access(url: string): Promise<ClusterAccess> {
    const entry = this.#entries.get(canonical(url));
    if (entry?.username !== undefined) {
      return { kind: 'basic', username: entry.username, password: entry.password ?? '' };
    }
    if (entry?.sigv4 !== undefined) return await this.#signed(url, entry.sigv4);
    if (!AWS_HOST.test(new URL(url).hostname)) return { kind: 'none' };
    // As AWS's clients do, which sign with what they find, and to nobody else's hosts.
    const access = await this.#signed(url, {});
    return access.kind === 'missing' ? { kind: 'none' } : access;
  }

  endpoint(domain: string): string | undefined {
    return this.#section[domain]?.endpoint;
  }

  async #signed(url: string, given: NonNullable<Entry['sigv4']>): Promise<ClusterAccess> {
    const { accessKeyId, secretAccessKey, sessionToken } = given;
    const own =
      accessKeyId === undefined || secretAccessKey === undefined
        ? await this.#surroundings.chain.keys()
        : { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    if ('reason' in own) return { kind: 'missing', reason: `${NO_KEYS}: ${own.reason}` };
    const region = given.region ?? AWS_HOST.exec(new URL(url).hostname)?.[1] ?? this.#surroundings.region;
    return { kind: 'sigv4', region, ...own };
  }
}

/** One spelling for each cluster. */
function canonical(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, '');
}
