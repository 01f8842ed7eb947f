import { inPieces } from '../../kernel/flow/in-pieces.ts';
import { jsonMembers, jsonTextAt } from '../../kernel/json-children.ts';
import { answerEntries, answerList } from './answer-list.ts';

/** What a function's answer says of a batch: how many records, from the first on, it took. */
export type FunctionAnswer =
  | { readonly kind: 'all' }
  | { readonly kind: 'some'; readonly taken: number }
  | { readonly kind: 'none'; readonly message: string };

/**
 * Reads an answer as Lambda does where ReportBatchItemFailures is on: nothing named is success; of several named items
 * the first counts, and all behind it comes again; an item that is not of the batch fails all of it.
 */
export async function functionAnswer(
  payload: Uint8Array,
  identifiers: readonly string[],
  turn: () => Promise<void>,
): Promise<FunctionAnswer> {
  return await inPieces(readAnswer(payload, identifiers), turn);
}

function* readAnswer(payload: Uint8Array, identifiers: readonly string[]): Generator<undefined, FunctionAnswer> {
  const failures = yield* answerList(payload, 'batchItemFailures');
  if (failures === undefined || failures.kind === 'null') return { kind: 'all' };
  if (failures.kind === 'other') return { kind: 'none', message: 'batchItemFailures is not a list' };
  const places = new Map(identifiers.map((identifier, index) => [identifier, index] as const));
  let taken: number | undefined;
  for (const entry of answerEntries(payload, failures)) {
    if (entry === undefined) {
      yield;
      continue;
    }
    const named = (yield* jsonMembers(payload, entry.at, NAMES)).get('itemIdentifier');
    const identifier = named && jsonTextAt(payload, named.at, named.end);
    const place = identifier === undefined ? undefined : places.get(identifier);
    if (place === undefined) {
      return { kind: 'none', message: 'batchItemFailures has an itemIdentifier that is not of the batch' };
    }
    taken = Math.min(taken ?? identifiers.length, place);
  }
  return taken === undefined ? { kind: 'all' } : { kind: 'some', taken };
}

const NAMES = ['itemIdentifier'];
