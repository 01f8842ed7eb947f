import type { TokenBucket } from '../../kernel/flow/token-bucket.ts';
import type { JsonPathFinder } from '../../kernel/json-path.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import type { JsonCheck } from '../../ports/json-schema.ts';
import type { Authorizer } from './authorizer.ts';
import type { CallForm } from './calls/call.ts';
import type { Cors } from './cors.ts';
import type { SecretNames } from './envelope.ts';
import type { IdSource } from './id-source.ts';
import type { WindowBounds } from './id-window.ts';
import type { Sample, Verifier } from './kinds/verifier.ts';
import type { RoutePath } from './route-path.ts';

/** What a record's data is made of: the bytes as sent, their JSON, or all of the request. */
export type Payload = 'raw' | 'json' | 'envelope';

/** What all routes have. */
interface RouteParts {
  /** `POST /path` as in the file: the scope of its delivery ids. */
  readonly key: string;
  /** Or `ANY`. */
  readonly method: string;
  /** With the base path. */
  readonly path: RoutePath;
  readonly verifier: Verifier;
  /** The headers that a sample verifies by; undefined: the file has nothing to sign with. */
  sign(sample: Sample): Readonly<Record<string, string>> | undefined;
  /** Whether an address may send; absent: any. */
  readonly isAllowedFrom: ((address: string) => boolean) | undefined;
  readonly authorizer: Authorizer | undefined;
  /** What of a request must not be in a record. */
  readonly secrets: SecretNames;
  readonly cors: Cors | undefined;
  readonly limit: TokenBucket | undefined;
  readonly bodyBytesMax: number;
  readonly inflatedBytesMax: number | undefined;
  readonly check: JsonCheck | undefined;
  /** The stream that takes what `check` refuses; absent: the sender is told. */
  readonly quarantine: string | undefined;
  /** Whether something here asks what the body says; else it is not inflated, and its encodings are not judged. */
  readonly readsContent: boolean;
  /** In place of the sender's own delivery id. */
  readonly idSource: IdSource | undefined;
}

/** How requests of Firehose are read: many records each. */
export interface Receive {
  /** The partition key in a record's JSON; absent: the request's id, so that all stand together. */
  readonly keys: JsonPathFinder | undefined;
  /** The member of a record's JSON that gets the request's common attributes; absent: none does. */
  readonly attributesMember: string | undefined;
}

/** A route whose requests become records. */
export interface StreamRoute extends RouteParts {
  readonly stream: string;
  readonly destination?: undefined;
  /** Absent: a request is a record. */
  readonly receive?: Receive | undefined;
  readonly call?: undefined;
  /** Absent: repeats are stored again. */
  readonly dedupe: WindowBounds | undefined;
  /** Absent: the delivery id is the partition key. */
  readonly partitionKey: IdSource | undefined;
  readonly payload: Payload;
  /** The bucket of bodies that are larger than a record; absent: they are refused. */
  readonly claimCheckBucket: string | undefined;
}

/** A route whose requests a function answers. */
export interface FunctionRoute extends RouteParts {
  readonly stream?: undefined;
  readonly receive?: undefined;
  readonly destination?: undefined;
  readonly call: { readonly function: string; readonly form: CallForm };
}

/** A route whose requests are batches for a destination. */
export interface DestinationRoute extends RouteParts {
  readonly stream?: undefined;
  readonly call?: undefined;
  readonly receive: Receive;
  readonly destination: { readonly kind: AnyDestination; readonly options: unknown };
}

/** A route that speaks as an HTTP endpoint of Firehose. */
export type ReceivingRoute = (StreamRoute & { readonly receive: Receive }) | DestinationRoute;

/** One route, ready to serve. */
export type Route = StreamRoute | FunctionRoute | DestinationRoute;

/** Whether requests are Firehose's. */
export function isReceiving(route: Route): route is ReceivingRoute {
  return route.receive !== undefined;
}
