import type { Endpoint, MadeStream } from './endpoint.ts';

/** One behaviour that is expected. It rejects where the endpoint behaves otherwise. */
export interface Check {
  readonly name: string;
  readonly run: (endpoint: Endpoint) => Promise<void>;
}

/** Checks of one kind, in the order in which they run. */
export interface Area {
  readonly title: string;
  readonly checks: readonly Check[];
}

/** What an action must refuse: why, with what, as which types, in which sentence. */
export type Refusal = readonly [why: string, input: object, types: string, sentence?: RegExp];

/** One check. */
export function check(name: string, run: Check['run']): Check {
  return { name, run };
}

/** A check on a stream of its own, with so many shards, on-demand without a number. */
export function onStream(
  name: string,
  purpose: string,
  shards: number | undefined,
  run: (endpoint: Endpoint, stream: MadeStream) => Promise<void>,
): Check {
  return check(name, async (endpoint) => await run(endpoint, await endpoint.stream(purpose, shards)));
}

/** What inputs that are refused are made of. */
interface Given extends MadeStream {
  /** Names no stream, unless the endpoint takes what it must refuse. */
  readonly missing: string;
}

/**
 * One check for each refusal of an action, all with one stream of one shard that nothing is done to, and each with the
 * name of a stream that is not there.
 */
export function refusals(action: string, table: (given: Given) => readonly Refusal[]): Check[] {
  // Only inputs know the stream: names and number of the checks are the same for every one.
  const anybody = { name: 'name', arn: 'arn:aws:kinesis:us-east-1:000000000000:stream/name', missing: 'missing' };
  return table(anybody).map(([why], index) => {
    return onStream(`${action} refuses ${why}`, 'refusals', 1, async (endpoint, stream) => {
      const missing = endpoint.name(`no-${action}-${index}`);
      const [, input, types, sentence] = table({ ...stream, missing })[index] as Refusal;
      // An endpoint that took what it had to refuse may still be at it.
      await endpoint.active(stream.name);
      await endpoint.refuses(action, input, types, sentence);
    });
  });
}
