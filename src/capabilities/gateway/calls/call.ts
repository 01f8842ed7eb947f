import type { HttpAnswer, HttpRequest } from '../../../ports/http.ts';
import type { Identity } from '../../../ports/capability.ts';
import type { Content } from '../content.ts';
import type { Returned } from './returned.ts';

/** What an authorizer said of a request it let pass. */
export interface Authorized {
  /** Of an IAM answer. */
  readonly principalId: string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
}

/** What a function may be told of the request itself. */
export type RequestHead = Pick<
  HttpRequest,
  'id' | 'method' | 'path' | 'query' | 'headers' | 'headerList' | 'remoteAddress' | 'signal'
>;

/** A request whose sender may not be known yet. */
export interface IncomingRequest {
  readonly request: RequestHead;
  /** Of the route: `POST /hooks/{id}`, and its path with the base path. */
  readonly routeKey: string;
  readonly resource: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** As it was sent. */
  readonly body: Uint8Array;
  readonly identity: Identity;
  /** When the request came, in ms. */
  readonly receivedAt: number;
  /** The sender's own, verified as much as the sender's kind does. */
  readonly deliveryId: string | undefined;
  /** Of a token that was verified. */
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  readonly authorized: Authorized | undefined;
}

/** A request on its way to a function. */
export interface IncomingCall extends IncomingRequest {
  readonly content: Content;
}

/** How a request reaches a function as its event, and how what it returns becomes the answer. */
export interface CallForm {
  /** The word in the config file. */
  readonly name: string;
  readonly timeoutMs: number;
  /** Whether the event is made of the content, and not of the body as it was sent. */
  readonly readsContent: boolean;
  /** The event. RequestError InvalidBody when the body cannot be one. */
  event(call: IncomingCall): object | Uint8Array;
  /** The answer; undefined when what was returned is none. */
  answer(returned: Returned): HttpAnswer | undefined;
  /** When the function failed, or returned what is no answer. */
  readonly failed: HttpAnswer;
  /** When it took too long. */
  readonly timedOut: HttpAnswer;
  /** By their codes, refusals that are said in other words than on routes to streams; absent: none. */
  readonly refusals?: ReadonlyMap<string, HttpAnswer>;
}

/** Header of a request that is sent on again: the id of the first one. */
export const REDELIVERY_HEADER = 'x-millrace-redelivery-of';

/** Header by which a function is told the delivery id. */
export const DELIVERY_ID_HEADER = 'x-millrace-delivery-id';

/** Header of a request that was fetched because nobody took it: the name of its hook in the config file. */
export const PULLED_BY_HEADER = 'x-millrace-pulled-by';
