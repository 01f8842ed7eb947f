import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../environments/node/clock.ts';
import { createNodeEnvironment } from '../environments/node/index.ts';
import { fakeDrivers } from '../testing/fake-drivers.ts';
import type { Credential } from '../wire/sigv4/principal.ts';
import type { Drivers } from './index.ts';
import type { ServedNode } from './serve.ts';
import { serveOnLoopback } from '../testing/serve-on-loopback.ts';

/** A key pair as clients have it. */
export interface Pair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** JSON of any shape. */
export type Answer = ReturnType<typeof JSON.parse>;

/** Runs `work` on a node of these key pairs, or one that verifies none, with listeners on free ports. */
export async function withNode(
  credentials: readonly Credential[] | undefined,
  sections: Readonly<Record<string, unknown>>,
  work: (served: ServedNode) => Promise<void>,
  drivers: Partial<Drivers> = {},
): Promise<void> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'millrace-keys-'));
  const served = await serveOnLoopback({
    drivers: fakeDrivers(nodeClock, drivers),
    configFolder: '/config',
    environment: createNodeEnvironment({ log: 'silent' }),
    dataDirectory,
    mode: 'start',
    sections,
    credentials,
  });
  try {
    await work(served);
  } finally {
    await served.stop(1000);
    await rm(dataDirectory, { recursive: true, force: true });
  }
}
