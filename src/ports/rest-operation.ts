import type { Identity, NamedResource } from './capability.ts';
import type { HttpAnswer } from './http.ts';

/** What one call of a REST operation knows. `state` is what the capability's start returned. */
export interface RestCall<S> {
  readonly requestId: string;
  /** The `{name}` parts of the path, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly state: S;
}

/** One AWS action with a path of its own, as REST services have them: it reads and writes the body itself. */
export interface RestOperation<S> {
  /** AWS's action name, for example `InvokeFunction`. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** May hold `{name}` parts. */
  readonly path: string;
  readonly plane: 'control' | 'data';
  /** AWS exception names this action may raise, with their status, beside the common ones. */
  readonly errors: Readonly<Record<string, number>>;
  /** One sentence for the reference page. */
  readonly doc: string;
  readonly bodyBytesMax: number;
  /** What a call is about; none stand for all there are. */
  resources(parameters: Readonly<Record<string, string>>, identity: Identity): readonly NamedResource[];
  /** RequestErrors and ThrottleErrors become AWS's error answers. */
  handle(call: RestCall<S>): Promise<HttpAnswer>;
}
