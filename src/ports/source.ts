import type { Schema, Static } from '../kernel/schema/declare.ts';
import type { Environment, Files } from './environment.ts';
import type { HttpClient, UrlRules } from './http-client.ts';

/** Where a source goes on after a restart; opaque to everybody but the source. */
export type ResumeToken = string;

/** One event from outside, not yet stored. */
export interface Arrival {
  readonly data: Uint8Array;
  /** Events with one key are one event, whenever they come. */
  readonly key?: string;
  /** Where there is no key: events with one id and the same bytes that come in several connections are one event. */
  readonly id?: string;
}

/** What came at one time, in order. */
export interface Arrivals {
  readonly events: readonly Arrival[];
  /** Goes on behind all of them; it may change without any event. */
  readonly token: ResumeToken;
  /** Counts the connections of this opening from 1. */
  readonly connection: number;
}

/** How a source fares, for people. */
export interface SourceStatus {
  /** `ended`: the other side said that there is no more. */
  readonly state: 'connecting' | 'connected' | 'waiting' | 'ended';
  /** Why it is not connected. */
  readonly failure?: string;
  /** Failures since something came last. */
  readonly failures: number;
  readonly reconnects: number;
  /** Events left out because the options say so, and because they are larger than allowed. */
  readonly skipped: number;
  readonly tooLarge: number;
  /** Position behind the newest event, as the other side names it. */
  readonly lastId?: string;
  /** How old the newest event was when it came, in ms; absent where events do not tell. */
  readonly lagMs?: number;
  /** Where it reads, without anything secret. */
  readonly from: string;
}

export interface OpenSource {
  /**
   * Connects and reads, and connects again, until `signal` aborts or the other side says that there is no more. Reads
   * no further than it is asked for. Failures of the other side are its own to repeat.
   */
  arrivals(signal: AbortSignal): AsyncIterable<Arrivals>;
  /** Everything up to `token` is durable. */
  acknowledge(token: ResumeToken): void;
  status(): SourceStatus;
}

/** What a source may use. */
export interface SourceDoors {
  /** In the config file. */
  readonly name: string;
  readonly http: HttpClient;
  /** Absolute path of the folder that relative paths of the options are meant from. */
  readonly configFolder: string;
}

/** What may be asked about the options: nothing is opened for it. */
export interface SourceNoteDoors extends Pick<SourceDoors, 'name' | 'configFolder'> {
  readonly files: Pick<Files, 'readFile'>;
}

/** What may be asked about files that the options name. */
export interface SourceFileDoors extends SourceNoteDoors {
  readonly urls: UrlRules;
}

/** A kind of source; `name` is its word in the config file. */
export interface Source<O extends Schema = Schema> {
  readonly name: string;
  readonly options: O;
  /** What the shape alone cannot say, and servers that may not be asked, in a sentence; undefined: nothing is wrong. */
  problem(options: Static<O>, urls: UrlRules): string | undefined;
  /** What `open` would refuse in files that the options name, in a sentence; undefined when it would not. */
  fileProblem?(options: Static<O>, doors: SourceFileDoors): Promise<string | undefined>;
  /** What works, but perhaps not as it was meant; in sentences, for `millrace lint`. */
  notes?(options: Static<O>, doors: SourceNoteDoors): Promise<readonly string[]>;
  /** Rejects with RequestError when files that the options name are missing or wrong. */
  open(
    options: Static<O>,
    at: ResumeToken | undefined,
    doors: SourceDoors,
    environment: Environment,
  ): Promise<OpenSource>;
}

/** A source whose options only its own room knows; called with options that were checked against `options`. */
export interface AnySource {
  readonly name: string;
  readonly options: Schema;
  problem(options: never, urls: UrlRules): string | undefined;
  fileProblem?(options: never, doors: SourceFileDoors): Promise<string | undefined>;
  notes?(options: never, doors: SourceNoteDoors): Promise<readonly string[]>;
  open(options: never, at: ResumeToken | undefined, doors: SourceDoors, environment: Environment): Promise<OpenSource>;
}
