import type { ClusterAccess, SearchClusters } from '../ports/search-clusters.ts';

/** Search clusters that are all asked in this way; domains by their URLs. */
export function openClusters(
  access: ClusterAccess = { kind: 'none' },
  domains: Readonly<Record<string, string>> = {},
): SearchClusters {
  return { access: async () => access, endpoint: (domain) => domains[domain] };
}
