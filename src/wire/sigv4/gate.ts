import { RequestError } from '../../kernel/errors.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Environment } from '../../ports/environment.ts';
import type { HttpRequest } from '../../ports/http.ts';
import type { Credential, Principal } from './principal.ts';
import { Verifier, type Presented } from './verifier.ts';

/** Services whose signatures are taken where the action is none that we know. */
const SERVICES = ['kinesis', 'firehose'];

/** The api listener's gate: open to all who look signed, or only to who signed with one of its key pairs. */
export class Gate {
  readonly #identity: Identity;
  readonly #environment: Environment;
  /** Key pairs of the node's own guests, taken beside the others. */
  readonly #lent = new Map<string, Credential>();
  #credentials: readonly Credential[] | undefined;
  #verifier: Verifier | undefined;

  constructor(credentials: readonly Credential[] | undefined, identity: Identity, environment: Environment) {
    this.#identity = identity;
    this.#environment = environment;
    this.use(credentials);
  }

  /** Takes these key pairs from the next request on; undefined opens the gate. */
  use(credentials: readonly Credential[] | undefined): void {
    this.#credentials = credentials;
    const all = [...(credentials ?? []), ...this.#lent.values()];
    this.#verifier = credentials === undefined ? undefined : new Verifier(all, this.#identity, this.#environment.clock);
  }

  /** Takes one more pair from now on, in place of an earlier one of this `owner`; an open gate stays open. */
  lend(owner: string, credential: Credential): void {
    this.#lent.set(owner, credential);
    this.use(this.#credentials);
  }

  /** Takes no more what was lent to this `owner`. */
  takeBack(owner: string): void {
    if (this.#lent.delete(owner)) this.use(this.#credentials);
  }

  /** Whether it names a key pair that was lent; only the check of its signature tells who it is. */
  isLent({ headers }: HttpRequest): boolean {
    const named = /Credential=([^/,\s]{1,128})\//.exec(headers['authorization'] ?? '')?.[1];
    if (named === undefined) return false;
    return [...this.#lent.values()].some(({ accessKeyId }) => accessKeyId === named);
  }

  get isClosed(): boolean {
    return this.#verifier !== undefined;
  }

  /**
   * What is known before the body came; undefined while all are let in. Throws RequestErrors in AWS's sentences;
   * `service` is whose scope the signature must have.
   */
  begin(request: HttpRequest, service: string | undefined): Presented | undefined {
    return this.#counted(() => this.#verifier?.begin(request, service === undefined ? SERVICES : [service]));
  }

  /** Who signed, once `presented` has seen all of the body. Throws RequestError InvalidSignatureException. */
  finish(presented: Presented | undefined): Principal | undefined {
    return this.#counted(() => presented?.verify());
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
