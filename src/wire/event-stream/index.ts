import type { HttpStream } from '../../ports/http.ts';
import type { OutgoingEvent } from '../../ports/operation.ts';
import { FrameWriter } from './frame.ts';

/** The content type of an answer that goes on. */
export const EVENT_STREAM = 'application/vnd.amazon.eventstream';

/** What an exception says in mid-stream. */
export interface StreamException {
  /** An AWS exception name that the action's model lists. */
  readonly code: string;
  readonly message: string;
}

/** How a protocol writes the payloads of an answer's frames. */
export interface EventCodec {
  /** Of payloads. */
  readonly contentType: string;
  event(event: OutgoingEvent): readonly Uint8Array[];
  /** The names of members and their texts. */
  members(value: Readonly<Record<string, string>>): Uint8Array;
  /** What ended the events, in AWS's words. */
  exception(error: unknown): StreamException;
}

/**
 * An answer that goes on: a frame that says so, one for each event, and one for the exception that ended them, if one
 * did. The next event is asked for when the last one was taken. It is cut off when `cut` aborts.
 */
export function eventStream(events: AsyncIterable<OutgoingEvent>, codec: EventCodec, cut?: AbortSignal): HttpStream {
  return { pieces: frames(events, codec), cut };
}

async function* frames(events: AsyncIterable<OutgoingEvent>, codec: EventCodec): AsyncGenerator<Uint8Array> {
  const { contentType } = codec;
  const writers = new Map<string, FrameWriter>();
  const writer = (type: string): FrameWriter => {
    const known = writers.get(type) ?? new FrameWriter(eventHeaders(type, contentType));
    writers.set(type, known);
    return known;
  };
  // Some clients take nothing else for the first event.
  yield writer('initial-response').write([codec.members({})]);
  try {
    for await (const event of events) yield writer(event.type).write(codec.event(event));
  } catch (error) {
    const { code, message } = codec.exception(error);
    yield new FrameWriter(exceptionHeaders(code, contentType)).write([codec.members({ message })]);
  }
}

function eventHeaders(type: string, contentType: string): Readonly<Record<string, string>> {
  return { ':message-type': 'event', ':event-type': type, ':content-type': contentType };
}

function exceptionHeaders(code: string, contentType: string): Readonly<Record<string, string>> {
  return { ':message-type': 'exception', ':exception-type': code, ':content-type': contentType };
}
