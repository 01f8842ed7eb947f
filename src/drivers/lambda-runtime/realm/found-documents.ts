import type { AbstractCursor, Document, FindCursor } from 'mongodb';
import { knownMembers } from './known-members.ts';
import type { Pending } from './pending.ts';

/** What a query found, read when it is asked for. */
export function foundDocuments(open: () => AbstractCursor<Document>, pending: Pending, isQuery: boolean): object {
  let opened: AbstractCursor<Document> | undefined;
  const cursor = (): AbstractCursor<Document> => (opened ??= open());
  const tracked =
    <T>(act: (...values: never[]) => Promise<T>) =>
    (...values: unknown[]): Promise<T> =>
      pending.track(act(...(values as never[])));
  const shaped =
    (act: (query: FindCursor<Document>, value: never) => void) =>
    (value: unknown): object => {
      act(cursor() as FindCursor<Document>, value as never);
      return face;
    };
  const count = tracked(async () => (await cursor().toArray()).length);
  const face = knownMembers(
    {
      toArray: tracked(async () => await cursor().toArray()),
      next: tracked(async () => await cursor().next()),
      hasNext: tracked(async () => await cursor().hasNext()),
      forEach: tracked(async (each: (document: Document) => void) => {
        for await (const document of cursor()) each(document);
      }),
      map: (make: (document: Document) => Document) => foundDocuments(() => cursor().map(make), pending, isQuery),
      close: tracked(async () => await cursor().close()),
      isClosed: () => cursor().closed,
      count,
      size: count,
      itcount: count,
      ...(isQuery && {
        sort: shaped((query, sort) => query.sort(sort)),
        limit: shaped((query, limit) => query.limit(limit)),
        skip: shaped((query, skip) => query.skip(skip)),
        batchSize: shaped((query, size) => query.batchSize(size)),
      }),
    },
    'cursor',
  );
  return face;
}
