import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

/** What zlib does without a delivery around it. */
export interface BareGzip {
  readonly mibPerSecond: number;
  readonly cpuMsPerMib: number;
}

const PIECE_BYTES = 1024 * 1024;
const MIB = 1024 * 1024;

/** Compresses the bytes at level 1, asynchronously, in pieces of 1 MiB, as many at once as there are cores. */
export async function bareGzip(bytes: Uint8Array): Promise<BareGzip> {
  const compress = promisify<Uint8Array, { level: number; chunkSize: number }, Buffer>(gzip);
  const options = { level: constants.Z_BEST_SPEED, chunkSize: PIECE_BYTES / 2 };
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let at = 0;
  const work = async (): Promise<void> => {
    while (at < bytes.length) {
      const from = at;
      at += PIECE_BYTES;
      await compress(bytes.subarray(from, from + PIECE_BYTES), options);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const mib = bytes.length / MIB;
  return { mibPerSecond: mib / seconds, cpuMsPerMib: (user + system) / 1000 / mib };
}
