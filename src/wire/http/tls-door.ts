import type { Socket } from 'node:net';
import { createServer, rootCertificates, type Server, type TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.ts';

/** The authorities that everybody trusts, as the platform knows them, in PEM. */
export const publicRoots: readonly string[] = rootCertificates;

/** What comes out of a TLS door. */
export interface TlsDoorOptions {
  readonly certificate: Certificate;
  /** From the first byte to the end of the handshake. */
  readonly handshakeMs: number;
  /** A connection whose handshake is done. */
  readonly secured: (socket: TLSSocket) => void;
  /** A handshake that came to nothing. */
  readonly failed: () => void;
}

/** Turns connections that begin with a TLS greeting into plain ones. */
export class TlsDoor {
  readonly #server: Server;
  /** Connections whose handshake is under way, by their peer's address: the platform does not tell which was which. */
  readonly #greeting = new Map<string, Socket>();

  constructor({ certificate, handshakeMs, secured, failed }: TlsDoorOptions) {
    this.#server = createServer({
      ...certificate,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: handshakeMs,
      minVersion: 'TLSv1.2',
    });
    this.#server.on('secureConnection', (socket) => {
      this.#greeting.delete(peerOf(socket));
      // The platform tells of what is no TLS behind the handshake, and leaves the connection open.
      socket.on('error', () => socket.destroy());
      secured(socket);
    });
    this.#server.on('tlsClientError', (_error, socket) => {
      failed();
      socket.destroy();
    });
  }

  /** Takes a connection of which nothing was read, or what was read was put back. */
  serve(socket: Socket): void {
    const peer = peerOf(socket);
    this.#greeting.set(peer, socket);
    socket.once('close', () => {
      if (this.#greeting.get(peer) === socket) this.#greeting.delete(peer);
    });
    socket.on('error', () => undefined);
    this.#server.emit('connection', socket);
  }

  /** Shown to whoever comes from now on. Throws what the platform says of a bad one, and keeps the old one. */
  show(certificate: Certificate): void {
    this.#server.setSecureContext({ ...certificate, minVersion: 'TLSv1.2' });
  }

  /** Cuts connections whose handshake is under way. */
  destroy(): void {
    for (const socket of this.#greeting.values()) socket.destroy();
  }
}

function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
