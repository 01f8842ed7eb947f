import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { EnvironmentError } from '../../kernel/errors.ts';
import { OutgoingRules, urlTarget, type UrlTarget } from '../../kernel/net/outgoing-rules.ts';
import { parseAddress } from '../../kernel/net/ip-address.ts';
import type { Meter } from '../../ports/environment.ts';
import type { ClientAnswer, ClientRequest, GovernedHttpClient } from '../../ports/http-client.ts';
import { ConnectionPool } from './connection-pool.ts';
import { exchange } from './http-exchange.ts';

/** All addresses of a name, in the order in which they are tried; rejects as the system does. */
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

/** What a client may be given in place of the machine's own. */
export interface HttpClientOptions {
  readonly lookup?: Lookup;
  /** Certificates of authorities that are trusted, PEM; the platform's own when absent. */
  readonly authorities?: string;
}

const wholeLookup: Lookup = async (host) => await systemLookup(host, { all: true });

/** Requests over the machine's network; until `use` is called nothing is allowed but what is public and https. */
export class NodeHttpClient implements GovernedHttpClient {
  readonly #meter: Meter;
  readonly #options: HttpClientOptions;
  #rules = new OutgoingRules({ mode: 'start', allow: [], own: [] });
  #pool: ConnectionPool;
  /** Of what the configuration itself names: never shared with what the rules were asked for. */
  readonly #trustedPool: ConnectionPool;
  #underWay = 0;

  constructor(meter: Meter, options: HttpClientOptions = {}) {
    this.#meter = meter;
    this.#options = options;
    this.#pool = new ConnectionPool(options.authorities);
    this.#trustedPool = new ConnectionPool(options.authorities);
  }

  use(rules: OutgoingRules): void {
    this.#rules = rules;
    this.#pool.retire();
    this.#pool = new ConnectionPool(this.#options.authorities);
  }

  close(): void {
    this.#pool.close();
    this.#trustedPool.close();
  }

  problem(url: string): string | undefined {
    return this.#rules.urlProblem(url);
  }

  async send(request: ClientRequest): Promise<ClientAnswer> {
    const url = this.#rules.resolved(request.url);
    const target = this.#checked(url, request.isTrusted);
    const isTrusted = request.isTrusted === true;
    const rules = isTrusted ? undefined : this.#rules;
    const pool = isTrusted ? this.#trustedPool : this.#pool;
    this.#count(1);
    try {
      return await exchange({ ...request, url }, target, {
        agent: pool.agent(target.isSecure),
        lookup: async (host) => await this.#lookup(host, target, rules),
      });
    } finally {
      this.#count(-1);
    }
  }

  #checked(url: string, isTrusted: boolean | undefined): UrlTarget {
    const target = urlTarget(url);
    if (typeof target === 'string') throw new EnvironmentError('ENOTALLOWED', `the URL ${target}`);
    // A host that is an address is connected to without a look-up.
    const problem = isTrusted === true ? undefined : this.#rules.urlProblem(url);
    if (problem !== undefined) throw new EnvironmentError('ENOTALLOWED', problem);
    return target;
  }

  /** The addresses that may be connected to: whoever asks connects to one of these, and looks nothing up again. */
  async #lookup(host: string, target: UrlTarget, rules: OutgoingRules | undefined): Promise<readonly LookupAddress[]> {
    const found = await this.#resolve(host);
    if (rules === undefined) return found;
    const judged = found.map((one) => ({ one, problem: rules.addressProblem(target, one.address) }));
    const allowed = judged.filter(({ problem }) => problem === undefined).map(({ one }) => one);
    if (allowed.length === 0) {
      const sentences = judged.map(({ problem }) => problem).join('; ');
      throw new EnvironmentError('ENOTALLOWED', sentences === '' ? `${host} has no address` : sentences);
    }
    return allowed;
  }

  async #resolve(host: string): Promise<readonly LookupAddress[]> {
    try {
      const found = await (this.#options.lookup ?? wholeLookup)(host);
      return found.filter(({ address }) => parseAddress(address) !== undefined).slice(0, ADDRESSES_MAX);
    } catch (error) {
      throw new EnvironmentError('ENOTFOUND', `no address of ${host}: ${codeOf(error)}`, error);
    }
  }

  #count(by: 1 | -1): void {
    this.#underWay += by;
    this.#meter.gauge('outgoing_requests', {}, this.#underWay);
  }
}

/** More are not tried, nor named in a sentence. */
const ADDRESSES_MAX = 16;

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code ?? error);
}
