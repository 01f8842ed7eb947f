import { DeliveryError, EnvironmentError } from '../../kernel/errors.ts';
import { nextTurn } from '../../kernel/flow/next-turn.ts';
import {
  isUnanswered,
  type AttemptSize,
  type Batch,
  type Delivered,
  type DestinationDoors,
  type OpenDestination,
  type Refused,
} from '../../ports/destination.ts';
import type { Environment } from '../../ports/environment.ts';
import { ANSWER_BYTES_MAX, failureOf, isTooLarge, judge, type Failure } from './answer.ts';
import { compressedBody, packedBytesMax, type SizedBody } from './compressed-body.ts';
import type { HttpEndpointOptions } from './options.ts';
import { RecordCursor } from './record-cursor.ts';
import { PLAIN_BYTES_MAX, requestBody } from './request-body.ts';
import { requestHeaders } from './request-headers.ts';
import { bodyBytes, halves, plainBytesMax, planRequests, type PlannedRequest } from './request-plan.ts';

/** AWS's bound of a request, in ms. */
const REQUEST_MS_MAX = 180_000;

/** An endpoint that batches are sent to. */
export class HttpEndpoint implements OpenDestination {
  readonly #options: HttpEndpointOptions;
  readonly #doors: DestinationDoors;
  readonly #environment: Environment;

  constructor(options: HttpEndpointOptions, doors: DestinationDoors, environment: Environment) {
    this.#options = options;
    this.#doors = doors;
    this.#environment = environment;
  }

  holdsBytes({ recordCount, sizeBytes }: AttemptSize): number {
    const isPacked = this.#options.RequestConfiguration?.ContentEncoding === 'GZIP';
    const plain = plainBytesMax(recordCount, sizeBytes);
    return PLAIN_BYTES_MAX + ANSWER_BYTES_MAX + (isPacked ? packedBytesMax(plain, this.#environment.compute) : 0);
  }

  /** The id and the time of the request: each attempt says the same. */
  place({ id }: Omit<Batch, 'records'>): string {
    return `${id}/${this.#environment.clock.now()}`;
  }

  async deliver(batch: Batch, place: string, signal: AbortSignal): Promise<Delivered> {
    const parts = { options: this.#options, doors: this.#doors, environment: this.#environment };
    const attempt = new Attempt(parts, batch, Number(place.slice(place.lastIndexOf('/') + 1)), signal);
    try {
      return await attempt.run();
    } finally {
      await attempt.close();
    }
  }

  async close(): Promise<void> {}
}

interface Parts {
  readonly options: HttpEndpointOptions;
  readonly doors: DestinationDoors;
  readonly environment: Environment;
}

/** Records of an attempt that did not arrive, and why. */
interface Missed {
  readonly from: number;
  readonly to: number;
  readonly failure: Failure;
}

/** One attempt: the requests that a batch takes, one after the other. */
class Attempt {
  readonly #parts: Parts;
  readonly #batch: Batch;
  readonly #cursor: RecordCursor;
  /** When the batch was put together, in ms. */
  readonly #at: number;
  readonly #signal: AbortSignal;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #missed: Missed[] = [];
  readonly #arrived: { readonly from: number; readonly to: number; readonly place: string }[] = [];
  #sizeBytes = 0;
  /** What failed while a body was made: not the endpoint's doing. */
  #own: unknown;
  readonly #turn = async (): Promise<void> => await nextTurn(this.#parts.environment.clock);

  constructor(parts: Parts, batch: Batch, at: number, signal: AbortSignal) {
    this.#parts = parts;
    this.#batch = batch;
    this.#cursor = new RecordCursor(batch, this.#turn);
    this.#at = at;
    this.#signal = signal;
    this.#headers = requestHeaders(parts.options, batch.deliveryStreamArn);
  }

  async run(): Promise<Delivered> {
    const waiting = [...(await planRequests(this.#batch, this.#turn))].reverse();
    for (let request = waiting.pop(); request !== undefined; request = waiting.pop()) {
      const failure = await this.#send(request);
      if (failure === undefined) continue;
      if (this.#isToBeHalved(request, failure)) {
        const [left, right] = await halves(this.#batch.id, request, this.#cursor.read(request));
        waiting.push(right, left);
        continue;
      }
      this.#missed.push({ from: request.from, to: request.to, failure });
      // Each would wait as long as this one did.
      if (failure.isUnreachable) this.#missed.push(...waiting.reverse().map((one) => ({ ...one, failure })));
      if (failure.isUnreachable) break;
    }
    return this.#outcome();
  }

  async close(): Promise<void> {
    await this.#cursor.close();
  }

  #isToBeHalved(request: PlannedRequest, failure: Failure): boolean {
    return isTooLarge(failure) && this.#parts.doors.settings.on413 === 'bisect' && request.to - request.from > 1;
  }

  /** Why the records of the request did not arrive; undefined: they did. */
  async #send(request: PlannedRequest): Promise<Failure | undefined> {
    this.#own = undefined;
    try {
      return await this.#exchange(request);
    } catch (error) {
      if (isNotEncoded(this.#own)) return failureOf(this.#own);
      if (this.#own !== undefined || !(error instanceof EnvironmentError)) throw error;
      if (this.#signal.aborted) throw new DeliveryError('HttpEndpoint.Stopped', 'the node stops', true, error);
      return failureOf(error);
    }
  }

  async #exchange(request: PlannedRequest): Promise<Failure | undefined> {
    const { AccessKey = '', Url } = this.#parts.options.EndpointConfiguration;
    const body = await this.#body(request);
    const answer = await this.#parts.doors.http.send({
      url: Url,
      method: 'POST',
      headers: {
        ...this.#headers,
        'x-amz-firehose-request-id': request.id,
        'content-length': String(body.bytes),
      },
      body: body.pieces,
      timeoutMs: REQUEST_MS_MAX,
      signal: this.#signal,
    });
    const failure = await judge(answer, request.id, AccessKey);
    if (failure !== undefined) return failure;
    this.#arrived.push({ from: request.from, to: request.to, place: request.id });
    this.#sizeBytes += body.bytes;
    return undefined;
  }

  async #body(request: PlannedRequest): Promise<SizedBody> {
    const { options, environment } = this.#parts;
    const { compute } = environment;
    const plain = (): AsyncIterable<Uint8Array> => this.#plain(request);
    if (options.RequestConfiguration?.ContentEncoding !== 'GZIP') {
      return { bytes: bodyBytes(request, this.#at), pieces: plain() };
    }
    return await compressedBody(() => this.#marked(compute.gzip(plain())));
  }

  #plain(request: PlannedRequest): AsyncIterable<Uint8Array> {
    return this.#marked(requestBody(request.id, this.#at, this.#cursor.read(request)));
  }

  /** Keeps what the making of a body throws apart from what its sending does. */
  async *#marked(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of pieces) {
        if (this.#signal.aborted) throw new DeliveryError('HttpEndpoint.Stopped', 'the node stops', true);
        yield piece;
      }
    } catch (error) {
      this.#own = error;
      throw error;
    }
  }

  #outcome(): Delivered {
    const [first, ...more] = this.#missed;
    if (first !== undefined && this.#arrived.length === 0 && more.every(({ failure }) => failure === first.failure)) {
      const { code, message, retryable, cause } = first.failure;
      throw new DeliveryError(code, message, retryable, cause);
    }
    return {
      place: this.#arrived[0]?.place ?? this.#batch.id,
      ...(this.#arrived.length > 1 && { places: this.#arrived }),
      sizeBytes: this.#sizeBytes,
      refused: this.#missed.flatMap(refusedOf),
      ...(first !== undefined && { requestStarts: this.#missed.map(({ from }) => from) }),
      status: first?.failure.status ?? 200,
    };
  }
}

/** Whether what encodes failed, and neither the endpoint nor the log. */
function isNotEncoded(error: unknown): error is EnvironmentError {
  return error instanceof EnvironmentError && error.code === 'ENOTENCODED';
}

function refusedOf({ from, to, failure: { code, message, retryable, cause } }: Missed): readonly Refused[] {
  const shared = { code, message, retryable, ...(isUnanswered(cause) && { mayHaveArrived: true as const }) };
  return Array.from({ length: to - from }, (_, index) => ({ index: from + index, ...shared }));
}
