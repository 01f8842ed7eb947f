import type { Server } from './server.ts';

/** What a timed part took. */
export interface Lap {
  readonly seconds: number;
  readonly serverCpuSeconds: number;
  /** Of this process: it shares the machine with the server. */
  readonly clientCpuSeconds: number;
  readonly writtenBytes: number;
}

/** Times a part of a measurement, and what server and client used meanwhile. */
export async function timed<T>(server: Server, part: () => Promise<T>): Promise<Lap & { readonly result: T }> {
  const before = server.usage();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const result = await part();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const after = server.usage();
  return {
    result,
    seconds,
    serverCpuSeconds: after.cpuSeconds - before.cpuSeconds,
    clientCpuSeconds: (user + system) / 1e6,
    writtenBytes: after.writtenBytes - before.writtenBytes,
  };
}
