import { RequestError } from '../../kernel/errors.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpRequest } from '../../ports/http.ts';
import type { Credential, Principal } from './principal.ts';
import { Verifier, type Presented } from './verifier.ts';

/** Services whose signatures are taken where the action is none that we know. */
const SERVICES = ['kinesis', 'firehose'];
const QUERY_NAME = 'X-Amz-Credential';

/**
 * The api listener's gate: open to all who look signed, or only to who signed with one of its key pairs. Who names a
 * pair that was lent is held to it in both cases: what it may not do later it may not do on an open gate either.
 */
export class Gate {
  readonly #identity: Identity;
  readonly #environment: Environment;
  /** Key pairs of the node's own guests, taken beside the others. */
  readonly #lent = new Map<string, Credential>();
  #lentIds: ReadonlySet<string> = new Set();
  #credentials: readonly Credential[] | undefined;
  /** Of all pairs; of an open gate those that were lent. */
  #verifier: Verifier;

  constructor(credentials: readonly Credential[] | undefined, identity: Identity, environment: Environment) {
    this.#identity = identity;
    this.#environment = environment;
    this.#credentials = credentials;
    this.#verifier = this.#verifierOfAll();
  }

  /** Takes these key pairs from the next request on; undefined opens the gate. */
  use(credentials: readonly Credential[] | undefined): void {
    this.#credentials = credentials;
    this.#lentIds = new Set(Array.from(this.#lent.values(), ({ accessKeyId }) => accessKeyId));
    this.#verifier = this.#verifierOfAll();
  }

  /** Takes one more pair from now on, in place of an earlier one of this `owner`; an open gate stays so to others. */
  lend(owner: string, credential: Credential): void {
    this.#lent.set(owner, credential);
    this.use(this.#credentials);
  }

  /** Takes no more what was lent to this `owner`. */
  takeBack(owner: string): void {
    if (this.#lent.delete(owner)) this.use(this.#credentials);
  }

  /** Whether it names a key pair that was lent; only the check of its signature tells who it is. */
  isLent(request: HttpRequest): boolean {
    if (this.#lentIds.size === 0) return false;
    const named = namedPair(request);
    return named !== undefined && this.#lentIds.has(named);
  }

  get isClosed(): boolean {
    return this.#credentials !== undefined;
  }

  /**
   * What is known before the body came; undefined where an open gate lets it in. Throws RequestErrors in AWS's
   * sentences; `service` is whose scope the signature must have.
   */
  begin(request: HttpRequest, service: string | undefined): Presented | undefined {
    if (!this.isClosed && !this.isLent(request)) return undefined;
    return this.#counted(() => this.#verifier.begin(request, service === undefined ? SERVICES : [service]));
  }

  /** Who signed, once `presented` has seen all of the body. Throws RequestError InvalidSignatureException. */
  finish(presented: Presented | undefined): Principal | undefined {
    return this.#counted(() => presented?.verify());
  }

  #verifierOfAll(): Verifier {
    const all = [...(this.#credentials ?? []), ...this.#lent.values()];
    return new Verifier(all, this.#identity, this.#environment.clock);
  }

  #counted<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof RequestError) this.#environment.meter.count('aws_unsigned_total', { code: error.code });
      throw error;
    }
  }
}

/** The key pair that a request names, in its header or in its query, whatever else it looks like. */
function namedPair({ headers, query }: HttpRequest): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined) return /Credential=([^/,\s]{1,128})\//.exec(authorization)?.[1];
  if (!query.includes(QUERY_NAME)) return undefined;
  return new URLSearchParams(query).get(QUERY_NAME)?.split('/', 1)[0];
}
