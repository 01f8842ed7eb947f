import { ThrottleError, RequestError } from '../../kernel/errors.ts';
import { isMapping, parseJson } from '../../kernel/json.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Functions } from '../../ports/functions.ts';
import type { Authorized, IncomingRequest } from './calls/call.ts';
import { callFunction } from './calls/call-function.ts';
import { proxy1Facts } from './calls/proxy1.ts';
import { proxy2Facts } from './calls/proxy2.ts';
import { eventBody, routeArn } from './calls/request-facts.ts';
import { refusal } from './errors.ts';
import type { IdentitySource } from './identity-source.ts';
import { limits } from './limits.ts';
import { allowsInvoke } from './policy.ts';

/** A longer answer is no verdict: API Gateway's policies and contexts have some KiB. */
const VERDICT_BYTES_MAX = 256 * 1024;

/** How one route's authorizer is asked. */
export interface AuthorizerSpec {
  readonly function: string;
  readonly identity: readonly IdentitySource[];
  /** 0: each request is asked about. */
  readonly cacheMs: number;
  /** Of the event. */
  readonly version: '1.0' | '2.0';
}

/** What a function answered: a plain verdict, or a policy that is asked about each request. */
interface Decision extends Authorized {
  readonly allows: (resource: string) => boolean | undefined;
}

/**
 * A route's authorizer: a function that is shown the request and says whether it may pass, as API Gateway's REQUEST
 * authorizers are; beside their event it gets `rawBody`, so that it can check a signature. Where answers are kept it
 * gets none: a decision about one body must not stand for another.
 */
export class Authorizer {
  readonly spec: AuthorizerSpec;
  readonly #functions: Functions;
  readonly #environment: Environment;
  readonly #kept = new Map<string, { readonly decision: Decision; readonly until: number }>();

  constructor(spec: AuthorizerSpec, functions: Functions, environment: Environment) {
    this.spec = spec;
    this.#functions = functions;
    this.#environment = environment;
  }

  /**
   * Resolves when the request may pass. RequestErrors: Unauthorized (a part of the identity is missing, or the function
   * says so), Forbidden, AuthorizerFailed (it threw, took too long or answered what is no answer), ServiceUnavailable.
   */
  async authorize(call: IncomingRequest): Promise<Authorized> {
    const sources = this.spec.identity.map((source) => source(call));
    const isWhole = sources.every((value) => value !== undefined && value.length <= limits.identityCharactersMax);
    if (!isWhole) throw refusal('Unauthorized');
    const decision = await this.#decide(call, sources as string[]);
    const isAllowed = decision.allows(routeArn(call));
    if (isAllowed === undefined) throw refusal('AuthorizerFailed');
    if (!isAllowed) throw refusal('Forbidden');
    return decision;
  }

  async #decide(call: IncomingRequest, sources: readonly string[]): Promise<Decision> {
    const { cacheMs } = this.spec;
    if (cacheMs === 0) return await this.#ask(call, sources);
    const key = JSON.stringify(sources);
    const now = this.#environment.clock.monotonic();
    const kept = this.#kept.get(key);
    if (kept !== undefined && now < kept.until) return kept.decision;
    const decision = await this.#ask(call, sources);
    this.#kept.delete(key);
    this.#kept.set(key, { decision, until: now + cacheMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= limits.authorizerCacheMax) break;
      this.#kept.delete(oldest);
    }
    return decision;
  }

  async #ask(call: IncomingRequest, sources: readonly string[]): Promise<Decision> {
    const event = this.#event(call, sources);
    const { environment, functions, name } = {
      environment: this.#environment,
      functions: this.#functions,
      name: this.spec.function,
    };
    const ms = limits.authorizerTimeoutMs;
    const outcome = await callFunction({ functions, environment, name }, event, ms, call.request).catch(
      (error: unknown) => {
        if (error instanceof ThrottleError) throw error;
        if (error instanceof RequestError) throw refusal('AuthorizerFailed');
        throw error;
      },
    );
    if (outcome === 'timeout') throw refusal('AuthorizerFailed');
    if (outcome.failure !== undefined) {
      throw refusal(outcome.failure.message === 'Unauthorized' ? 'Unauthorized' : 'AuthorizerFailed');
    }
    const decision = readDecision(readJson(outcome.payload));
    if (decision === undefined) throw refusal('AuthorizerFailed');
    return decision;
  }

  #event(call: IncomingRequest, sources: readonly string[]): object {
    const { version, cacheMs } = this.spec;
    const { body: rawBody, isBase64Encoded } = eventBody(call.body, true);
    const raw = cacheMs === 0 ? { rawBody, isBase64Encoded } : {};
    if (version === '2.0') {
      return { ...proxy2Facts(call), type: 'REQUEST', routeArn: routeArn(call), identitySource: sources, ...raw };
    }
    const identity =
      sources.length === 0 ? {} : { identitySource: sources.join(','), authorizationToken: sources.join(',') };
    return { ...proxy1Facts(call), type: 'REQUEST', methodArn: routeArn(call), ...identity, ...raw };
  }
}

/** Undefined where it is no JSON, or longer than a verdict is. */
function readJson(payload: Uint8Array): unknown {
  return payload.length > VERDICT_BYTES_MAX ? undefined : parseJson(payload);
}

/** A simple answer or one of IAM; undefined for anything that is not exactly one of them. */
function readDecision(returned: unknown): Decision | undefined {
  if (!isMapping(returned)) return undefined;
  const { isAuthorized, context = {}, principalId, policyDocument } = returned;
  if (!isMapping(context ?? {}) || isTooLong(context)) return undefined;
  const known = (context ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof isAuthorized === 'boolean' && policyDocument === undefined) {
    return { principalId: undefined, context: known, allows: () => isAuthorized };
  }
  if (isAuthorized !== undefined || typeof principalId !== 'string' || principalId === '') return undefined;
  return { principalId, context: known, allows: (resource) => allowsInvoke(policyDocument, resource) };
}

function isTooLong(context: unknown): boolean {
  return JSON.stringify(context).length > limits.authorizerContextBytesMax;
}
