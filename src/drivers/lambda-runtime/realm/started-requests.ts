import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Pending } from './pending.ts';

const calls = new AsyncLocalStorage<Pending>();
const READS = ['arrayBuffer', 'blob', 'formData', 'json', 'text'] as const;
let isWatching = false;

/**
 * Does the work of a call so that `pending` holds the HTTP requests which it starts, by packages too, until their
 * answers are read. They are seen where the platform starts them, in a process that is the function's own.
 */
export async function withRequests<T>(pending: Pending, work: () => T | Promise<T>): Promise<T> {
  if (!isWatching) {
    isWatching = true;
    watchHttp();
    watchFetch();
  }
  return await calls.run(pending, async () => await work());
}

/** What `http` and `https` send, and so most clients do. */
function watchHttp(): void {
  const settle = new WeakMap<ClientRequest, () => void>();
  subscribe('http.client.request.start', (message) => {
    const { request } = message as { readonly request: ClientRequest };
    const closed = new Promise<void>((resolve) => {
      settle.set(request, resolve);
      request.once('close', resolve);
    });
    void calls.getStore()?.track(closed);
  });
  // Told before the client is: it finds `pipe` as it is from here on.
  subscribe('http.client.response.finish', (message) => {
    const { request, response } = message as { readonly request: ClientRequest; readonly response: IncomingMessage };
    const pending = calls.getStore();
    if (pending === undefined) return;
    const way = followed(response);
    // The client has its turn to begin reading; an answer that nobody reads never ends.
    setImmediate(() => {
      if (!isRead(way)) settle.get(request)?.();
      else for (const target of targetsOf(way)) void pending.track(finished(target).catch(() => undefined));
    });
  });
}

/** A stream and where it was piped to: clients unpack an answer so, which takes longer than the answer. */
interface Way {
  readonly stream: Stream;
  readonly targets: Way[];
}

type Stream = NodeJS.ReadableStream | NodeJS.WritableStream;

function followed(stream: Stream): Way {
  const way: Way = { stream, targets: [] };
  if (!isReadable(stream)) return way;
  const pipe = stream.pipe.bind(stream);
  stream.pipe = (target, options) => {
    // These two end with the process.
    if (![process.stdout, process.stderr].includes(target as never)) way.targets.push(followed(target));
    return pipe(target, options);
  };
  return way;
}

/** Also of a package that brings streams of its own. */
function isReadable(stream: Stream): stream is Readable {
  return 'readableFlowing' in stream;
}

function isRead({ stream, targets }: Way): boolean {
  if (targets.length > 0) return targets.some(isRead);
  if (!isReadable(stream)) return true;
  return stream.readableFlowing !== null || stream.listenerCount('readable') > 0;
}

function targetsOf({ targets }: Way): readonly Stream[] {
  return targets.filter(isRead).flatMap((target) => [target.stream, ...targetsOf(target)]);
}

function watchFetch(): void {
  const platformFetch = globalThis.fetch;
  globalThis.fetch = async (...given) => {
    const pending = calls.getStore();
    if (pending === undefined) return await platformFetch(...given);
    const response = await pending.track(platformFetch(...given));
    for (const name of READS) {
      const read = async (): Promise<unknown> => await pending.track(Response.prototype[name].call(response));
      Object.defineProperty(response, name, { value: read });
    }
    return response;
  };
}
