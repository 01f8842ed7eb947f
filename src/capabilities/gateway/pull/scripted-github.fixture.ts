import { createHmac } from 'node:crypto';
import type { HttpScript, ScriptedAnswer, SeenRequest } from '../../../testing/scripted-http.ts';

/** The hook, as its ping names it. */
export const HOOK = 'https://api.github.com/repos/mill-works/millwheel/hooks/11';
export const TOKEN = 'a token of ours';

/** One attempt that GitHub made; what is absent is usual. */
export interface ScriptedAttempt {
  readonly guid: string;
  /** ISO time. */
  readonly at: string;
  /** What the receiver answered; 502 when absent. */
  readonly code?: number;
  readonly redelivery?: boolean;
  /** Written into the answer as it is; null: GitHub lost it. */
  readonly payload?: string;
  /** What was signed; the payload when absent. */
  readonly signed?: string;
  readonly contentType?: string;
  /** Its detail is not there any more. */
  readonly isGone?: boolean;
}

/** GitHub's API of one hook, newest attempts first. */
export class ScriptedGithub {
  readonly seen: SeenRequest[] = [];
  /** Answers given before it serves again, one each. */
  readonly refusals: ScriptedAnswer[] = [];
  /** Added to every answer. */
  headers: Readonly<Record<string, string>> = {};
  token = TOKEN;
  pageSize = 3;
  /** After so many requests the token sees nothing any more. */
  blindAfter = Infinity;
  readonly #secret: string;
  readonly #attempts: ScriptedAttempt[] = [];

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** In the order in which they were made. */
  add(...attempts: readonly ScriptedAttempt[]): void {
    this.#attempts.push(...attempts);
  }

  /** Paths asked for so far, without what stands before `/deliveries`. */
  get paths(): readonly string[] {
    return this.seen.map(({ url }) => url.replace(/^.*\/deliveries/, ''));
  }

  readonly script: HttpScript = (request) => {
    this.seen.push(request);
    const answer = this.refusals.shift() ?? this.#answer(request);
    return { ...answer, headers: { 'content-type': 'application/json', ...this.headers, ...answer.headers } };
  };

  #answer({ url, headers }: SeenRequest): ScriptedAnswer {
    if (headers['authorization'] !== `Bearer ${this.token}`)
      return { status: 401, body: '{"message":"Bad credentials"}' };
    if (this.seen.length > this.blindAfter) return { status: 404, body: '{}' };
    const { pathname, searchParams, origin } = new URL(url);
    const own = new URL(HOOK).pathname;
    if (pathname === `${own}/deliveries`) return this.#page(searchParams.get('cursor'), `${origin}${pathname}`);
    const id = /\/deliveries\/(\d+)$/.exec(pathname)?.[1];
    const index = this.#attempts.findIndex((_, at) => idOf(at) === id);
    const attempt = this.#attempts[index];
    if (!pathname.startsWith(own) || attempt === undefined || attempt.isGone === true)
      return { status: 404, body: '{}' };
    return { body: this.#detail(attempt, index) };
  }

  #page(cursor: string | null, url: string): ScriptedAnswer {
    const newestFirst = this.#attempts.map((attempt, index) => summary(attempt, index)).reverse();
    const from = cursor === null ? 0 : Number(cursor.slice('v1_'.length));
    const next = from + this.pageSize;
    const link = `<${url}?per_page=100&cursor=v1_${next}>; rel="next"`;
    return {
      body: `[${newestFirst.slice(from, next).join(',')}]`,
      ...(next < newestFirst.length && { headers: { link } }),
    };
  }

  #detail(attempt: ScriptedAttempt, index: number): string {
    const { guid, payload = `{"n":"${guid}"}`, contentType = 'application/json' } = attempt;
    const signature = createHmac('sha256', this.#secret).update(attempt.signed ?? payload);
    const headers = {
      Accept: '*/*',
      'Content-Type': contentType,
      'User-Agent': 'GitHub-Hookshot/0000000',
      'X-GitHub-Delivery': guid,
      'X-GitHub-Event': 'push',
      'X-Hub-Signature-256': `sha256=${signature.digest('hex')}`,
    };
    const request = `{"headers":${JSON.stringify(headers)},"payload":${payload}}`;
    const front = summary(attempt, index).slice(0, -1);
    return `${front},"url":"https://hooks.example/hook?a=1","request":${request},"response":{"headers":{},"payload":""}}`;
  }
}

/** Larger than JavaScript's numbers can be. */
export function idOf(index: number): string {
  return `90071992547409930${index + 10}`;
}

function summary({ guid, at, code = 502, redelivery = false }: ScriptedAttempt, index: number): string {
  const rest = { guid, delivered_at: at, redelivery, duration: 0.2, status_code: code, event: 'push', action: null };
  return `{"id":${idOf(index)},${JSON.stringify(rest).slice(1)}`;
}
