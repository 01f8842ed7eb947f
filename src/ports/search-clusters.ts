/** A key pair of AWS's; of a session with its token. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where the process finds keys of AWS's that nobody gave it. */
export interface AwsKeyChain {
  /** Those that are valid now, or why there are none, in a sentence. */
  keys(): Promise<AwsKeys | { readonly reason: string }>;
}

/** How requests prove who asks a search cluster. Secrets: never shown, never kept with a delivery. */
export type ClusterAccess =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | ({ readonly kind: 'sigv4'; readonly region: string } & AwsKeys)
  /** Signatures are asked for, and there is nothing to sign with, for the reason in the sentence. */
  | { readonly kind: 'missing'; readonly reason: string };

/** What the configuration says of search clusters, as it stands now. */
export interface SearchClusters {
  /** For the cluster at this URL. */
  access(url: string): Promise<ClusterAccess>;
  /** URL of the domain with this name; undefined when the configuration does not name one. */
  endpoint(domain: string): string | undefined;
}
