import type { WholeBody } from './http.ts';
import type { AwsForm } from '../kernel/schema/aws-types.ts';
import type { Schema, Static } from '../kernel/schema/declare.ts';

/** What one call of an operation knows beside its input. `state` is what the capability's start returned. */
export interface Call<S> {
  readonly requestId: string;
  /** How the protocol writes: what an operation reads or writes itself is in this form. */
  readonly form: AwsForm;
  readonly signal: AbortSignal;
  readonly state: S;
  /** As HttpRequest's: takes bytes of the budget of all requests until the answer stands. */
  hold(bytes: number): Promise<void>;
}

/** An answer that its operation serialised itself, in the form of its call; sent as it is. */
export class RawAnswer {
  readonly body: WholeBody;
  /** As HttpAnswer's. */
  readonly sent: (() => void) | undefined;

  constructor(body: WholeBody, sent?: () => void) {
    this.body = body;
    this.sent = sent;
  }
}

/** One event of an answer that goes on. */
export interface OutgoingEvent {
  /** Its name among the operation's `events`. */
  readonly type: string;
  /** A value of that shape, or what the operation serialised itself. */
  readonly value: unknown;
}

/**
 * An answer that goes on after the call: events in the operation's shapes. A RequestError that the iteration throws is
 * the stream's last frame, an exception; any other error is one of AWS's for what nobody expected.
 */
export class EventAnswer {
  readonly events: AsyncIterable<OutgoingEvent>;
  /** Aborts when the answer is to be cut off. */
  readonly cut: AbortSignal | undefined;

  constructor(events: AsyncIterable<OutgoingEvent>, cut?: AbortSignal) {
    this.events = events;
    this.cut = cut;
  }
}

/** One AWS action: declared once, served by every protocol. */
export interface Operation<S, I extends Schema = Schema, O = unknown> {
  /** AWS's action name, for example `PutRecord`. */
  readonly name: string;
  /** The `X-Amz-Target` prefix, for example `Kinesis_20131202`. */
  readonly target: string;
  readonly input: I;
  /** Shape of the answer; absent: an empty body. */
  readonly output?: Schema;
  /** Shapes of the events of an EventAnswer, by name. */
  readonly events?: Readonly<Record<string, Schema>>;
  /** AWS exception names this action may raise, beside the common ones. */
  readonly errors: readonly string[];
  readonly plane: 'control' | 'data';
  /** It only says that there is no such thing yet. */
  readonly isNotBuilt?: true;
  /** One sentence for the reference page. */
  readonly doc: string;
  /**
   * Does all of it straight from a body's bytes where that is plain, and nothing is wrong with it; undefined
   * leaves it to the full parse and `handle`, which must come to the same. Then nothing was stored yet. With an answer
   * it holds no part of the body any more: that memory is used again.
   */
  fast?(body: Uint8Array, call: Call<S>): Promise<RawAnswer | undefined>;
  handle(input: Static<I>, call: Call<S>): Promise<O>;
}

/** Keeps the input's type while an operation is written down, and forgets it for the list of all operations. */
export function operation<S>() {
  return <I extends Schema, O>(declared: Operation<S, I, O>): Operation<S> => {
    // Input is checked against `input` before it gets here.
    return { ...declared, handle: (input, call) => declared.handle(input as Static<I>, call) };
  };
}
