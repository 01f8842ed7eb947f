import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import type { Json } from './endpoint.ts';

const PRELUDE_BYTES = 12;
const TEXT = 7;
const FRAME_BYTES_MAX = 32 * 1024 * 1024;

/** One frame: `kind` is `event` or `exception`, `type` its event or exception type, `body` its JSON. */
export interface Frame {
  readonly kind: string;
  readonly type: string;
  readonly body: Json;
}

/** A subscription as a client holds it. */
export class EventStream {
  readonly #client: AbortController;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #bytes = Buffer.alloc(0);

  constructor(response: Response, client: AbortController) {
    assert.ok(response.body !== null, 'an event stream has a body');
    this.#client = client;
    this.#chunks = response.body[Symbol.asyncIterator]();
  }

  /** The next frame; undefined at a clean end. Fails after `withinMs`, and for bytes that are no frame. */
  async next(withinMs = 15_000): Promise<Frame | undefined> {
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
    const found: string[] = [];
    while (found.length < count) {
      const frame = await this.next();
      assert.equal(
        frame?.type,
        'SubscribeToShardEvent',
        `an event with records must come, not ${JSON.stringify(frame)}`,
      );
      for (const { Data } of frame.body.Records) found.push(Buffer.from(Data, 'base64').toString());
    }
    return found;
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
    if (bytes.length < PRELUDE_BYTES) return undefined;
    const length = bytes.readUInt32BE(0);
    assert.ok(length > PRELUDE_BYTES && length <= FRAME_BYTES_MAX, 'what came is no frame of an event stream');
    if (bytes.length < length) return undefined;
    const frame = bytes.subarray(0, length);
    this.#bytes = bytes.subarray(length);
    assert.equal(frame.readUInt32BE(8), crc32(frame.subarray(0, 8)), 'the check sum of a prelude is wrong');
    assert.equal(frame.readUInt32BE(length - 4), crc32(frame.subarray(0, length - 4)), 'a check sum is wrong');
    const bodyAt = PRELUDE_BYTES + frame.readUInt32BE(4);
    const headers = readHeaders(frame.subarray(PRELUDE_BYTES, bodyAt));
    const kind = headers.get(':message-type') ?? '';
    const type = headers.get(`:${kind}-type`) ?? '';
    return { kind, type, body: this.readBody(frame.subarray(bodyAt, length - 4), headers) };
  }

  /** A frame's body from its bytes. */
  protected readBody(bytes: Buffer, _headers: ReadonlyMap<string, string>): Json {
    return bytes.length === 0 ? {} : JSON.parse(bytes.toString());
  }
}

function readHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    assert.equal(bytes[nameEnd], TEXT, 'headers of an event stream are texts');
    const end = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1);
    headers.set(bytes.toString('utf8', at + 1, nameEnd), bytes.toString('utf8', nameEnd + 3, end));
    at = end;
  }
  return headers;
}
