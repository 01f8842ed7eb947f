import { Defect } from '../../kernel/errors.ts';
import { deliveryStreamArn } from '../../kernel/names.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Json } from '../../ports/catalog.ts';
import {
  DELIVERY_DEFAULTS,
  type AnyDestination,
  type Batch,
  type Buffering,
  type DestinationDoors,
  type FailurePath,
  type OpenDestination,
} from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import type { BatchBounds } from './gathering.ts';
import { firehoseLimits } from './limits.ts';
import type { DeliveryStream, Intent, Target } from './model.ts';

/** The kind of destination that holds what other destinations did not take. */
export const S3 = 'ExtendedS3DestinationConfiguration';

/** The destination of a target. A Defect where this node has none of the kind. */
export function destinationOf(destinations: readonly AnyDestination[], { kind }: Target): AnyDestination {
  const found = destinations.find(({ name }) => name === kind);
  if (found === undefined) throw new Defect(`no destination ${kind}`);
  return found;
}

/** What destinations are opened with. */
export interface OpeningDoors extends Omit<DestinationDoors, 'settings'> {
  readonly destinations: readonly AnyDestination[];
  readonly environment: Environment;
}

/** The target's destination, by its options; `settings` are those of the delivery. */
export function openTarget(
  { destinations, environment, ...doors }: OpeningDoors,
  target: Target,
  settings = DELIVERY_DEFAULTS,
): OpenDestination {
  const { blobs, http, documents, clusters } = doors;
  const destination = destinationOf(destinations, target);
  return destination.open(target.options as never, { blobs, http, documents, clusters, settings }, environment);
}

/** How long records are gathered for a target, and how many of them at most. */
export function bufferingOf(destinations: readonly AnyDestination[], target: Target): Buffering & BatchBounds {
  const buffering = destinationOf(destinations, target).buffering(target.options as never);
  const { gatheredRecordsMax, refusableRecordsMax } = firehoseLimits;
  // An object is written whole, or not at all.
  return { ...buffering, recordsMax: target.kind === S3 ? gatheredRecordsMax : refusableRecordsMax };
}

/** What becomes of records that the target does not take; undefined: it is attempted until it took them. */
export function failuresOf(destinations: readonly AnyDestination[], target: Target): FailurePath | undefined {
  return destinationOf(destinations, target).failures?.(target.options as never);
}

/** Where lines about records go that did not arrive: the backup, or the target itself where it is S3, or nowhere. */
export function errorTarget(destinations: readonly AnyDestination[], target: Target): Target | undefined {
  const failures = failuresOf(destinations, target);
  if (failures !== undefined) return { kind: S3, options: failures.backup };
  return target.kind === S3 ? target : undefined;
}

/** Where each record goes as it came, beside the target; undefined: nowhere. */
export function backupTarget(destinations: readonly AnyDestination[], target: Target): Target | undefined {
  const options = backupOptions(destinationOf(destinations, target), target);
  return options === undefined ? undefined : { kind: S3, options };
}

function backupOptions(destination: AnyDestination, { options }: Target): Json | undefined {
  const failures = destination.failures?.(options as never);
  return failures?.backupMode === 'all' ? failures.backup : destination.sourceBackup?.(options as never);
}

/** What the destination is told of a batch, beside its records. */
export function batchOf(
  { name }: Pick<DeliveryStream, 'name'>,
  { region, account }: Identity,
  intent: Pick<Intent, 'id' | 'version' | 'oldestAt' | 'recordCount' | 'sizeBytes'>,
): Omit<Batch, 'records'> {
  const { id, version, oldestAt, recordCount, sizeBytes } = intent;
  return {
    id,
    deliveryStream: name,
    deliveryStreamArn: deliveryStreamArn(region, account, name),
    versionId: String(version),
    oldestAt,
    recordCount,
    sizeBytes,
  };
}
