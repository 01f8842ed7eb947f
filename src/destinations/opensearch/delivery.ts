import type {
  AttemptSize,
  Batch,
  Delivered,
  DestinationDoors,
  OpenDestination,
  OutgoingRecord,
} from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import { BulkAttempt } from './bulk-attempt.ts';
import { attemptBounds, attemptBytes } from './bulk-memory.ts';
import { Cluster } from './cluster.ts';
import { indexAt } from './index-name.ts';
import type { Naming } from './naming.ts';
import { documentId, hasOwnIds, placeOf, type OpenSearchOptions } from './options.ts';

/** The last version of Elasticsearch that needs types. */
const TYPED_MAJOR_MAX = 6;
/** Of what an engine says of itself. */
const GREETING_BYTES_MAX = 64 * 1024;
/** Names of indexes in the place of what was delivered. */
const SHOWN_MAX = 3;

/** One delivery's documents on their way. */
export class OpenSearchDelivery implements OpenDestination {
  readonly #options: OpenSearchOptions;
  readonly #naming: Naming;
  readonly #cluster: Cluster;
  readonly #environment: Environment;

  constructor(options: OpenSearchOptions, naming: Naming, doors: DestinationDoors, environment: Environment) {
    this.#options = options;
    this.#naming = naming;
    this.#cluster = new Cluster(options, naming, doors, environment);
    this.#environment = environment;
  }

  holdsBytes(size: AttemptSize): number {
    return attemptBytes(attemptBounds(size));
  }

  place(): string {
    return placeOf(this.#options, this.#naming);
  }

  async deliver(batch: Batch, place: string, signal: AbortSignal): Promise<Delivered> {
    const bounds = attemptBounds(batch);
    const type = await this.#type(signal);
    const names = new Set<string>();
    const places: { from: number; to: number; place: string }[] = [];
    const hasIds = hasOwnIds(this.#options);
    const action = (record: OutgoingRecord): Uint8Array => {
      const name = indexAt(place, record.at);
      names.add(name);
      const own = `${this.#cluster.url}/${name}`;
      const last = places.at(-1);
      if (last?.place === own) last.to = record.index + 1;
      else places.push({ from: record.index, to: record.index + 1, place: own });
      return actionLine(name, type, hasIds ? documentId(record) : undefined);
    };
    const attempt = new BulkAttempt({
      cluster: this.#cluster,
      naming: this.#naming,
      environment: this.#environment,
      signal,
      hasIds,
      action,
      bounds,
    });
    for await (const records of batch.records()) await attempt.take(records);
    const delivered = await attempt.finish();
    const shown = `${this.#cluster.url}/${shownNames(names)}`;
    return { place: shown, ...(places.length > 1 && { places }), status: 200, ...delivered };
  }

  async close(): Promise<void> {}

  /** Types are gone since Elasticsearch 7, and later engines refuse them: they go only to those that need them. */
  async #type(signal: AbortSignal): Promise<string | undefined> {
    const { TypeName: type = '' } = this.#options;
    if (type === '') return undefined;
    const { status, body } = await this.#cluster.ask(
      { method: 'GET', path: '/', answerBytesMax: GREETING_BYTES_MAX },
      signal,
    );
    return status === 200 && takesTypes(body) ? type : undefined;
  }
}

/** A backlog can go to very many. */
function shownNames(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, SHOWN_MAX).join(',');
  return names.size > SHOWN_MAX ? `${shown},... (${names.size} indexes)` : shown;
}

function actionLine(index: string, type: string | undefined, id: string | undefined): Uint8Array {
  return Buffer.from(JSON.stringify({ index: { _index: index, _type: type, _id: id } }));
}

function takesTypes(answer: Uint8Array): boolean {
  try {
    const parsed = JSON.parse(Buffer.from(answer).toString()) as {
      version?: { number?: unknown; distribution?: unknown };
    };
    const { number, distribution } = parsed?.version ?? {};
    // OpenSearch counts from 1 again, and can say that it is Elasticsearch 7.10.
    return (
      distribution !== 'opensearch' && typeof number === 'string' && Number.parseInt(number, 10) <= TYPED_MAJOR_MAX
    );
  } catch {
    return false;
  }
}
