import { STATUS_CODES } from 'node:http';
import { Defect } from '../../kernel/errors.ts';
import type { Clock } from '../../ports/environment.ts';
import { httpLimits } from './limits.ts';

/** What the head of an answer says. */
export interface AnswerHead {
  readonly requestId: string;
  readonly status: number;
  /** Bytes of the body; `unknown` without a body, which would have come in chunks. */
  readonly length: number | 'chunked' | 'unknown';
  /** Headers for the page that asked; they come first. */
  readonly readable: Readonly<Record<string, string>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[] | undefined;
  /** Whether the connection ends with this answer by our own wish. */
  readonly isLast: boolean;
  /** Whether the sender wants it kept. */
  readonly isKept: boolean;
}

const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const SECOND_MS = 1000;
const COOKIE = 'set-cookie';

/** Throws Defect for a header that would break out of its line. */
export function checkHeaders(headers: Readonly<Record<string, string>>, cookies: readonly string[] = []): void {
  for (const [name, value] of Object.entries(headers)) checkHeader(name, value);
  for (const cookie of cookies) checkHeader(COOKIE, cookie);
}

/** Writes heads as the platform writes them: the same fields, in the same order and spelling. */
export class HeadWriter {
  readonly #clock: Clock;
  #second = Number.NaN;
  #date = '';
  #kept = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The head with its empty line, for latin1. Throws Defect for a header that would break out of its line. */
  write({ requestId, status, length, readable, headers, cookies = [], isLast, isKept }: AnswerHead): string {
    this.#lookAtClock();
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    if (readable !== undefined) head += fields(readable);
    head += `x-amzn-RequestId: ${requestId}\r\n`;
    if (length === 'chunked') head += 'transfer-encoding: chunked\r\n';
    else if (length !== 'unknown') head += `content-length: ${length}\r\n`;
    // The id is already there, in the spelling AWS uses.
    const own = 'x-amzn-requestid' in headers ? without(headers, 'x-amzn-requestid') : headers;
    if (isLast && own['connection'] === undefined) head += 'connection: close\r\n';
    head += fields(own);
    for (const cookie of cookies) head += fields({ [COOKIE]: cookie });
    if (isLast || own['connection'] !== undefined) return `${head}${this.#date}\r\n`;
    return head + (isKept ? this.#kept : `${this.#date}Connection: close\r\n\r\n`);
  }

  #lookAtClock(): void {
    const second = Math.floor(this.#clock.now() / SECOND_MS);
    if (second === this.#second) return;
    this.#second = second;
    this.#date = `Date: ${new Date(second * SECOND_MS).toUTCString()}\r\n`;
    const seconds = httpLimits.keepAliveMs / SECOND_MS;
    this.#kept = `${this.#date}Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n\r\n`;
  }
}

function fields(headers: Readonly<Record<string, string>>): string {
  let text = '';
  for (const name of Object.keys(headers)) {
    const value = headers[name] ?? '';
    checkHeader(name, value);
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

function checkHeader(name: string, value: string): void {
  if (FORBIDDEN.test(value) || !TOKEN.test(name)) throw new Defect(`the answer's header ${name} is not fit to be sent`);
}

function without(headers: Readonly<Record<string, string>>, name: string): Readonly<Record<string, string>> {
  const { [name]: _, ...rest } = headers;
  return rest;
}
