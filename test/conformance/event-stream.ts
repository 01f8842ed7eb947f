import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { awsHeaders, type Subject } from './subject.ts';

const PRELUDE_BYTES = 12;
const TEXT = 7;

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

/** One frame: `kind` is `event` or `exception`, `type` its event or exception type, `body` its payload. */
export interface Frame {
  readonly kind: string;
  readonly type: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** A subscription as a client holds it. */
export class EventStream {
  readonly #payload: Payload;
  readonly #client: AbortController;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #bytes = Buffer.alloc(0);

  constructor(response: Response, client: AbortController, payload: Payload) {
    assert.ok(response.body !== null);
    this.#payload = payload;
    this.#client = client;
    this.#chunks = response.body[Symbol.asyncIterator]();
  }

  /** The next frame; undefined at a clean end. Fails after `withinMs`, and for bytes that are no frame. */
  async next(withinMs = 10_000): Promise<Frame | undefined> {
    const timer = setTimeout(() => this.#client.abort(new Error('no frame came')), withinMs);
    try {
      for (;;) {
        const frame = this.#take();
        if (frame !== undefined) return frame;
        const { done, value } = await this.#chunks.next();
        if (done === true) {
          assert.equal(this.#bytes.length, 0, 'the stream ended in the middle of a frame');
          return undefined;
        }
        this.#bytes = Buffer.concat([this.#bytes, value]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Texts of the next `count` records, however many events they come in. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) {
      const frame = await this.next();
      assert.equal(frame?.type, 'SubscribeToShardEvent', JSON.stringify(frame));
      for (const { Data } of frame.body.Records) texts.push(Buffer.from(Data, 'base64').toString());
    }
    return texts;
  }

  /** The first frame that is no event without records. */
  async news(): Promise<Frame | undefined> {
    for (;;) {
      const frame = await this.next();
      const isQuiet = frame?.type === 'SubscribeToShardEvent' && frame.body.Records.length === 0;
      if (!isQuiet || frame.body.ChildShards !== undefined) return frame;
    }
  }

  /** Goes away. */
  leave(): void {
    this.#client.abort();
  }

  #take(): Frame | undefined {
    const bytes = this.#bytes;
    if (bytes.length < PRELUDE_BYTES || bytes.length < bytes.readUInt32BE(0)) return undefined;
    const length = bytes.readUInt32BE(0);
    const frame = bytes.subarray(0, length);
    this.#bytes = bytes.subarray(length);
    assert.equal(frame.readUInt32BE(8), crc32(frame.subarray(0, 8)));
    assert.equal(frame.readUInt32BE(length - 4), crc32(frame.subarray(0, length - 4)));
    const bodyAt = PRELUDE_BYTES + frame.readUInt32BE(4);
    const headers = readHeaders(frame.subarray(PRELUDE_BYTES, bodyAt));
    const kind = headers.get(':message-type') ?? '';
    const type = headers.get(`:${kind}-type`) ?? '';
    assert.equal(headers.get(':content-type'), this.#payload.type);
    return { kind, type, body: this.#payload.read(frame.subarray(bodyAt, length - 4)) };
  }
}

function readHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    assert.equal(bytes[nameEnd], TEXT);
    const end = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1);
    headers.set(bytes.toString('utf8', at + 1, nameEnd), bytes.toString('utf8', nameEnd + 3, end));
    at = end;
  }
  return headers;
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
