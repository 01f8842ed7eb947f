import { once } from 'node:events';
import { createServer } from 'node:http';
import { endServer, onLoopback } from '../../src/testing/loopback.ts';

/** As much of OpenSearch as bulk requests need, for tests without one. */
export interface BulkServer {
  readonly url: string;
  /** Source of each document by `index/id`. */
  readonly documents: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Listens on a free port of loopback. Documents with a member `ref` are refused when `refusesRefs`. */
export async function startBulkServer(refusesRefs = false): Promise<BulkServer> {
  const documents = new Map<string, string>();
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const lines = Buffer.concat(pieces).toString().split('\n').slice(0, -1);
      const items = lines.flatMap((line, at) =>
        at % 2 === 0 ? [take(documents, line, lines[at + 1] ?? '', refusesRefs)] : [],
      );
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ errors: items.some(({ index }) => index.status >= 400), items }));
    });
  });
  return {
    url: await onLoopback(server),
    documents,
    async close() {
      endServer(server);
      await once(server, 'close');
    },
  };
}

interface Item {
  readonly index: { readonly status: number; readonly error?: { readonly type: string; readonly reason: string } };
}

function take(documents: Map<string, string>, action: string, source: string, refusesRefs: boolean): Item {
  const { index } = JSON.parse(action) as { index: { _index: string; _id: string } };
  if (refusesRefs && source.includes('"ref"')) {
    return { index: { status: 400, error: { type: 'mapper_parsing_exception', reason: 'ref' } } };
  }
  documents.set(`${index._index}/${index._id}`, source);
  return { index: { status: 201 } };
}
