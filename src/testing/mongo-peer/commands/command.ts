import type { Document } from 'bson';
import type { ChangeLog } from '../change-log.ts';
import type { Cursors } from '../cursors.ts';
import { PeerError } from '../errors.ts';
import type { FailPoints, Failure } from '../fail-points.ts';
import type { Store } from '../store.ts';
import { isDocument } from '../values.ts';

/** What commands work with. */
export interface PeerState {
  readonly store: Store;
  readonly log: ChangeLog;
  readonly cursors: Cursors;
  readonly failPoints: FailPoints;
  /** host:port, as clients reach it. */
  readonly address: string;
  /** ms */
  now(): number;
}

/** One command as it came. */
export interface Call {
  readonly state: PeerState;
  readonly body: Document;
  readonly database: string;
  readonly connectionId: number;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  /** What is to happen to one of its statements by script. */
  readonly failure?: Failure | undefined;
}

/** A command and what it does. */
export interface Command {
  /** The members it understands beside those of all commands; absent where others do no harm. */
  readonly fields?: readonly string[];
  /** Whether a repeat with the same number of the same session gets the answer of the first. */
  readonly isRetryable?: boolean;
  run(call: Call): Document | Promise<Document>;
}

/** The collection a command names. InvalidNamespace when it names none. */
export function collectionOf({ body }: Call, command: string): string {
  const name: unknown = body[command];
  if (typeof name === 'string' && name !== '' && !name.includes('\0') && !name.startsWith('.')) return name;
  throw new PeerError('InvalidNamespace', `${command} needs the name of a collection`);
}

/** A member that is a document, or an empty one. */
export function documentIn(body: Document, name: string): Document {
  const value: unknown = body[name] ?? {};
  if (!isDocument(value)) throw new PeerError('TypeMismatch', `${name} must be a document`);
  return value;
}

/** A member that has to be a list of documents. */
export function documentsIn(body: Document, name: string): Document[] {
  const value: unknown = body[name];
  if (Array.isArray(value) && value.every(isDocument)) return value;
  throw new PeerError('TypeMismatch', `${name} must be an array of documents`);
}

/** Refuses members of a statement that this peer does not understand. */
export function checkFields(document: Document, known: readonly string[], where: string): void {
  const unknown = Object.keys(document).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new PeerError('UnknownField', `BSON field '${where}.${unknown}' is an unknown field.`);
}
