/** A tag as AWS's lists have it. */
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** Tags by key, as AWS lists them. */
export function listTags(tags: Readonly<Record<string, string>>): readonly Tag[] {
  const sorted = Object.entries(tags).sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([Key, Value]) => ({ Key, Value }));
}

/** A page of the tags by key: those behind `after`, at most `limit`. */
export function tagPage(
  tags: Readonly<Record<string, string>>,
  after: string | undefined,
  limit: number,
): { readonly Tags: readonly Tag[]; readonly HasMoreTags: boolean } {
  const all = listTags(tags).filter(({ Key }) => after === undefined || Key > after);
  return { Tags: all.slice(0, limit), HasMoreTags: all.length > limit };
}

/** The tags that are left without some. */
export function withoutTags(
  tags: Readonly<Record<string, string>>,
  keys: readonly string[],
): Readonly<Record<string, string>> {
  const gone = new Set(keys);
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key)));
}
