import assert from 'node:assert/strict';
import { EventStream as PublishedEventStream, type Frame } from '../../src/conformance/event-stream.ts';
import { awsHeaders, type Subject } from './subject.ts';

/** How payloads are written: what a client asks for. */
export interface Payload {
  readonly type: string;
  read(bytes: Buffer): unknown;
  write(value: object): string | Uint8Array<ArrayBuffer>;
}

const JSON_PAYLOAD: Payload = {
  type: 'application/x-amz-json-1.1',
  read: (bytes) => JSON.parse(bytes.toString()),
  write: (value) => JSON.stringify(value),
};

/** A subscription in which every frame must be of the form that was asked for. */
export class EventStream extends PublishedEventStream {
  readonly #payload: Payload;

  constructor(response: Response, client: AbortController, payload: Payload) {
    super(response, client);
    this.#payload = payload;
  }

  override async next(withinMs = 10_000): Promise<Frame | undefined> {
    return await super.next(withinMs);
  }

  protected override readBody(bytes: Buffer, headers: ReadonlyMap<string, string>): unknown {
    assert.equal(headers.get(':content-type'), this.#payload.type);
    return this.#payload.read(bytes);
  }
}

/** Subscribes, and reads the frame that says so. */
export async function subscribe(
  { api }: Pick<Subject, 'api'>,
  ConsumerARN: string,
  StartingPosition: object,
  ShardId = 'shardId-000000000000',
  payload: Payload = JSON_PAYLOAD,
): Promise<EventStream> {
  const client = new AbortController();
  const response = await fetch(api, {
    method: 'POST',
    body: payload.write({ ConsumerARN, ShardId, StartingPosition }),
    headers: { ...awsHeaders('Kinesis_20131202.SubscribeToShard'), 'content-type': payload.type },
    signal: client.signal,
  });
  if (response.status !== 200) assert.fail(await response.text());
  assert.equal(response.headers.get('content-type'), 'application/vnd.amazon.eventstream');
  const stream = new EventStream(response, client, payload);
  assert.deepEqual(await stream.next(), { kind: 'event', type: 'initial-response', body: {} });
  return stream;
}
