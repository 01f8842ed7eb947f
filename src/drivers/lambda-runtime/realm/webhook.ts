import type { Binary } from 'bson';
import type { RealmAnswer, RealmRequest } from '../../../ports/realm-webhook.ts';
import { binaryOf } from './bson-globals.ts';
import { knownMembers } from './known-members.ts';
import type { RealmPackages } from './packages.ts';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The first argument of a webhook's function. */
export interface Payload {
  /** Every value of a name in a list. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly httpMethod: string;
  readonly rawQueryString: string;
  /** Absent when the request has none. */
  readonly body: Binary | undefined;
}

/** The event of a webhook, when it is one; see ports/realm-webhook.ts. */
export function webhookRequest(event: unknown): RealmRequest | undefined {
  const request: unknown = (event as { readonly realmWebhook?: unknown } | null | undefined)?.realmWebhook;
  if (typeof request !== 'object' || request === null) return undefined;
  const { method, path, query, headers, bodyBase64 } = request as Record<string, unknown>;
  const isWhole =
    [method, path, query, bodyBase64].every((member) => typeof member === 'string') &&
    Array.isArray(headers) &&
    headers.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === 'string'));
  if (!isWhole) throw new TypeError('realmWebhook: method, path, query, headers as pairs and bodyBase64 are needed');
  return request as RealmRequest;
}

/** What the function is told of the request. */
export function payloadOf({ method, query, headers, bodyBase64 }: RealmRequest, packages: RealmPackages): Payload {
  return {
    headers: Object.fromEntries(grouped(headers, (name) => name.toLowerCase(), caseOf)),
    query: Object.fromEntries(
      Array.from(
        grouped(
          [...new URLSearchParams(query)],
          (name) => name,
          (name) => name,
        ),
        ([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values],
      ),
    ),
    httpMethod: method,
    rawQueryString: query,
    body: bodyBase64 === '' ? undefined : binaryOf(packages, Buffer.from(bodyBase64, 'base64')),
  };
}

/**
 * As the sender wrote it. Names without a capital, as all are in HTTP/2, get those that the service gave them:
 * functions look for `X-Amz-Firehose-Access-Key`.
 */
function caseOf(name: string): string {
  if (name !== name.toLowerCase()) return name;
  return name.replaceAll(/(^|-)([a-z])/g, (part) => part.toUpperCase());
}

/** Values by names that are the same by `key`, under the first of them as `shown` gives it. */
function grouped(
  pairs: readonly (readonly [string, string])[],
  key: (name: string) => string,
  shown: (name: string) => string,
): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string>();
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const first = names.get(key(name)) ?? shown(name);
    names.set(key(name), first);
    groups.set(first, [...(groups.get(first) ?? []), value]);
  }
  return groups;
}

/** The second argument of a webhook's function, and what came of it. */
export class WebhookResponse {
  #statusCode: number | undefined;
  #headers: [string, string][] = [];
  #body: Buffer | undefined;
  /** What the function gets. */
  readonly face: object;

  constructor() {
    this.face = knownMembers(
      {
        setStatusCode: (code: unknown) => this.#setStatusCode(code),
        setHeader: (name: unknown, value: unknown) => this.#addHeader(name, value, true),
        addHeader: (name: unknown, value: unknown) => this.#addHeader(name, value, false),
        setBody: (body: unknown) => void (this.#body = bytesOf(body)),
      },
      'response',
    );
  }

  /** What the function set; where it set nothing, what it returned, as JSON by `text`; without a value 204. */
  answer(value: unknown, text: (value: unknown) => string): RealmAnswer {
    const isTouched = this.#statusCode !== undefined || this.#body !== undefined || this.#headers.length > 0;
    if (isTouched || value === undefined) {
      const statusCode = this.#statusCode ?? (isTouched ? 200 : 204);
      return { statusCode, headers: this.#headers, bodyBase64: this.#body?.toString('base64') ?? '' };
    }
    const headers = [['Content-Type', 'application/json']] as const;
    return { statusCode: 200, headers, bodyBase64: Buffer.from(text(value)).toString('base64') };
  }

  #setStatusCode(code: unknown): void {
    if (typeof code !== 'number' || !Number.isInteger(code) || code < 200 || code > 599) {
      throw new RangeError('setStatusCode: a whole number from 200 to 599 is needed');
    }
    this.#statusCode = code;
  }

  #addHeader(name: unknown, value: unknown, isOnly: boolean): void {
    const [header, text] = [String(name), String(value)];
    if (!HEADER_NAME.test(header) || !HEADER_VALUE.test(text)) {
      throw new TypeError(`not a header of HTTP: ${JSON.stringify(header.slice(0, 100))}`);
    }
    const kept = this.#headers.filter(([other]) => !isOnly || other.toLowerCase() !== header.toLowerCase());
    this.#headers = [...kept, [header, text]];
  }
}

function bytesOf(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body);
  const { _bsontype: type, buffer } = (body ?? {}) as { readonly _bsontype?: unknown; readonly buffer?: unknown };
  if (type === 'Binary' && buffer instanceof Uint8Array) return Buffer.from(buffer);
  throw new TypeError('setBody: a text or a BSON.Binary is needed');
}
