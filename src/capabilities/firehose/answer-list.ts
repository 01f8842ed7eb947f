import { jsonChildren, jsonMembers, type JsonChild } from '../../kernel/json-children.ts';
import { JsonScanner } from '../../kernel/json-scanner.ts';

const [OPEN_LIST, NULL] = [0x5b, 0x6e];
const PIECE_BYTES = 64 * 1024;
/** Entries that are looked at in one turn. */
const PIECE_ENTRIES = 1000;

/** A member of a function's answer that is to be a list. */
export interface AnswerList {
  readonly kind: 'list' | 'null' | 'other';
  /** Where it begins. */
  readonly at: number;
}

/**
 * The member `name` of an answer; undefined where that is no object, no JSON, or has none. An answer has up to 6 MiB of
 * anything: its values are not built, and it is looked at in pieces.
 */
export function* answerList(payload: Uint8Array, name: string): Generator<undefined, AnswerList | undefined> {
  const scanner = new JsonScanner(payload);
  while (scanner.scan(PIECE_BYTES)) yield;
  if (scanner.wrongAt !== undefined) return undefined;
  const from = payload.findIndex((byte) => byte > 0x20);
  const found = (yield* jsonMembers(payload, from, [name])).get(name);
  if (found === undefined) return undefined;
  const first = payload[found.at];
  return { kind: first === OPEN_LIST ? 'list' : first === NULL ? 'null' : 'other', at: found.at };
}

/** What stands in a list of an answer. */
export function* answerEntries(payload: Uint8Array, { at }: AnswerList): Generator<JsonChild | undefined, void> {
  let count = 0;
  for (const child of jsonChildren(payload, at)) {
    yield child;
    count += 1;
    if (count % PIECE_ENTRIES === 0) yield undefined;
  }
}
