import { functionArn, streamArn } from '../../kernel/names.ts';
import type { Identity } from '../../ports/capability.ts';

/** Why records were given up: Lambda's words, and ours for one that does not fit into an event. */
export type FailureCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded' | 'PayloadSizeExceeded';

/** The last call of the function for the records that were given up. */
export interface LastCall {
  readonly requestId: string;
  /** Absent: it returned, and named records that it did not take. */
  readonly failure?: { readonly type: string; readonly message: string };
}

/** What there is to say of records that were given up. */
export interface GivenUp {
  readonly delivery: string;
  readonly functionName: string;
  readonly stream: string;
  readonly identity: Identity;
  readonly condition: FailureCondition;
  readonly calls: number;
  readonly last: LastCall | undefined;
  readonly shardId: string;
  readonly first: { readonly sequenceNumber: string; readonly at: number };
  readonly final: { readonly sequenceNumber: string; readonly at: number };
  readonly count: number;
  /** When, in ms since the Unix epoch. */
  readonly now: number;
  /** Names the document where the function was never called. */
  readonly id: string;
}

/** Lambda's document on a discarded batch of Kinesis, in JSON; `delivery` and the error's words are ours. */
export function failureDocument(given: GivenUp): string {
  const { identity, condition, calls, last, first, final, functionName, delivery } = given;
  const { region, account } = identity;
  return JSON.stringify({
    requestContext: {
      requestId: last?.requestId ?? given.id,
      functionArn: functionArn(region, account, functionName),
      condition,
      approximateInvokeCount: calls,
    },
    ...(last !== undefined && { responseContext: responseContext(last) }),
    version: '1.0',
    timestamp: new Date(given.now).toISOString(),
    KinesisBatchInfo: {
      shardId: given.shardId,
      startSequenceNumber: first.sequenceNumber,
      endSequenceNumber: final.sequenceNumber,
      approximateArrivalOfFirstRecord: new Date(first.at).toISOString(),
      approximateArrivalOfLastRecord: new Date(final.at).toISOString(),
      batchSize: given.count,
      streamArn: streamArn(region, account, given.stream),
    },
    delivery,
  });
}

const MESSAGE_MAX = 1000;

function responseContext({ failure }: LastCall): object {
  const called = { statusCode: 200, executedVersion: '$LATEST' };
  if (failure === undefined) return called;
  const errorMessage = failure.message.slice(0, MESSAGE_MAX);
  return { ...called, functionError: 'Unhandled', errorType: failure.type, errorMessage };
}
