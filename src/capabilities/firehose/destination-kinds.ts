import { Defect } from '../../kernel/errors.ts';
import { s3Members } from '../../kernel/destination-shapes.ts';
import * as s from '../../kernel/schema/declare.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import { firehoseError } from './errors.ts';
import { updateShape } from './destination-update.ts';

/** Destinations of AWS's model, in its order. */
const MODEL = [
  'S3',
  'ExtendedS3',
  'Redshift',
  'Elasticsearch',
  'Amazonopensearchservice',
  'Splunk',
  'HttpEndpoint',
  'AmazonOpenSearchServerless',
  'Snowflake',
  'Iceberg',
] as const;
/** AWS's older form of the destination that it calls extended, with less members. */
const OLDER = 'S3';
const EXTENDED = 'ExtendedS3';

/** A destination as actions name it. */
export interface DestinationKind {
  /** The member of CreateDeliveryStream. */
  readonly configuration: string;
  /** The member of UpdateDestination. */
  readonly update: string;
  /** Absent: not built. */
  readonly destination?: AnyDestination & { readonly options: s.StructSchema };
  /** What may be said at creation, and in an update. */
  readonly shapes: { readonly configuration: s.Schema; readonly update: s.Schema };
}

/** The destinations of AWS's model, with what these know of them. */
export function destinationKinds(destinations: readonly AnyDestination[]): readonly DestinationKind[] {
  return MODEL.map((name) => {
    const configuration = `${name}DestinationConfiguration`;
    const update = `${name}DestinationUpdate`;
    const stored = `${name === OLDER ? EXTENDED : name}DestinationConfiguration`;
    const destination = destinations.find((one) => one.name === stored);
    // What is not built is not looked into: whatever it says, the answer is that it is not built.
    if (destination === undefined)
      return { configuration, update, shapes: { configuration: s.any(), update: s.any() } };
    const { options } = destination;
    if (options.kind !== 'struct') throw new Defect(`the options of ${stored} are no structure`);
    const own = name === OLDER ? s.struct(s3Members) : options;
    const shapes = { configuration: own, update: updateShape(configuration, own) };
    return { configuration, update, destination: { ...destination, options }, shapes };
  });
}

/** Optional members of an input, one for each kind. */
export function kindMembers(
  kinds: readonly DestinationKind[],
  form: 'configuration' | 'update',
): Readonly<Record<string, s.Optional>> {
  return Object.fromEntries(kinds.map((kind) => [kind[form], s.optional(kind.shapes[form])]));
}

/** A kind that is built, and what a request says of it. */
export interface ChosenKind {
  readonly destination: NonNullable<DestinationKind['destination']>;
  readonly said: Readonly<Record<string, unknown>>;
}

/** The one kind that a request names. InvalidArgumentException for none, for several, and for one that is not built. */
export function chosenKind(
  kinds: readonly DestinationKind[],
  form: 'configuration' | 'update',
  request: Readonly<Record<string, unknown>>,
): ChosenKind {
  const given = kinds.filter((kind) => request[kind[form]] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    // AWS's words of a configuration (observed).
    const sentence = `Exactly one destination ${form} is supported for a Firehose.`;
    throw firehoseError('InvalidArgumentException', sentence);
  }
  const { destination } = kind;
  if (destination === undefined) throw notBuilt(kind[form]);
  // Checked against its shape.
  return { destination, said: request[kind[form]] as ChosenKind['said'] };
}

/** What of AWS's model is not built. */
export function notBuilt(member: string): Error {
  return firehoseError('InvalidArgumentException', `${member} is not built yet.`);
}
