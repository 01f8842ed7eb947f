import { parseJson } from '../../kernel/json.ts';
/** What became of one document. */
export type Verdict = 'arrived' | { readonly code: string; readonly message: string; readonly retryable: boolean };

const MESSAGE_CHARACTERS_MAX = 8192;
/** Not taken now: too busy, not allowed yet, blocked for writing, or there is no index yet. */
const RETRYABLE = new Set([401, 403, 404, 408, 429]);

/** What the answer is to. */
export interface BulkQuestion {
  readonly count: number;
  readonly hasIds: boolean;
  readonly clean: (text: string) => string;
}

interface Item {
  readonly status: number;
  readonly error?: unknown;
}

/**
 * One verdict for each of `count` documents, of the whole answer to a bulk request; undefined when it is no such
 * answer.
 * `hasIds`: what stands there already under a document's id is that document. `clean` takes secrets out of what was
 * said.
 */
export function bulkVerdicts(
  answer: Uint8Array,
  { count, hasIds, clean }: BulkQuestion,
): readonly Verdict[] | undefined {
  const items = itemsOf(answer);
  if (items?.length !== count) return undefined;
  const verdicts: Verdict[] = [];
  for (const item of items) {
    const result = resultOf(item);
    if (result === undefined) return undefined;
    verdicts.push(verdict(result, hasIds, clean));
  }
  return verdicts;
}

/** Whether the same may be taken later. */
export function isRetryableStatus(status: number): boolean {
  return status >= 500 || RETRYABLE.has(status);
}

/** No longer than what an error line holds. */
export function bounded(message: string): string {
  return message.length <= MESSAGE_CHARACTERS_MAX ? message : `${message.slice(0, MESSAGE_CHARACTERS_MAX - 1)}…`;
}

function itemsOf(answer: Uint8Array): readonly unknown[] | undefined {
  const items = (parseJson(answer) as { items?: unknown } | null | undefined)?.items;
  return Array.isArray(items) ? (items as unknown[]) : undefined;
}

/** The action's name stands around each result. */
function resultOf(item: unknown): Item | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const [result] = Object.values(item) as unknown[];
  const status = (result as { status?: unknown } | null | undefined)?.status;
  return typeof status === 'number' ? (result as Item) : undefined;
}

/** As on AWS the code is the engine's status, and the message what it said. */
function verdict({ status, error }: Item, hasIds: boolean, clean: BulkQuestion['clean']): Verdict {
  if (status >= 200 && status < 300) return 'arrived';
  if (status === 409 && hasIds && typeOf(error) === 'version_conflict_engine_exception') return 'arrived';
  const said = typeof error === 'string' ? error : (JSON.stringify(error) ?? `status ${status}`);
  const message = bounded(clean(said));
  return { code: String(status), message, retryable: isRetryableStatus(status) };
}

function typeOf(error: unknown): unknown {
  return (error as { type?: unknown } | null | undefined)?.type;
}
