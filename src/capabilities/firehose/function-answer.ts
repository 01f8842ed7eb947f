/** What a function's answer says of a batch: how many records, from the first on, it took. */
export type FunctionAnswer =
  | { readonly kind: 'all' }
  | { readonly kind: 'some'; readonly taken: number }
  | { readonly kind: 'none'; readonly message: string };

/**
 * Reads an answer as Lambda does where ReportBatchItemFailures is on: nothing named is success; of several named items
 * the first counts, and all behind it comes again; an item that is not of the batch fails all of it.
 */
export function functionAnswer(payload: Uint8Array, identifiers: readonly string[]): FunctionAnswer {
  const failures = failuresOf(payload);
  if (failures === undefined || failures === null) return { kind: 'all' };
  if (!Array.isArray(failures)) return { kind: 'none', message: 'batchItemFailures is not a list' };
  if (failures.length === 0) return { kind: 'all' };
  const places = new Map(identifiers.map((identifier, index) => [identifier, index] as const));
  let taken = identifiers.length;
  for (const failure of failures as readonly unknown[]) {
    const identifier = memberOf(failure, 'itemIdentifier');
    const place = typeof identifier === 'string' ? places.get(identifier) : undefined;
    if (place === undefined) {
      return { kind: 'none', message: 'batchItemFailures has an itemIdentifier that is not of the batch' };
    }
    taken = Math.min(taken, place);
  }
  return { kind: 'some', taken };
}

/** What is no object, or no JSON, names nothing. */
function failuresOf(payload: Uint8Array): unknown {
  try {
    return memberOf(JSON.parse(Buffer.from(payload).toString()), 'batchItemFailures');
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
