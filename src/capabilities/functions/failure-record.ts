import { nextTurn } from '../../kernel/flow/next-turn.ts';
import { JsonScanner } from '../../kernel/json-scanner.ts';
import type { Clock } from '../../ports/environment.ts';
import type { FunctionFailure } from '../../ports/functions.ts';
import { functionsLimits } from './limits.ts';
import type { PendingEvent } from './model.ts';

/** An Event that failed for good. */
export interface FailedEvent {
  readonly pending: PendingEvent;
  /** `RetriesExhausted`, or `EventAgeExceeded`. */
  readonly condition: 'RetriesExhausted' | 'EventAgeExceeded';
  readonly arn: string;
  readonly failure: FunctionFailure | undefined;
  /** JSON text. */
  readonly event: Uint8Array;
  /** JSON text, or any other. */
  readonly payload: Uint8Array | undefined;
  readonly now: number;
}

/**
 * The record that AWS sends to a destination on failure (Lambda, "Retaining records of asynchronous invocations"). What
 * was sent and answered stands in it as it came: written anew, nesting that can be read may be too deep to write.
 */
export async function failureRecord(failed: FailedEvent, clock: Clock): Promise<Uint8Array> {
  const { pending, condition, arn, failure, event, payload, now } = failed;
  const members = [
    member('version', '1.0'),
    member('timestamp', new Date(now).toISOString()),
    member('requestContext', {
      requestId: pending.requestId,
      functionArn: `${arn}:$LATEST`,
      condition,
      // Without a failure this try was none.
      approximateInvokeCount: failure === undefined ? pending.attempt - 1 : pending.attempt,
    }),
    `"requestPayload":${await jsonText(event, clock)}`,
  ];
  if (failure !== undefined) {
    const context = { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' };
    members.push(member('responseContext', context), `"responsePayload":${await jsonText(payload, clock)}`);
  }
  return Buffer.from(`{${members.join(',')}}`);
}

function member(name: string, value: unknown): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

/** What a runtime of others answers need not be JSON: then it is a text. */
async function jsonText(bytes: Uint8Array = Buffer.alloc(0), clock: Clock): Promise<string> {
  const scanner = new JsonScanner(bytes);
  while (scanner.scan(functionsLimits.checkBytes)) await nextTurn(clock);
  const text = Buffer.from(bytes).toString();
  return scanner.wrongAt === undefined ? text : JSON.stringify(text);
}
