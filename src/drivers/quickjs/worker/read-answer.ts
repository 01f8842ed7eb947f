import { parseJson } from '../../../kernel/json.ts';
import type { GuestFailure } from './failure.ts';

/** What the guest told of a call. */
export interface GuestAnswer {
  /** JSON text. */
  readonly json?: string;
  readonly failure?: GuestFailure;
  readonly printed: readonly string[];
}

const KINDS: readonly unknown[] = ['error', 'result', 'memory'];

/**
 * The guest's answer from its text (`GUEST` says how it is made); undefined for a text that the guest does not make,
 * whoever made it: it stands in the memory of the script.
 */
export function readAnswer(text: string): GuestAnswer | undefined {
  if (!text.startsWith('!')) return parseJson(text) === undefined ? undefined : { json: text, printed: [] };
  const frame = parseJson(text.slice(1)) as Partial<Record<keyof GuestAnswer, unknown>> | null | undefined;
  const { json, failure, printed } = frame ?? {};
  if (!Array.isArray(printed) || !printed.every((line) => typeof line === 'string')) return undefined;
  if (failure !== undefined) return isFailure(failure) ? { failure, printed } : undefined;
  return typeof json === 'string' && parseJson(json) !== undefined ? { json, printed } : undefined;
}

function isFailure(value: unknown): value is GuestFailure {
  const { kind, message, stack } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return KINDS.includes(kind) && typeof message === 'string' && typeof stack === 'string';
}
