import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy that treats connections badly. */
export interface RoughProxy {
  readonly port: number;
  /** Connections that it cut, and that it let hang, so far. */
  readonly cut: number;
  readonly stalled: number;
  /** From now on it passes everything on as it comes. */
  calm(): void;
  close(): void;
}

const PIECE_BYTES_MAX = 700;
const LIFE_BYTES = 60_000;
const STALL_SHARE = 0.3;

/** Passes bytes on in pieces cut anywhere; after some, the connection is cut in the middle, or nothing comes any more. */
export async function openRoughProxy(target: number): Promise<RoughProxy> {
  let isCalm = false;
  let [cut, stalled] = [0, 0];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    let left = Math.random() * LIFE_BYTES;
    const stalls = Math.random() < STALL_SHARE;
    let isSilent = false;
    upstream.on('data', (bytes: Buffer) => {
      if (isSilent) return;
      for (let at = 0; at < bytes.length;) {
        const size = isCalm
          ? bytes.length
          : Math.min(bytes.length - at, 1 + Math.floor(Math.random() * PIECE_BYTES_MAX));
        const piece = bytes.subarray(at, at + size);
        at += size;
        left -= size;
        if (isCalm || left > 0) client.write(piece);
        else {
          client.write(piece.subarray(0, Math.floor(Math.random() * piece.length)));
          if (stalls) [isSilent, stalled] = [true, stalled + 1];
          else {
            cut += 1;
            client.resetAndDestroy();
          }
          return;
        }
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get cut() {
      return cut;
    },
    get stalled() {
      return stalled;
    },
    calm() {
      isCalm = true;
    },
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
