import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutgoingEvent } from '../../ports/operation.ts';
import { readFrames } from '../../testing/event-frames.ts';
import { eventStream, type EventCodec } from './index.ts';

const codec: EventCodec = {
  contentType: 'text/plain',
  event: ({ value }) => [Buffer.from(String(value))],
  members: (value) => Buffer.from(JSON.stringify(value)),
  exception: (error) => ({ code: 'OddException', message: String(error) }),
};

/** Reads a stream to its end, one line for each frame. */
async function transcript(events: AsyncIterable<OutgoingEvent>): Promise<string[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of eventStream(events, codec).pieces) pieces.push(piece);
  const { frames, rest } = readFrames(Buffer.concat(pieces));
  assert.equal(rest.length, 0);
  return frames.map(({ headers, payload }) => {
    assert.equal(headers[':content-type'], 'text/plain');
    const kind = headers[':event-type'] ?? headers[':exception-type'];
    return `${headers[':message-type']} ${kind} ${payload.length > 50 ? payload.length : payload}`;
  });
}

test('the first frame says that the stream begins, the last one what ended it', async () => {
  const table: readonly (readonly [events: () => AsyncIterable<OutgoingEvent>, frames: readonly string[]])[] = [
    [async function* () {}, []],
    [
      async function* () {
        yield { type: 'A', value: 'one' };
        yield { type: 'B', value: 'x'.repeat(1_000_000) };
        yield { type: 'A', value: 'ü' };
      },
      ['event A one', 'event B 1000000', 'event A ü'],
    ],
    [
      async function* () {
        yield { type: 'A', value: 'one' };
        throw new Error('it broke');
      },
      ['event A one', 'exception OddException {"message":"Error: it broke"}'],
    ],
  ]; // prettier-ignore
  for (const [events, frames] of table) {
    assert.deepEqual(await transcript(events()), ['event initial-response {}', ...frames]);
  }
});

test('events are asked for one at a time, and left when nobody reads on', async () => {
  const log: string[] = [];
  async function* events(): AsyncGenerator<OutgoingEvent> {
    try {
      for (let index = 0; ; index += 1) {
        log.push(`made ${index}`);
        yield { type: 'A', value: index };
      }
    } finally {
      log.push('left');
    }
  }
  const iterator = eventStream(events(), codec).pieces[Symbol.asyncIterator]();
  await iterator.next();
  assert.deepEqual(log, []);
  await iterator.next();
  assert.deepEqual(log, ['made 0']);
  await iterator.next();
  await iterator.return?.();
  assert.deepEqual(log, ['made 0', 'made 1', 'left']);
});
