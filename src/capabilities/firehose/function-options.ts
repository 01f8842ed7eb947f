import { INTERNAL_PROBLEM, isInternal, nameOfArn } from '../../kernel/names.ts';
import * as s from '../../kernel/schema/declare.ts';
import { firehoseLimits } from './limits.ts';

/** The kind of a delivery that hands records to a function. */
export const FUNCTION = 'function';

const {
  functionBatchDefault,
  functionBatchMax,
  functionWindowSecondsMax,
  functionRetriesMax,
  functionAgeSecondsMin,
  functionAgeSecondsMax,
} = firehoseLimits;

/** Lambda's word for no bound. */
const ENDLESS = -1;

/** The declaration of a delivery to a function: an event source mapping of Lambda, with `-1` for no bound. */
export const functionOptions = s.struct(
  {
    name: s.string({ min: 1, max: 64, doc: 'The function.' }),
    event: s.optional(
      s.string({ values: ['kinesis', 'sqs'], doc: 'The form of the event: of Kinesis (default) or of SQS.' }),
    ),
    batchSize: s.optional(
      s.integer({ min: 1, max: functionBatchMax, doc: `Most records of one event: ${functionBatchDefault}.` }),
    ),
    batchWindowSeconds: s.optional(
      s.integer({ min: 0, max: functionWindowSecondsMax, doc: 'How long records are gathered: 0, not at all.' }),
    ),
    retries: s.optional(
      s.integer({
        min: ENDLESS,
        max: functionRetriesMax,
        doc: 'How often a failed batch is tried again: -1, endless.',
      }),
    ),
    maximumRecordAgeSeconds: s.optional(
      s.integer({ min: ENDLESS, max: functionAgeSecondsMax, doc: 'Records older than this are given up: -1, none.' }),
    ),
    bisectOnError: s.optional(s.boolean({ doc: 'Halves a failed batch and tries the halves: false.' })),
    onFailure: s.optional(
      s.string({ min: 1, max: 2048, doc: 'The stream that gets a document on each batch that was given up.' }),
    ),
  },
  { doc: 'Hands the records of each shard to a function, in order.' },
);

type Given = s.Static<typeof functionOptions>;

/** The options of a delivery to a function, with Lambda's defaults. */
export interface FunctionTarget {
  readonly name: string;
  readonly event: 'kinesis' | 'sqs';
  readonly batchSize: number;
  readonly windowMs: number;
  /** Infinity: as often as it takes. */
  readonly retries: number;
  /** Infinity: as long as the stream keeps them. */
  readonly ageMsMax: number;
  readonly bisectOnError: boolean;
  /** A stream's name. */
  readonly onFailure: string | undefined;
}

/** Options as they were checked, complete. */
export function functionTarget(options: unknown): FunctionTarget {
  // Checked against the declaration before it was stored.
  const given = options as Given;
  const { retries = ENDLESS, maximumRecordAgeSeconds: age = ENDLESS, onFailure } = given;
  return {
    name: given.name,
    event: given.event === 'sqs' ? 'sqs' : 'kinesis',
    batchSize: given.batchSize ?? functionBatchDefault,
    windowMs: (given.batchWindowSeconds ?? 0) * 1000,
    retries: retries === ENDLESS ? Infinity : retries,
    ageMsMax: age === ENDLESS ? Infinity : age * 1000,
    bisectOnError: given.bisectOnError ?? false,
    onFailure: onFailure === undefined ? undefined : nameOfArn(onFailure),
  };
}

/** What the shape alone cannot say, in a sentence; undefined when the options are fine. */
export function functionProblem(options: unknown, from: string | undefined): string | undefined {
  const { ageMsMax, onFailure } = functionTarget(options);
  if (from === undefined) return 'needs `from`: a function reads a stream';
  if (ageMsMax < functionAgeSecondsMin * 1000) {
    return `maximumRecordAgeSeconds is -1, or from ${functionAgeSecondsMin} to ${functionAgeSecondsMax}`;
  }
  if (onFailure === nameOfArn(from)) return 'onFailure is the stream it reads: name another one';
  if (onFailure !== undefined && isInternal(onFailure)) return `onFailure ${INTERNAL_PROBLEM}`;
  return undefined;
}
