import type { Environment } from '../../ports/environment.ts';
import type { Identity } from '../../ports/capability.ts';
import type { Header } from '../../ports/stream-store.ts';
import type { Records } from '../../ports/records.ts';
import type { FunctionLogs } from './function-logs.ts';
import type { HostedFunctions } from './hosted-functions.ts';
import type { PendingEvents } from './pending-events.ts';

/** What actions on functions work with. */
export interface FunctionsState {
  readonly records: Records;
  readonly identity: Identity;
  readonly environment: Environment;
  readonly functions: HostedFunctions;
  readonly events: PendingEvents;
  readonly logs: FunctionLogs;
}

/** Events that nobody waits for, each as one record until it is done. */
export const INVOCATIONS_STREAM = '$invocations';
/** One record for each run. */
export const LOGS_STREAM = '$function-logs';
/** Where the worker is in `$invocations`. */
export const EVENTS_POSITION_KEY = 'function-events/position';
/** What was done there behind that when the node was stopped. */
export const EVENTS_DONE_KEY = 'function-events/done';

/** What the file said of Events when one was accepted: it holds for this one, whatever the file says later. */
export interface EventRules {
  readonly retries?: number | undefined;
  readonly retryAfterSeconds?: readonly number[] | undefined;
  readonly maximumEventAgeSeconds?: number | undefined;
  /** Name of the stream for what failed for good. */
  readonly onFailure?: string | undefined;
}

/** An Event on its way to a function: the JSON of its record is the event itself. */
export interface PendingEvent {
  readonly function: string;
  /** The same for all tries. */
  readonly requestId: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** When it was accepted, in ms. */
  readonly acceptedAt: number;
  /** Not before this time, in ms. */
  readonly dueAt: number;
  /** Absent in events of earlier builds: then the file's hold. */
  readonly rules?: EventRules;
}

/** The rules in a function's options. */
export function rulesOf(options: EventRules): EventRules {
  const { retries, retryAfterSeconds, maximumEventAgeSeconds, onFailure } = options;
  return { retries, retryAfterSeconds, maximumEventAgeSeconds, onFailure };
}

const HEADER = 'event';

/** As the log keeps it beside the event. */
export function pendingToHeaders(event: PendingEvent): readonly Header[] {
  return [[HEADER, new TextEncoder().encode(JSON.stringify(event))]];
}

/** As the log kept it; undefined: this is no record of ours. */
export function pendingFromHeaders(headers: readonly Header[]): PendingEvent | undefined {
  const bytes = headers.find(([name]) => name === HEADER)?.[1];
  return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as PendingEvent);
}
