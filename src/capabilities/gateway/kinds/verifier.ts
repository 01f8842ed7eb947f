import type { Schema, Static } from '../../../kernel/schema/declare.ts';
import type { HttpClient } from '../../../ports/http-client.ts';
import type { Environment, Room } from '../../../ports/environment.ts';
import type { Content } from '../content.ts';
import type { PullOptions } from '../pull/pull-options.ts';

/** Headers of a request, lower-case names. */
export type Headers = Readonly<Record<string, string>>;

/** What a sender's proof is made of. */
export interface SignedRequest {
  readonly headers: Headers;
  /** The body, byte for byte as it was sent. */
  readonly body: Uint8Array;
  /** Decides which secrets are active and which times are fresh. */
  readonly nowMs: number;
  /** Resolves in the next turn of the loop: others come in between where a body is large. */
  readonly turn: () => Promise<void>;
  /** Counts what verifying holds beside the body; absent: nobody does. */
  readonly room?: Room | undefined;
}

/**
 * What became of the proof: `mismatch` (none of the active secrets made it), `stale` (its time is too far from now),
 * `unavailable` (what it is checked against cannot be had now; the sender should come again).
 */
export type Verification = 'valid' | 'mismatch' | 'stale' | 'unavailable';

/** How senders of one kind prove themselves and name their deliveries; without `deliveryId` they name none. */
export interface Verifier {
  /** The kind's word in the config file. */
  readonly kind: string;
  /** Whether a request without a body could still verify; false refuses it before its body is read. */
  mayVerify(headers: Headers): boolean;
  /** Whether the request is the sender's. */
  verify(request: SignedRequest): Verification | Promise<Verification>;
  /** The sender's id of the delivery, the same when it sends again; undefined when there is none. */
  deliveryId?(headers: Headers, content: Content): string | undefined;
  /** What the sender wants back, in place of a record, when it tests the address. */
  challenge?(content: Content): string | undefined;
  /** What a verified request says of its sender: the claims of its token. */
  claims?(headers: Headers): Readonly<Record<string, unknown>> | undefined;
  /** Headers that prove the sender to anyone who repeats them: they are in no record and no log. */
  readonly secretHeaders: readonly string[];
}

/** What is wrong with a section beyond its shape; `path` leads to the place. */
export interface RouteProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** A server that a way to verify asks; `path` leads to the word that names it. */
export interface AskedUrl {
  readonly path: readonly string[];
  readonly url: string;
}

/** What verifiers may use beside the request. */
export interface VerifierDoors {
  readonly environment: Environment;
  readonly http: HttpClient;
}

/** A webhook that is to be signed as its sender would. */
export interface Sample {
  readonly body: Uint8Array;
  /** The sender's word for what happened, for example `push`. */
  readonly event: string;
  readonly deliveryId: string;
  readonly nowMs: number;
}

/** One word of `verify`. */
export interface VerifierKind<O extends Schema = Schema> {
  readonly name: string;
  readonly options: O;
  /** Whether its ids or its challenge are in the content; absent: no. */
  readonly readsContent?: boolean;
  /** Whether its senders name their deliveries; absent: they do. */
  hasIds?(options: Static<O>): boolean;
  /** What the shape of the options alone cannot say. */
  problems?(options: Static<O>): readonly RouteProblem[];
  /** What is asked over HTTP, for a look at `outgoing`; absent: nothing. */
  urls?(options: Static<O>): readonly AskedUrl[];
  create(options: Static<O>, doors: VerifierDoors): Verifier;
  /** The headers of a sample that verifies; undefined when the options hold nothing to sign with. */
  sign(options: Static<O>, sample: Sample): Readonly<Record<string, string>> | undefined;
  /** Where the sender is asked for what nobody took; undefined: nowhere. */
  pull?(options: Static<O>): PullOptions | undefined;
}

/** A kind whose options only it knows. */
export interface AnyVerifierKind {
  readonly name: string;
  readonly options: Schema;
  readonly readsContent?: boolean;
  hasIds?(options: never): boolean;
  problems?(options: never): readonly RouteProblem[];
  urls?(options: never): readonly AskedUrl[];
  create(options: never, doors: VerifierDoors): Verifier;
  sign(options: never, sample: Sample): Readonly<Record<string, string>> | undefined;
  pull?(options: never): PullOptions | undefined;
}
