import { JsonPathFinder, parseJsonPath } from '../../kernel/json-path.ts';
import { parseUrl } from '../../kernel/net/parse-url.ts';
import type { Static } from '../../kernel/schema/declare.ts';
import type { sseOptions } from './config.ts';
import { readHeaders } from './header-pairs.ts';
import { sseLimits } from './limits.ts';

/** The checked word `sse` of a source. */
export type SseOptions = Static<typeof sseOptions>;

/** An SSE source, ready to connect. */
export interface SseSettings {
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: all. */
  readonly types: ReadonlySet<string> | undefined;
  /** 0: never. */
  readonly readTimeoutMs: number;
  /** 0: never. */
  readonly reportMs: number;
  readonly eventBytesMax: number;
  readonly dedupeKey: JsonPathFinder | undefined;
  readonly skip: readonly (readonly [JsonPathFinder, string])[];
}

/** What is wrong with the options, in a sentence; undefined when they are fine. */
export function sseProblem(options: SseOptions): string | undefined {
  if (options.url === undefined && options.properties === undefined) return 'has no url; name one';
  const paths = [...(options.dedupeKey === undefined ? [] : [options.dedupeKey]), ...Object.keys(options.skip ?? {})];
  const wrong = paths.find((path) => parseJsonPath(path) === undefined);
  if (wrong !== undefined) return `${wrong} is no path, expected one such as meta.id`;
  return (
    (options.url === undefined ? undefined : urlProblem(options.url)) ??
    (options.headers === undefined ? undefined : readHeaders(options.headers).problem)
  );
}

/** What is wrong with an address, without repeating it: it may hold a key. */
export function urlProblem(text: string): string | undefined {
  const parsed = parseUrl(text);
  if (parsed === undefined) return 'url is none, expected one such as https://example.com/events';
  const { protocol, username, password } = parsed;
  if (protocol !== 'https:' && protocol !== 'http:') return 'url is neither https nor http';
  if (username !== '' || password !== '') return 'url holds a user and a password; send them as a header';
  return undefined;
}

/** The options as settings; they have no problem. */
export function sseSettings(options: SseOptions): SseSettings {
  const url = new URL(options.url ?? '');
  url.hash = '';
  const types = (options.types ?? '').split('|').filter((type) => type !== '');
  return {
    url: url.href,
    headers: options.headers === undefined ? {} : readHeaders(options.headers).headers,
    types: types.length === 0 ? undefined : new Set(types),
    readTimeoutMs: options.readTimeoutMS ?? sseLimits.readTimeoutMs,
    reportMs: options.reportMessagesReceivedMS ?? 0,
    eventBytesMax: options.maxEventBytes ?? sseLimits.eventBytesMax,
    dedupeKey: options.dedupeKey === undefined ? undefined : finderOf(options.dedupeKey),
    skip: Object.entries(options.skip ?? {}).map(([path, text]) => [finderOf(path), text] as const),
  };
}

/** Words that change nothing, each with the reason. */
export function sseNotes({ headers }: SseOptions): readonly string[] {
  return headers === undefined ? [] : readHeaders(headers).notes;
}

function finderOf(path: string): JsonPathFinder {
  return new JsonPathFinder(parseJsonPath(path) ?? []);
}
