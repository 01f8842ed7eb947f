import { nameOfArn } from '../../kernel/names.ts';
import { unknownName } from '../../kernel/schema/unknown-name.ts';
import type { NoteDoors } from '../../ports/capability.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import type { SectionProblem } from '../../ports/section-problem.ts';
import { comingDestinations, type DeliveriesOptions, type DeliveryOptions } from './config.ts';
import { FUNCTION, functionTarget } from './function-options.ts';

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
      ...ofDestinations(name, delivery, destinations),
      ...ofFunction(name, delivery[FUNCTION], names),
    ];
  });
}

function ofDestinations(
  name: string,
  delivery: DeliveryOptions,
  destinations: readonly AnyDestination[],
): SectionProblem[] {
  return destinations.flatMap((destination) => {
    const given = delivery[destination.name];
    if (given === undefined) return [];
    // The config reader checked it against the destination's own declaration.
    const notes = destination.notes?.(given as never) ?? [];
    return notes.map(({ path, message }) => ({ path: [name, destination.name, ...path], message }));
  });
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
