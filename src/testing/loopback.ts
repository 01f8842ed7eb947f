import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Lets a server listen on a free port of loopback; resolves with its origin, `http://127.0.0.1:PORT`. */
export async function onLoopback(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Ends it and all that is connected to it. */
export function endServer(server: Server): void {
  server.closeAllConnections();
  server.close();
}
