import { inPieces } from '../../kernel/flow/in-pieces.ts';
import { jsonMembers, jsonTextAt } from '../../kernel/json-children.ts';
import { answerEntries, answerList } from './answer-list.ts';

/** What became of one record. */
export type Transformed =
  | { readonly result: 'Ok'; readonly data: Uint8Array }
  | { readonly result: 'Dropped' }
  | { readonly result: 'ProcessingFailed'; readonly code: TransformCode; readonly message: string };

/** Why a record could not be transformed; the names are AWS's (Developer guide, error codes of Lambda). */
export type TransformCode =
  | 'Lambda.JsonProcessingException'
  | 'Lambda.MissingRecordId'
  | 'Lambda.DuplicatedRecordId'
  | 'Lambda.ProcessingFailedStatus'
  | 'Lambda.FunctionError'
  | 'Lambda.FunctionTimedOut'
  | 'Lambda.FunctionRequestTooLarge'
  | 'Lambda.ResourceNotFound'
  | 'Lambda.InvokeLimitExceeded';

/** An answer that says nothing of any record. */
export interface BadAnswer {
  readonly code: TransformCode;
  readonly message: string;
}

/**
 * Reads what a function answered for the records of these ids: for each of them, in their order, what became of it. A
 * record that is not named, is named twice or has no data that can be read has failed; the others count.
 */
export async function transformAnswer(
  payload: Uint8Array,
  recordIds: readonly string[],
  turn: () => Promise<void>,
): Promise<readonly Transformed[] | BadAnswer> {
  return await inPieces(readAnswer(payload, recordIds), turn);
}

function* readAnswer(
  payload: Uint8Array,
  recordIds: readonly string[],
): Generator<undefined, readonly Transformed[] | BadAnswer> {
  const list = yield* answerList(payload, 'records');
  if (list?.kind !== 'list') {
    return { code: 'Lambda.JsonProcessingException', message: 'the function’s answer has no list `records`' };
  }
  const known = new Set(recordIds);
  const found = new Map<string, Transformed>();
  for (const entry of answerEntries(payload, list)) {
    if (entry === undefined) {
      yield;
      continue;
    }
    const members = yield* jsonMembers(payload, entry.at, NAMES);
    const text = (name: string): string | undefined => {
      const member = members.get(name);
      return member && jsonTextAt(payload, member.at, member.end);
    };
    const id = text('recordId');
    // One that was not asked for says nothing of those that were.
    if (id === undefined || !known.has(id)) continue;
    found.set(
      id,
      found.has(id) ? failed('Lambda.DuplicatedRecordId', 'the answer names the record twice') : readEntry(text),
    );
  }
  const missing = failed('Lambda.MissingRecordId', 'the answer does not name the record');
  return recordIds.map((id) => found.get(id) ?? missing);
}

const NAMES = ['recordId', 'result', 'data'];

function readEntry(text: (name: string) => string | undefined): Transformed {
  const result = text('result');
  if (result === 'Dropped') return { result };
  if (result === 'ProcessingFailed') return failed('Lambda.ProcessingFailedStatus', 'the function says that it failed');
  if (result !== 'Ok') {
    return failed('Lambda.JsonProcessingException', 'the result of a record is Ok, Dropped or ProcessingFailed');
  }
  const data = text('data');
  const bytes = data === undefined ? undefined : decoded(data);
  if (bytes === undefined) return failed('Lambda.JsonProcessingException', 'the data of a record is base64');
  return { result, data: bytes };
}

/** Undefined where the text is no base64: the platform passes over what is none, which makes the bytes too few. */
function decoded(text: string): Uint8Array | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = Buffer.from(text, 'base64');
  return digits % 4 !== 1 && bytes.length === Math.floor((digits * 3) / 4) ? bytes : undefined;
}

function failed(code: TransformCode, message: string): Transformed {
  return { result: 'ProcessingFailed', code, message };
}
