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
export function transformAnswer(payload: Uint8Array, recordIds: readonly string[]): readonly Transformed[] | BadAnswer {
  const entries = entriesOf(payload);
  if (!Array.isArray(entries)) {
    return { code: 'Lambda.JsonProcessingException', message: 'the function’s answer has no list `records`' };
  }
  const known = new Set(recordIds);
  const found = new Map<string, Transformed>();
  for (const entry of entries as readonly unknown[]) {
    const id = memberOf(entry, 'recordId');
    // One that was not asked for says nothing of those that were.
    if (typeof id !== 'string' || !known.has(id)) continue;
    found.set(
      id,
      found.has(id) ? failed('Lambda.DuplicatedRecordId', 'the answer names the record twice') : readEntry(entry),
    );
  }
  const missing = failed('Lambda.MissingRecordId', 'the answer does not name the record');
  return recordIds.map((id) => found.get(id) ?? missing);
}

function readEntry(entry: unknown): Transformed {
  const result = memberOf(entry, 'result');
  if (result === 'Dropped') return { result };
  if (result === 'ProcessingFailed') return failed('Lambda.ProcessingFailedStatus', 'the function says that it failed');
  if (result !== 'Ok') {
    return failed('Lambda.JsonProcessingException', 'the result of a record is Ok, Dropped or ProcessingFailed');
  }
  const data = memberOf(entry, 'data');
  const bytes = typeof data === 'string' ? decoded(data) : undefined;
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

function entriesOf(payload: Uint8Array): unknown {
  try {
    return memberOf(JSON.parse(Buffer.from(payload).toString()), 'records');
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
