import type { Schema, Static } from '../kernel/schema/declare.ts';
import type { Environment } from './environment.ts';
import type { Header } from './stream-store.ts';

/** Where a source goes on after a restart; opaque to everybody but the source. */
export type ResumeToken = string;

/** One event from outside, not yet stored. */
export interface Arrival {
  readonly data: Uint8Array;
  /** Identifies the event for deduplication, where the source has such a thing. */
  readonly id?: string;
  readonly headers?: readonly Header[];
  /** Resume here once this event is durable. */
  readonly token: ResumeToken;
}

export interface OpenSource {
  events(signal: AbortSignal): AsyncIterable<Arrival>;
  /** Everything up to `token` is durable. */
  acknowledge(token: ResumeToken): Promise<void>;
  close(): Promise<void>;
}

/** A kind of source; `name` is its word in the config file. */
export interface Source<O extends Schema = Schema> {
  readonly name: string;
  readonly options: O;
  open(options: Static<O>, at: ResumeToken | undefined, environment: Environment): Promise<OpenSource>;
}
