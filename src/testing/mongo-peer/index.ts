/**
 * Speaks MongoDB's wire protocol as the primary of a replica set of one, from its public specifications, so that the
 * official drivers work with it. It is not a database: everything is in memory and bounded, nothing outlives it, there
 * are no indexes beside _id, no transactions, no logins, and what it does not know is refused, never answered wrongly.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ChangeLog } from './change-log.ts';
import type { PeerState } from './commands/command.ts';
import { SET_NAME } from './commands/hello.ts';
import { serveConnection } from './connection.ts';
import { Cursors } from './cursors.ts';
import { Dispatcher } from './dispatch.ts';
import { FailPoints, type FailPoint } from './fail-points.ts';
import { Store } from './store.ts';

const CONNECTIONS_MAX = 100;
const MIB = 1024 * 1024;

/** Bounds of a peer; absent ones are those named here. */
export interface MongoPeerOptions {
  /** Any free one when absent; the address is 127.0.0.1. */
  readonly port?: number;
  /** Of all documents together: 256 MiB. */
  readonly documentBytesMax?: number;
  /** Events kept for change streams: 100,000, and 64 MiB. */
  readonly eventsMax?: number;
}

/** A running peer. */
export interface MongoPeer {
  /** What clients connect with. */
  readonly uri: string;
  readonly port: number;
  /** The next commands of these names fail so, beside what clients set by `configureFailPoint`. */
  fail(point: FailPoint): void;
  /** Forgets the events so far: change streams that stand before them get ChangeStreamHistoryLost. */
  forgetHistory(): void;
  /** Ends all connections. */
  stop(): Promise<void>;
}

/** Starts a peer on loopback. Rejects with the system's error when the port is taken. */
export async function startMongoPeer(options: MongoPeerOptions = {}): Promise<MongoPeer> {
  const server = createServer();
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  const now = (): number => Date.now();
  const log = new ChangeLog({ eventsMax: options.eventsMax ?? 100_000, bytesMax: 64 * MIB }, now);
  const store = new Store(log, options.documentBytesMax ?? 256 * MIB, now);
  const state: PeerState = { store, log, cursors: new Cursors(), failPoints: new FailPoints(), address, now };
  const sockets = serve(server, state);
  return {
    uri: `mongodb://${address}/?replicaSet=${SET_NAME}`,
    port,
    fail: (point) => state.failPoints.add(point),
    forgetHistory: () => log.forget(),
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

function serve(server: Server, state: PeerState): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const dispatcher = new Dispatcher();
  let connections = 0;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Read where the connection is served; without a listener it would end the process.
    socket.on('error', () => undefined);
    connections += 1;
    void serveConnection(socket, connections, state, dispatcher);
  });
  return sockets;
}
