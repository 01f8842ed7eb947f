import { RequestError, ThrottleError } from '../../kernel/errors.ts';
import type { Functions, Invocation, InvokeOptions } from '../../ports/functions.ts';
import type { Answer } from '../../testing/node-bench.ts';

export { base64, NodeBench as Bench, type Answer } from '../../testing/node-bench.ts';

/** Smallest options of a destination that this version can fill. */
export function toBucket(
  BucketARN = 'arn:aws:s3:::archive',
  IntervalInSeconds = 5,
): { ExtendedS3DestinationConfiguration: object } {
  return {
    ExtendedS3DestinationConfiguration: { BucketARN, BufferingHints: { SizeInMBs: 1, IntervalInSeconds } },
  };
}

/** What a fake function gets and gives: its answer, or what it throws: an Error fails the call, others the invoking. */
export type FakeHandler = (event: Answer, signal: AbortSignal | undefined) => unknown;

/** Functions whose handlers are of the test; calls are counted. */
export class FakeFunctions implements Functions {
  readonly handlers: Record<string, FakeHandler>;
  /** Events of all calls so far. */
  readonly events: Answer[] = [];

  constructor(handlers: Record<string, FakeHandler> = {}) {
    this.handlers = handlers;
  }

  has(name: string): boolean {
    return this.handlers[name] !== undefined;
  }

  async invoke(name: string, bytes: Uint8Array, options: InvokeOptions = {}): Promise<Invocation> {
    const event: Answer = JSON.parse(Buffer.from(bytes).toString());
    this.events.push(event);
    const called = { requestId: `call-${this.events.length}`, logTail: '' };
    try {
      const answer: unknown = await this.handlers[name]?.(event, options.signal);
      return { ...called, payload: Buffer.from(JSON.stringify(answer ?? null)) };
    } catch (error) {
      if (!(error instanceof Error) || error instanceof RequestError || error instanceof ThrottleError) throw error;
      return { ...called, payload: Buffer.from('{}'), failure: { type: error.name, message: error.message } };
    }
  }

  /** The data of the records of each call. */
  get seen(): string[] {
    return this.events.map(textsOf);
  }
}

/** The data of an event's records, joined. */
export function textsOf({ Records }: Answer): string {
  const texts = (Records as readonly Answer[]).map(({ kinesis, body }) =>
    kinesis === undefined ? String(body) : Buffer.from(String(kinesis.data), 'base64').toString(),
  );
  return texts.join(' ');
}
