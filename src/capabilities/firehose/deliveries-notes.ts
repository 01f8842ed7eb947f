import { nameOfArn } from '../../kernel/names.ts';
import { unknownName } from '../../kernel/schema/unknown-name.ts';
import type { NoteDoors } from '../../ports/capability.ts';
import type { Json } from '../../ports/catalog.ts';
import type { AnyDestination, FailurePath } from '../../ports/destination.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import { comingDestinations, type DeliveriesOptions, type DeliveryOptions } from './config.ts';
import { FUNCTION, functionTarget } from './function-options.ts';
import { S3 } from './targets.ts';
import { transformOf } from './transform-options.ts';

const HINTS = 'BufferingHints';
const NO_HINTS =
  'has no effect here: what is not taken of a batch is one object, and how large batches are say the hints of the ' +
  'destination';
const WAITS = 'is not built yet: the delivery is kept, and waits as `paused: not built`';

/** What works in the section, but perhaps not as it was meant. */
export function deliveriesNotes(
  options: DeliveriesOptions,
  destinations: readonly AnyDestination[],
  { names }: Pick<NoteDoors, 'names'>,
): readonly SectionProblem[] {
  return Object.entries(options).flatMap(([name, delivery]) => {
    const { from } = delivery;
    const unknown = from === undefined ? undefined : unknownName('stream', nameOfArn(from), names('streams'));
    return [
      ...(unknown === undefined ? [] : [{ path: [name, 'from'], message: unknown }]),
      ...comingDestinations.flatMap((kind) =>
        delivery[kind] === undefined ? [] : [{ path: [name, kind], message: WAITS }],
      ),
      ...destinations.flatMap((destination) => ofDestination(name, delivery, destination, { destinations, names })),
      ...ofFunction(name, delivery[FUNCTION], names),
    ];
  });
}

interface Surroundings extends Pick<NoteDoors, 'names'> {
  readonly destinations: readonly AnyDestination[];
}

function ofDestination(
  name: string,
  delivery: DeliveryOptions,
  destination: AnyDestination,
  { destinations, names }: Surroundings,
): SectionProblem[] {
  const given = delivery[destination.name];
  if (given === undefined) return [];
  // The config reader checked it against the destination's own declaration.
  const notes = [
    ...(destination.notes?.(given as never) ?? []),
    ...ofBackup(destination.failures?.(given as never), destinations),
    ...ofTransform(given as Json, names),
  ];
  return notes.map(({ path, message }) => ({ path: [name, destination.name, ...path], message }));
}

/** Of the bucket beside a destination that is none itself. */
function ofBackup(failures: FailurePath | undefined, destinations: readonly AnyDestination[]): SectionProblem[] {
  if (failures === undefined) return [];
  const { backup, backupMode } = failures;
  const notes = destinations.find(({ name }) => name === S3)?.notes?.(backup as never) ?? [];
  const found = notes.map(({ path, message }) => ({ path: ['S3Configuration', ...path], message }));
  if (backupMode === 'all') return found;
  const others = found.filter(({ path }) => path[1] !== HINTS);
  const hasHints = (backup as Readonly<Record<string, unknown>>)[HINTS] !== undefined;
  return hasHints ? [...others, { path: ['S3Configuration', HINTS], message: NO_HINTS }] : others;
}

function ofTransform(options: Json, names: NoteDoors['names']): SectionProblem[] {
  const to = transformOf({ options })?.to;
  if (to === undefined || !('name' in to)) return [];
  const message = unknownName('function', to.name, names('functions'));
  return message === undefined ? [] : [{ path: ['ProcessingConfiguration'], message }];
}

function ofFunction(name: string, given: unknown, names: NoteDoors['names']): SectionProblem[] {
  if (given === undefined) return [];
  const { name: target, onFailure } = functionTarget(given);
  const found = [
    ['name', unknownName('function', target, names('functions'))] as const,
    ['onFailure', onFailure === undefined ? undefined : unknownName('stream', onFailure, names('streams'))] as const,
  ];
  return found.flatMap(([word, message]) => (message === undefined ? [] : [{ path: [name, FUNCTION, word], message }]));
}
