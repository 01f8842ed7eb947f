import type { Environment } from '../../../ports/environment.ts';
import type { HttpClient } from '../../../ports/http-client.ts';
import { readKeySet, type TokenKey } from '../../../wire/webhook/json-web-token.ts';
import { limits } from '../limits.ts';

/**
 * The keys behind a URL. They are asked for with the first token, again when they are old, and, at most every so often,
 * when a token names a key that is not among them. While they cannot be had the last ones stay good for a day.
 */
export class KeySet {
  readonly #url: string;
  readonly #http: HttpClient;
  readonly #environment: Environment;
  #keys: readonly TokenKey[] | undefined;
  #fetchedAt = -Infinity;
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(url: string, http: HttpClient, environment: Environment) {
    this.#url = url;
    this.#http = http;
    this.#environment = environment;
  }

  /**
   * The keys, with the named one when there is one of that name; undefined when none can be had, and when the name is
   * new and nobody can be asked about it just now. Never rejects.
   */
  async keys(wanted: string | undefined): Promise<readonly TokenKey[] | undefined> {
    const now = this.#environment.clock.monotonic();
    const isKnown = wanted === undefined || this.#keys?.some(({ id }) => id === wanted) === true;
    const isOld = now - this.#fetchedAt > limits.keySetFreshMs;
    // Whoever sends tokens with made-up names must not make us ask each time.
    const mayAsk = now - this.#askedAt > limits.keySetPauseMs;
    if ((isOld || !isKnown) && (mayAsk || this.#asking !== undefined)) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
      await this.#asking;
    }
    if (this.#environment.clock.monotonic() - this.#fetchedAt > limits.keySetKeptMs) return undefined;
    // Of keys that are older than the question nobody can tell whether the name is made up or that of a new key.
    return this.#fetchedAt >= now || this.#mayFit(wanted) ? this.#keys : undefined;
  }

  #mayFit(wanted: string | undefined): boolean {
    return wanted === undefined || this.#keys?.some(({ id }) => id === undefined || id === wanted) === true;
  }

  async #ask(): Promise<void> {
    const { clock, log } = this.#environment;
    this.#askedAt = clock.monotonic();
    try {
      const answer = await this.#http.send({
        url: this.#url,
        method: 'GET',
        headers: { accept: 'application/json' },
        timeoutMs: limits.keySetTimeoutMs,
      });
      const body = await answer.readBody(limits.keySetBytesMax);
      const keys = answer.status === 200 ? readKeySet(JSON.parse(Buffer.from(body).toString('utf8'))) : undefined;
      if (keys === undefined) throw new Error(`answer ${answer.status}`);
      this.#keys = keys;
      this.#fetchedAt = clock.monotonic();
    } catch (error) {
      log.warn('gateway.key-set-unavailable', { cause: error instanceof Error ? error.name : typeof error });
    }
  }
}
