import { RequestError } from '../../kernel/errors.ts';
import { compileWildcard } from '../../kernel/wildcard.ts';
import type { Identity, NamedResource } from '../../ports/capability.ts';

/** One key pair of `server.credentials`. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Patterns of actions (`kinesis:PutRecord*`, `admin:Read`); absent: all. */
  readonly allow?: readonly string[];
  /** Patterns of names of streams and deliveries; absent: all. */
  readonly on?: readonly string[];
}

const ANYTHING: NamedResource = { name: '', arn: '*' };
/** Decisions kept for each key pair; actions are few. */
const KNOWN_MAX = 256;

/** Who signed a request, and what that allows. */
export class Principal {
  readonly accessKeyId: string;
  /** Whether it is bound to some streams and deliveries. */
  readonly isBound: boolean;
  readonly #arn: string;
  readonly #actions: (text: string) => boolean;
  readonly #names: (text: string) => boolean;
  readonly #known = new Map<string, boolean>();

  constructor({ accessKeyId, allow, on }: Credential, { account }: Identity) {
    this.accessKeyId = accessKeyId;
    this.isBound = on !== undefined && !on.includes('*');
    this.#arn = `arn:aws:iam::${account}:user/${accessKeyId}`;
    this.#actions = matcher(allow, true);
    this.#names = matcher(on, false);
  }

  /** Whether the action is allowed on some resource. */
  mayDo(action: string): boolean {
    const known = this.#known.get(action);
    if (known !== undefined) return known;
    const may = this.#actions(action);
    if (this.#known.size < KNOWN_MAX) this.#known.set(action, may);
    return may;
  }

  /**
   * Throws RequestError AccessDeniedException unless the action is allowed on each of these; none stand for all there
   * are.
   */
  check(action: string, resources: readonly NamedResource[]): void {
    const touched = resources.length === 0 ? [ANYTHING] : resources;
    const may = this.mayDo(action);
    const refused = touched.find(({ name }) => !may || (this.isBound && !this.#names(name)));
    if (refused === undefined) return;
    const sentence =
      `User: ${this.#arn} is not authorized to perform: ${action} on resource: ${refused.arn} ` +
      `because no identity-based policy allows the ${action} action`;
    throw new RequestError('AccessDeniedException', sentence);
  }
}

/** Actions are compared without case, as IAM does; names are not. */
function matcher(patterns: readonly string[] | undefined, ignoreCase: boolean): (text: string) => boolean {
  if (patterns === undefined) return () => true;
  const compiled = patterns.map((pattern) => compileWildcard(pattern, { ignoreCase }));
  return (text) => compiled.some((fits) => fits(text));
}
