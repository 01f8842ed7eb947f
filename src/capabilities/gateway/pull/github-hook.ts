import { EnvironmentError } from '../../../kernel/errors.ts';
import { inPieces } from '../../../kernel/flow/in-pieces.ts';
import { nextTurn } from '../../../kernel/flow/next-turn.ts';
import { parseUrl } from '../../../kernel/net/parse-url.ts';
import type { ClientAnswer, HttpClient } from '../../../ports/http-client.ts';
import type { Clock } from '../../../ports/environment.ts';
import { limits } from '../limits.ts';
import { readAttempts, readDelivery, type Attempt, type SentRequest } from './read-delivery.ts';

/** Nothing more can be asked of GitHub just now. */
export class PullFailure extends Error {
  override readonly name = 'PullFailure';
  /** At least so long, in ms. */
  readonly retryAfterMs: number;
  /** GitHub has a limit for requests, and it is reached: nobody did anything wrong. */
  readonly isLimit: boolean;

  constructor(cause: string, retryAfterMs = 0, isLimit = false) {
    super(cause);
    this.retryAfterMs = retryAfterMs;
    this.isLimit = isLimit;
  }
}

/** One page of attempts, newest first; `next` leads to older ones. */
export interface AttemptPage {
  readonly attempts: readonly Attempt[];
  readonly next: string | undefined;
}

/** How a hook is asked for. */
export interface HookAddress {
  readonly hook: string;
  readonly token: string;
}

const REDIRECTS = new Set([301, 302, 307, 308]);
/** What its answers say to those who run a node. */
const REASONS: Readonly<Record<number, string>> = {
  401: '401: GitHub does not take the token',
  403: '403: the token may not read the hook, or GitHub takes no more requests for now',
  404: '404: there is no such hook, or the token may not see it',
};

/**
 * What GitHub's REST API tells of one hook's deliveries. One request at a time, and none before a time that GitHub
 * named. All reject with PullFailure.
 */
export class GithubHook {
  readonly #address: HookAddress;
  readonly #http: HttpClient;
  readonly #clock: Clock;
  /** In ms of wall time: GitHub names it so. */
  #limitedUntil = -Infinity;

  constructor(address: HookAddress, http: HttpClient, clock: Clock) {
    this.#address = address;
    this.#http = http;
    this.#clock = clock;
  }

  /** The newest attempts, or those that `cursor` leads to. */
  async page(cursor: string | undefined, signal: AbortSignal): Promise<AttemptPage> {
    const query = new URLSearchParams({ per_page: String(limits.pullPageAttempts) });
    if (cursor !== undefined) query.set('cursor', cursor);
    const asked = this.#ask(`/deliveries?${query.toString()}`, limits.pullPageBytesMax, signal);
    const answer = await asked.catch((error: unknown) => {
      throw isTooLarge(error) ? new PullFailure('a page of deliveries is too large') : error;
    });
    if (answer.status !== 200) throw this.#failure(answer);
    const attempts = await this.#pieces(readAttempts(answer.body));
    if (attempts === undefined) throw new PullFailure('what came is no list of deliveries');
    return { attempts, next: nextCursor(answer.headers['link']) };
  }

  /**
   * What was sent in an attempt; undefined: GitHub does not have it any more. EnvironmentError EMSGSIZE for an answer
   * of more than `bytesMax`.
   */
  async delivery(id: string, bytesMax: number, signal: AbortSignal): Promise<SentRequest | undefined> {
    const answer = await this.#ask(`/deliveries/${id}`, bytesMax, signal);
    if (answer.status === 404) {
      // Whoever lost the right to see the hook gets a 404, too: then the list says so.
      await this.page(undefined, signal);
      return undefined;
    }
    if (answer.status !== 200) throw this.#failure(answer);
    const sent = await this.#pieces(readDelivery(answer.body));
    if (sent === undefined) throw new PullFailure('what came is no delivery');
    return sent;
  }

  async #ask(path: string, bytesMax: number, signal: AbortSignal): Promise<WholeAnswer> {
    const waitMs = this.#limitedUntil - this.#clock.now();
    if (waitMs > 0) throw new PullFailure('GitHub takes no more requests of this token for now', waitMs, true);
    let url = `${this.#address.hook}${path}`;
    for (let hop = 0; hop <= limits.pullRedirectsMax; hop += 1) {
      const answer = await this.#send(url, bytesMax, signal);
      this.#noteLimit(answer.headers);
      if (!REDIRECTS.has(answer.status)) return answer;
      // A repository that was renamed. The token goes to no other server.
      const next = parseUrl(answer.headers['location'] ?? '', url);
      if (next?.origin !== new URL(url).origin) throw new PullFailure(`${answer.status}: leads to another server`);
      url = next.href;
    }
    throw new PullFailure(`more than ${limits.pullRedirectsMax} redirects`);
  }

  async #send(url: string, bytesMax: number, signal: AbortSignal): Promise<WholeAnswer> {
    try {
      const answer = await this.#http.send({
        url,
        method: 'GET',
        headers: {
          accept: 'application/vnd.github+json',
          'accept-encoding': 'identity',
          authorization: `Bearer ${this.#address.token}`,
          'user-agent': 'millrace',
          'x-github-api-version': '2022-11-28',
        },
        timeoutMs: limits.pullTimeoutMs,
        signal,
      });
      return { status: answer.status, headers: answer.headers, body: await answer.readBody(bytesMax) };
    } catch (error) {
      if (!(error instanceof EnvironmentError) || isTooLarge(error)) throw error;
      throw new PullFailure(error.code === 'ENOTALLOWED' ? error.message : error.code);
    }
  }

  /** The last request that was left is used up: the next one would only be counted against the token. */
  #noteLimit(headers: ClientAnswer['headers']): void {
    const reset = headers['x-ratelimit-reset'] ?? '';
    if (headers['x-ratelimit-remaining'] !== '0' || !/^\d{1,11}$/.test(reset)) return;
    this.#limitedUntil = Math.min(Number(reset) * 1000, this.#clock.now() + limits.pullLimitMsMax);
  }

  #failure({ status, headers }: WholeAnswer): PullFailure {
    if (status === 403 || status === 429) {
      const seconds = headers['retry-after'] ?? '';
      const told = /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
      const untilMs = this.#limitedUntil - this.#clock.now();
      const waitMs = told ?? (untilMs > 0 ? untilMs : status === 429 ? limits.pullPauseMs : undefined);
      if (waitMs !== undefined) {
        const atMost = Math.min(waitMs, limits.pullLimitMsMax);
        return new PullFailure(`${status}: GitHub takes no more requests of this token for now`, atMost, true);
      }
    }
    // Whoever asks on and on with what is refused is shut out.
    const pauseMs = status >= 500 ? 0 : limits.pullPauseMs;
    return new PullFailure(REASONS[status] ?? `status ${status}`, pauseMs);
  }

  async #pieces<T>(work: Generator<undefined, T>): Promise<T> {
    return await inPieces(work, async () => await nextTurn(this.#clock));
  }
}

interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Whether an answer was cut because it was longer than it may be. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof EnvironmentError && error.code === 'EMSGSIZE';
}

/** Of the header `Link`; only the cursor is taken, whatever server it names. */
function nextCursor(link: string | undefined): string | undefined {
  const next = (link ?? '').split(/,\s*(?=<)/).find((part) => /;\s*rel="?next"?/.test(part));
  const url = parseUrl(/^<([^>]{1,4096})>/.exec(next ?? '')?.[1] ?? '');
  const cursor = url?.searchParams.get('cursor') ?? '';
  return cursor === '' ? undefined : cursor;
}
