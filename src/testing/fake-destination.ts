import { DeliveryError } from '../kernel/errors.ts';
import * as s from '../kernel/schema/declare.ts';
import type { Json } from '../ports/catalog.ts';
import type {
  AnyDestination,
  Batch,
  Delivered,
  Destination,
  OpenDestination,
  OutgoingRecord,
  Refused,
} from '../ports/destination.ts';
import type { Environment } from '../ports/environment.ts';

/** The word of the config file for a destination that the test scripts. */
export const FAKE = 'fake';

const options = s.struct({
  BufferSeconds: s.optional(s.integer({ min: 0, max: 900 })),
  RetrySeconds: s.optional(s.integer({ min: 0, max: 7200 })),
  Mode: s.optional(s.string({ values: ['failed', 'all'] })),
  Address: s.optional(s.string({})),
  S3Configuration: s.any(),
  ProcessingConfiguration: s.optional(s.any()),
});

type Options = s.Static<typeof options>;

/** A record as the fake was given it. */
export interface FakeRecord {
  readonly text: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
}

/** One attempt as a script sees it. */
export interface FakeAttempt {
  readonly records: readonly FakeRecord[];
  readonly place: string;
  /** Of the options it was opened with. */
  readonly address: string;
  /** Counted from 1 over all deliveries. */
  readonly number: number;
  readonly signal: AbortSignal;
}

/** Which records it does not take; throws what makes the whole attempt fail. */
export type FakeScript = (attempt: FakeAttempt) => Promise<readonly Refused[]> | readonly Refused[];

/** A destination whose answers the test scripts, and which remembers what arrived; it outlives the node. */
export class FakeDestination {
  script: FakeScript;
  readonly attempts: FakeAttempt[] = [];
  /** Texts of what it took, each time it did. */
  readonly arrived: string[] = [];
  readonly kind: AnyDestination;
  /** What it says that an attempt holds. */
  holdsBytes = 0;

  constructor(script: FakeScript = () => []) {
    this.script = script;
    const kind: Destination<typeof options> = {
      name: FAKE,
      options,
      buffering: ({ BufferSeconds = 1 }) => ({ bytesMax: 1024 * 1024, intervalMs: BufferSeconds * 1000 }),
      problem: () => undefined,
      describe: () => ({}),
      failures: ({ RetrySeconds = 60, Mode = 'failed', S3Configuration }) => ({
        errorType: 'fake-failed',
        backup: S3Configuration as Json,
        backupMode: Mode as 'failed' | 'all',
        retryMs: RetrySeconds * 1000,
        backoff: { baseMs: 1000, maxMs: 8000 },
        line: ({ sequenceNumber, subSequenceNumber = 0 }) => ({ dataId: `${sequenceNumber}.${subSequenceNumber}` }),
      }),
      usesNewestOptions: true,
      open: (given, _doors, environment) => this.#open(given, environment),
    };
    this.kind = kind;
  }

  #open({ Address = '' }: Options, environment: Environment): OpenDestination {
    return {
      holdsBytes: () => this.holdsBytes,
      place: ({ id }) => id,
      deliver: async (batch, place, signal) =>
        await this.#deliver({ batch, place, signal, address: Address }, environment),
      close: async () => undefined,
    };
  }

  async #deliver({ batch, place, signal, address }: Given, environment: Environment): Promise<Delivered> {
    const records: FakeRecord[] = [];
    for await (const some of batch.records()) records.push(...some.map(shown));
    const attempt = { records, place, address, signal, number: this.attempts.length + 1 };
    this.attempts.push(attempt);
    // What a network does takes a moment, in which the node may end.
    await environment.clock.sleep(1, signal);
    if (signal.aborted) throw new DeliveryError('Fake.Stopped', 'the node stops', true);
    const refused = await this.script(attempt);
    const places = new Set(refused.map(({ index }) => index));
    this.arrived.push(...records.filter((_, index) => !places.has(index)).map(({ text }) => text));
    return { place, sizeBytes: 0, refused, status: 200 };
  }
}

interface Given {
  readonly batch: Batch;
  readonly place: string;
  readonly signal: AbortSignal;
  readonly address: string;
}

function shown({ data, sequenceNumber, subSequenceNumber = 0 }: OutgoingRecord): FakeRecord {
  return { text: Buffer.from(data).toString('latin1'), sequenceNumber, subSequenceNumber };
}

/** A script that refuses the records whose text a rule names. */
export function refusing(rule: (text: string) => boolean, retryable: boolean): FakeScript {
  return ({ records }) =>
    records.flatMap(({ text }, index) =>
      rule(text) ? [{ index, code: 'Fake.Refused', message: `no ${text}`, retryable }] : [],
    );
}
