import type { Socket } from 'node:net';
import type { PeerState } from './commands/command.ts';
import type { Dispatcher } from './dispatch.ts';
import { messageLength, readMessage, writeAnswer } from './message.ts';

/** Serves the commands of one connection, one after the other, until it ends; bytes that are no message end it. */
export async function serveConnection(
  socket: Socket,
  connectionId: number,
  state: PeerState,
  dispatcher: Dispatcher,
): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  socket.setNoDelay(true);
  try {
    for await (const bytes of messages(socket)) {
      const message = readMessage(bytes);
      const { body, database } = message;
      const call = { state, body, database, connectionId, signal: gone.signal };
      const { answer, isDropped } = await dispatcher.run(call);
      if (isDropped) break;
      if (!message.isOneWay && !socket.write(writeAnswer(message, answer))) await drained(socket, gone.signal);
    }
  } catch {
    // A connection that broke, or spoke another protocol: there is nobody to tell.
  } finally {
    socket.destroy();
  }
}

/** Whole messages; what came of the next one waits, and the socket with it while one is at work. */
async function* messages(socket: Socket): AsyncIterable<Buffer> {
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    for (;;) {
      const wanted = messageLength(length < 4 ? Buffer.alloc(0) : head(chunks));
      if (wanted === undefined || length < wanted) break;
      const whole = Buffer.concat(chunks, length);
      chunks = [whole.subarray(wanted)];
      length -= wanted;
      yield whole.subarray(0, wanted);
    }
  }
}

function head(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return first !== undefined && first.length >= 4 ? first : Buffer.concat(chunks.slice(0, 5));
}

async function drained(socket: Socket, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
