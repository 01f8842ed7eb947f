import * as s from '../../kernel/schema/declare.ts';
import type { Json } from '../../ports/catalog.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import { FUNCTION, functionOptions } from './function-options.ts';
import { firehoseLimits } from './limits.ts';
import type { Target } from './model.ts';

/** Destinations of the contract that are to come: a delivery that names one is kept, and waits. */
export const comingDestinations = ['series', 'websocket', 'kinesis', 'influxdb'] as const;

const timeOrPlace = s.either(
  [
    s.string({ values: ['TRIM_HORIZON', 'LATEST'] }),
    s.timestamp({ doc: 'Records that arrived at this time or later.' }),
  ],
  { doc: 'Where a new delivery starts: TRIM_HORIZON (default), LATEST or a time.' },
);

/** The declaration of the section `deliveries`, with the options of these destinations. */
export function deliveriesOptions(destinations: readonly AnyDestination[]): s.MapSchema {
  const built = destinations.map(({ name, options }) => [name, s.optional(options)] as const);
  const doc = 'Not built yet: the delivery is kept and waits, shown as `paused: not built`.';
  const coming = comingDestinations.map((name) => [name, s.optional(s.any({ hidden: true, doc }))] as const);
  const delivery = s.struct({
    from: s.optional(
      s.string({ min: 1, max: 128, doc: 'The stream it reads; without it, what is put to it directly.' }),
    ),
    startAt: s.optional(timeOrPlace),
    on413: s.optional(
      s.string({
        values: ['bisect', 'aws'],
        doc:
          'What follows when an HTTP endpoint finds a batch too large: halves down to the record that is (bisect, ' +
          'the default), or all of it goes to the error output (aws).',
      }),
    ),
    [FUNCTION]: s.optional(functionOptions),
    ...Object.fromEntries([...built, ...coming]),
  });
  return s.map(delivery, {
    key: s.string({ min: 1, max: firehoseLimits.nameCharactersMax, pattern: '[a-zA-Z0-9_.-]+' }),
    doc: 'Delivery streams by name, each with exactly one destination.',
  });
}

/** One entry of a checked section. */
export interface DeliveryOptions {
  readonly from?: string;
  readonly startAt?: string | number;
  readonly on413?: 'bisect' | 'aws';
  readonly [destination: string]: unknown;
}

/** A checked section. */
export type DeliveriesOptions = Readonly<Record<string, DeliveryOptions>>;

/** Words of a delivery that name no destination. */
const OWN_WORDS: readonly string[] = ['from', 'startAt', 'on413'];

/** The destination that a checked entry names: there is exactly one. */
export function waitingTarget(entry: DeliveryOptions): Target {
  const [kind, options] = Object.entries(entry).find(([word]) => !OWN_WORDS.includes(word)) ?? ['', null];
  return { kind, options: options as Json };
}
