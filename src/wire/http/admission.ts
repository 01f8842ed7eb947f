import type { HttpAnswer } from '../../ports/http.ts';
import { httpLimits } from './limits.ts';
import { plainAnswer } from './plain-answer.ts';
import { refusesCaller, type PrivateAccess } from './private-access.ts';

/** What a request says before anybody looks at its body. */
export interface AskedRequest {
  readonly method: string;
  /** As sent. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Who gets to the handler of one listener, and how many at a time. */
export class Admission {
  readonly #listenHost: string;
  readonly #access: PrivateAccess | undefined;
  #requests = 0;
  /** The Host that was let in last: senders hardly ever change it. */
  #knownHost: string | undefined;

  constructor(listenHost: string, access: PrivateAccess | undefined) {
    this.#listenHost = listenHost;
    this.#access = access;
  }

  /** Counts a request until `leave`. */
  enter(): void {
    this.#requests += 1;
  }

  leave(): void {
    this.#requests -= 1;
  }

  /** The answer to a request that does not get to the handler; undefined for one that does. */
  refusal(asked: AskedRequest): HttpAnswer | undefined {
    if (this.#requests > httpLimits.requestsMax) {
      return plainAnswer(503, 'ServiceUnavailable', 'too many requests are under way', { 'retry-after': '1' });
    }
    const access = this.#access;
    if (access === undefined) return undefined;
    const host = calledHost(asked);
    const { origin } = asked.headers;
    if (origin === undefined && host !== undefined && host === this.#knownHost) return undefined;
    const reason = refusesCaller({ host, origin }, this.#listenHost, access);
    if (reason !== undefined) return plainAnswer(403, 'Forbidden', reason);
    this.#knownHost = host;
    const isPreflight = asked.method === 'OPTIONS' && asked.headers['access-control-request-method'] !== undefined;
    return isPreflight && origin !== undefined ? preflight(asked, origin) : undefined;
  }

  /** A page that may call must also be let read the answer: the headers that say so. */
  readable({ headers: { origin } }: AskedRequest): Readonly<Record<string, string>> | undefined {
    if (origin === undefined || this.#access?.origins.includes(origin) !== true) return undefined;
    return {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'x-amzn-requestid, x-amz-id-2',
      vary: 'origin',
    };
  }
}

/** An absolute target names the host, whatever the header says (RFC 9112, 3.2.2). */
function calledHost({ target, headers }: AskedRequest): string | undefined {
  if (target.startsWith('/')) return headers['host'];
  return /^https?:\/\/([^/?#]*)/i.exec(target)?.[1] ?? headers['host'];
}

function preflight({ headers }: AskedRequest, origin: string): HttpAnswer {
  const wanted = headers['access-control-request-headers'];
  return {
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
      ...(wanted !== undefined && { 'access-control-allow-headers': wanted }),
      'access-control-max-age': '600',
      vary: 'origin',
    },
    body: '',
  };
}
