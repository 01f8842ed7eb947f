import { createFirehose } from './capabilities/firehose/index.ts';
import { functions } from './capabilities/functions/index.ts';
import { createGateway } from './capabilities/gateway/index.ts';
import { createIngest } from './capabilities/ingest/index.ts';
import { kinesis } from './capabilities/kinesis/index.ts';
import { httpEndpoint } from './destinations/http-endpoint/index.ts';
import { mongodb } from './destinations/mongodb/index.ts';
import { elasticsearch, openSearch } from './destinations/opensearch/index.ts';
import { s3 } from './destinations/s3/index.ts';
import type { AnyCapability } from './ports/capability.ts';
import type { AnyDestination } from './ports/destination.ts';
import type { AnySource } from './ports/source.ts';
import { sse } from './sources/sse/index.ts';

/** Kinds of destinations that deliveries can name. */
export const destinations: readonly AnyDestination[] = [s3, openSearch, elasticsearch, httpEndpoint, mongodb];

/** Kinds of sources that the file can name. */
const sources: readonly AnySource[] = [sse];

/** Started in this order: what a later one needs, an earlier one has. What stands behind `functions` calls handlers. */
export function capabilitiesWith(kinds: readonly AnyDestination[]): readonly AnyCapability[] {
  return [kinesis, functions, createFirehose(kinds), createGateway(kinds), createIngest(sources)];
}

/** Those of a node. */
export const capabilities: readonly AnyCapability[] = capabilitiesWith(destinations);
