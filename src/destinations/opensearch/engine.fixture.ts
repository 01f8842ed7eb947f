import type { ScriptedAnswer, SeenRequest } from '../../testing/scripted-http.ts';

/** A document as the engine keeps it. */
interface Kept {
  readonly source: string;
  readonly version: number;
}

type Answer = (documents: number, body: Buffer) => ScriptedAnswer | undefined;

/** Answers bulk requests as OpenSearch 3.8 does; a document's member `status` says what becomes of it. */
export class Engine {
  /** By `index/id`. */
  readonly documents = new Map<string, Kept>();
  readonly requests: SeenRequest[] = [];
  /** What is answered in place of the engine's own. */
  answer: Answer = () => undefined;
  /** What `GET /` tells. */
  version: object = { distribution: 'opensearch', number: '3.8.0' };
  #made = 0;

  readonly script = (request: SeenRequest): ScriptedAnswer => {
    this.requests.push(request);
    if (request.method === 'GET') return { body: JSON.stringify({ version: this.version }) };
    const lines = request.body.toString().split('\n');
    if (lines.pop() !== '') return { status: 400, body: 'The bulk request must be terminated by a newline [\\n]' };
    const pairs = lines.flatMap((line, at) => (at % 2 === 0 ? [[line, lines[at + 1] ?? ''] as const] : []));
    return (
      this.answer(pairs.length, request.body) ?? {
        body: JSON.stringify({ errors: true, items: pairs.map(([action, source]) => this.#index(action, source)) }),
      }
    );
  };

  /** Documents of each bulk request so far. */
  get bulks(): number[] {
    return this.requests
      .filter(({ method }) => method === 'POST')
      .map(({ body }) => (String(body).split('\n').length - 1) / 2);
  }

  #index(action: string, source: string): object {
    const { index } = JSON.parse(action) as { index: { _index: string; _id?: string } };
    const { status, type = 'mapper_parsing_exception' } = JSON.parse(source) as { status?: number; type?: string };
    if (status !== undefined) return { index: { status, error: { type, reason: `for ${status}` } } };
    const id = `${index._index}/${index._id ?? `made-${(this.#made += 1)}`}`;
    const version = (this.documents.get(id)?.version ?? 0) + 1;
    this.documents.set(id, { source, version });
    return { index: { status: version === 1 ? 201 : 200 } };
  }
}
