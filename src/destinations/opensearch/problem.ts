import { hintsProblem } from '../../kernel/buffering-hints.ts';
import { parseUrl } from '../../kernel/net/parse-url.ts';
import { processingProblem } from '../../kernel/processing.ts';
import { indexNameProblem } from './index-name.ts';
import { EMBEDDED, type OpenSearchOptions } from './options.ts';

/** What the shape alone cannot say, and what is not built, in a sentence. */
export function problem(options: OpenSearchOptions): string | undefined {
  const { DomainARN: domain, ClusterEndpoint: endpoint, BufferingHints: hints, ProcessingConfiguration } = options;
  if ((domain === undefined) === (endpoint === undefined)) {
    return 'Give one of DomainARN and ClusterEndpoint, and not both.';
  }
  if (endpoint !== undefined && endpoint !== EMBEDDED) {
    const fault = endpointProblem(endpoint);
    if (fault !== undefined) return `ClusterEndpoint: ${fault}`;
  }
  return (
    hintsProblem(hints) ??
    processingProblem(ProcessingConfiguration ?? {}, false) ??
    indexNameProblem(options.IndexName)
  );
}

function endpointProblem(endpoint: string): string | undefined {
  const url = parseUrl(endpoint);
  if (url === undefined) return 'it is no URL';
  const { username, password, search, hash } = url;
  if (username !== '' || password !== '') {
    return 'it holds a name or a password, and would be shown; the section opensearch takes them';
  }
  return search === '' && hash === '' ? undefined : 'it may have a path, and no query';
}
