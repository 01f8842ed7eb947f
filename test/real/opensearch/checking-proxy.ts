import { createServer, request } from 'node:http';
import { endServer, onLoopback } from '../../../src/testing/loopback.ts';

/** Lets through to a cluster who proves to be `username` with `password`; others get 401. */
export interface CheckingProxy {
  readonly url: string;
  close(): void;
}

/** Starts one before the cluster at this URL. */
export async function startCheckingProxy(cluster: string, username: string, password: string): Promise<CheckingProxy> {
  const wanted = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const server = createServer((incoming, answer) => {
    if (incoming.headers.authorization !== wanted) {
      incoming.resume();
      answer.writeHead(401, { 'content-type': 'text/plain' }).end('Unauthorized');
      return;
    }
    const { authorization: _, ...headers } = incoming.headers;
    const passed = request(cluster + (incoming.url ?? ''), { method: incoming.method, headers }, (theirs) => {
      answer.writeHead(theirs.statusCode ?? 502, theirs.headers);
      theirs.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    incoming.pipe(passed);
  });
  return {
    url: await onLoopback(server),
    close: () => endServer(server),
  };
}
