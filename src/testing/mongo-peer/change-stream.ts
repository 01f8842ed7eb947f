import { Long, Timestamp, type Document } from 'bson';
import type { ChangeLog, LoggedEvent } from './change-log.ts';
import { BATCH_BYTES_MAX, type Batch, type Cursor } from './cursors.ts';
import { PeerError, unsupported } from './errors.ts';
import { pipeline } from './pipeline.ts';
import { readToken, writeToken, type ResumeToken } from './resume-token.ts';
import type { Store } from './store.ts';
import { calculateBytes, decodeDocument, isDocument, keyOf } from './values.ts';

/** What a stream looks at: a collection, a database, or with neither all of them. */
export interface Scope {
  readonly database?: string;
  readonly collection?: string;
}

const FIELDS = ['fullDocument', 'fullDocumentBeforeChange', 'resumeAfter', 'startAfter', 'startAtOperationTime'];
const OTHERS_WITHOUT_EFFECT = ['allChangesForCluster', 'showExpandedEvents'];
/** Stages that may follow `$changeStream`. */
const STAGES = ['$match', '$project'];
const WAIT_MS_MAX = 10_000;
const WAIT_MS = 1000;

/** A cursor over the log of changes that waits for more at its end. */
export class ChangeStream implements Cursor {
  readonly namespace: string;
  readonly #log: ChangeLog;
  readonly #store: Store;
  readonly #scope: Scope;
  readonly #stages: readonly Document[];
  readonly #looksUp: boolean;
  #at: ResumeToken;
  /** Set when the stream's own end is due: the event that brought it. */
  #endsWith: LoggedEvent | undefined;
  #isOver = false;

  constructor(log: ChangeLog, store: Store, scope: Scope, namespace: string, stages: readonly Document[]) {
    const [first, ...others] = stages;
    const options = (first?.['$changeStream'] ?? {}) as Document;
    checkOptions(options, others);
    this.namespace = namespace;
    this.#log = log;
    this.#store = store;
    this.#scope = scope;
    this.#stages = others;
    this.#looksUp = options['fullDocument'] === 'updateLookup';
    this.#at = startOf(options, log);
    log.after(this.#at.time);
    if (this.#at.kind === 'event') this.#endsWith = this.#endAt(this.#at.time);
  }

  async next(size: number, waitMs: number | undefined, signal: AbortSignal): Promise<Batch> {
    const until = performance.now() + Math.min(waitMs ?? WAIT_MS, WAIT_MS_MAX);
    let documents = this.#read(size);
    while (documents.length === 0 && !signal.aborted && !this.#isOver) {
      const left = until - performance.now();
      if (left <= 0) break;
      await this.#log.change(left, signal);
      documents = this.#read(size);
    }
    return { documents, isOver: this.#isOver, postBatchResumeToken: writeToken(this.#at) };
  }

  /** The first answer does not wait. */
  first(size: number): Batch {
    return { documents: this.#read(size), isOver: this.#isOver, postBatchResumeToken: writeToken(this.#at) };
  }

  #read(size: number): Document[] {
    const documents: Document[] = [];
    let bytes = 0;
    const take = (event: Document): boolean => {
      const shown = this.#shown(event);
      if (shown === undefined) return true;
      const length = calculateBytes(shown);
      if (documents.length > 0 && bytes + length > BATCH_BYTES_MAX) return false;
      documents.push(shown);
      bytes += length;
      return true;
    };
    for (const event of this.#endsWith === undefined && !this.#isOver ? this.#log.after(this.#at.time) : []) {
      if (documents.length >= size) return documents;
      const token: ResumeToken = { time: event.time, kind: 'event' };
      const isMine = this.#isMine(event);
      if (isMine && !take({ _id: writeToken(token), ...this.#lookedUp(decodeDocument(event.bytes)) })) return documents;
      this.#at = isMine ? token : { time: event.time, kind: 'time' };
      if (!this.#isEnd(event)) continue;
      this.#endsWith = event;
      break;
    }
    if (this.#endsWith !== undefined && documents.length < size) this.#end(take, this.#endsWith);
    return documents;
  }

  #end(take: (event: Document) => boolean, { time, bytes }: LoggedEvent): void {
    const token: ResumeToken = { time, kind: 'invalidate' };
    const { clusterTime, wallTime } = decodeDocument(bytes);
    if (!take({ _id: writeToken(token), operationType: 'invalidate', clusterTime, wallTime })) return;
    this.#at = token;
    this.#isOver = true;
    this.#endsWith = undefined;
  }

  /** The event of that time when it ends this stream: behind it stands only the stream's end. */
  #endAt(time: bigint): LoggedEvent | undefined {
    const event = this.#log.find(time);
    return event !== undefined && this.#isEnd(event) ? event : undefined;
  }

  #isMine({ database, collection }: LoggedEvent): boolean {
    if (this.#scope.database !== undefined && database !== this.#scope.database) return false;
    return this.#scope.collection === undefined || collection === this.#scope.collection;
  }

  /** A collection's stream ends with the collection, a database's with the database. */
  #isEnd(event: LoggedEvent): boolean {
    if (this.#scope.database === undefined || !this.#isMine(event)) return false;
    const ends = this.#scope.collection === undefined ? 'dropDatabase' : 'drop';
    return decodeDocument(event.bytes)['operationType'] === ends;
  }

  /** As it is now, not as it was when it happened: null when it is gone. */
  #lookedUp(event: Document): Document {
    if (!this.#looksUp || event['operationType'] !== 'update') return event;
    const { db, coll } = event['ns'] as { db: string; coll: string };
    const [document] = this.#store.find(db, coll, event['documentKey'] as Document);
    return { ...event, fullDocument: document ?? null };
  }

  #shown(event: Document): Document | undefined {
    const [shown] = pipeline([event], this.#stages);
    if (shown !== undefined && keyOf(shown['_id']) !== keyOf(event['_id'])) {
      const text =
        'Encountered an event whose _id field, which contains the resume token, was modified by the pipeline.';
      throw new PeerError('ChangeStreamFatalError', text);
    }
    return shown;
  }
}

function checkOptions(options: Document, stages: readonly Document[]): void {
  for (const name of Object.keys(options)) {
    if (![...FIELDS, ...OTHERS_WITHOUT_EFFECT].includes(name)) throw unsupported(`$changeStream.${name}`);
  }
  const full: unknown = options['fullDocument'] ?? 'default';
  if (full !== 'default' && full !== 'updateLookup') throw unsupported(`fullDocument: ${String(full)}`);
  const before: unknown = options['fullDocumentBeforeChange'] ?? 'off';
  if (before !== 'off') throw unsupported(`fullDocumentBeforeChange: ${String(before)}`);
  for (const stage of stages) {
    const name = Object.keys(stage)[0] ?? '';
    if (!STAGES.includes(name)) throw unsupported(`the stage ${name} in a change stream`);
  }
}

/** Where a stream begins; the three options that say so exclude each other. */
function startOf(options: Document, log: ChangeLog): ResumeToken {
  const { resumeAfter, startAfter, startAtOperationTime } = options;
  const given = [resumeAfter, startAfter, startAtOperationTime].filter((option) => option !== undefined);
  if (given.length > 1) {
    throw new PeerError('BadValue', 'only one of resumeAfter, startAfter and startAtOperationTime may be given');
  }
  if (startAtOperationTime instanceof Timestamp) {
    return { time: Long.fromValue(startAtOperationTime).toUnsigned().toBigInt() - 1n, kind: 'time' };
  }
  if (startAtOperationTime !== undefined) {
    throw new PeerError('TypeMismatch', 'startAtOperationTime must be a timestamp');
  }
  if (startAfter !== undefined) return readToken(startAfter);
  if (resumeAfter === undefined) return { time: log.latest, kind: 'time' };
  const token = readToken(resumeAfter);
  if (token.kind !== 'invalidate') return token;
  const text =
    "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.";
  throw new PeerError('InvalidResumeToken', text);
}

/** Whether a pipeline is a change stream's. */
export function isChangeStream(stages: readonly unknown[]): boolean {
  const [first] = stages;
  return isDocument(first) && Object.keys(first)[0] === '$changeStream';
}
