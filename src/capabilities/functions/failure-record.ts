import type { FunctionFailure } from '../../ports/functions.ts';
import type { PendingEvent } from './model.ts';

/** An Event that failed for good. */
export interface FailedEvent {
  readonly pending: PendingEvent;
  /** `RetriesExhausted`, or `EventAgeExceeded`. */
  readonly condition: 'RetriesExhausted' | 'EventAgeExceeded';
  readonly arn: string;
  readonly failure: FunctionFailure | undefined;
  /** JSON texts. */
  readonly event: Uint8Array;
  readonly payload: Uint8Array | undefined;
  readonly now: number;
}

/** The record that AWS sends to a destination on failure (Lambda, "Retaining records of asynchronous invocations"). */
export function failureRecord({ pending, condition, arn, failure, event, payload, now }: FailedEvent): Uint8Array {
  const record = {
    version: '1.0',
    timestamp: new Date(now).toISOString(),
    requestContext: {
      requestId: pending.requestId,
      functionArn: `${arn}:$LATEST`,
      condition,
      approximateInvokeCount: pending.attempt,
    },
    requestPayload: json(event),
    ...(failure !== undefined && {
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: json(payload),
    }),
  };
  return Buffer.from(JSON.stringify(record));
}

/** What a runtime of others answers need not be JSON. */
function json(bytes: Uint8Array | undefined): unknown {
  const text = Buffer.from(bytes ?? []).toString();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
