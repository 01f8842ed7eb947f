/**
 * A node like `millrace dev`, in a process of its own, for tests that need what no option of the program gives: small
 * segments (`--segment-bytes N`), snapshots of the catalog after few commands (`--snapshot-every N`), and a wall clock
 * that jumps 30 hours ahead at each SIGUSR2.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exitCodes } from '../../src/cli/context.ts';
import { serve, type SyncMode } from '../../src/compose/serve.ts';
import { createNodeEnvironment } from '../../src/environments/node/index.ts';
import { fakeDrivers } from '../../src/testing/fake-drivers.ts';
import { readConfig } from '../../src/main/config-file.ts';

const JUMP_MS = 30 * 3_600_000;
const STOP_MS = 10_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    api: { type: 'string', default: '127.0.0.1:0' },
    gateway: { type: 'string', default: '127.0.0.1:0' },
    data: { type: 'string', default: '' },
    'segment-bytes': { type: 'string' },
    'snapshot-every': { type: 'string' },
    sync: { type: 'string', default: 'always' },
  },
});

function address(text: string): { readonly host: string; readonly port: number } {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}

// Neither timers of the environment nor listeners keep a process alive.
setInterval(() => undefined, 60_000);
let aheadMs = 0;
process.on('SIGUSR2', () => (aheadMs += JUMP_MS));
const real = createNodeEnvironment({ log: 'json' });
const now = (): number => real.clock.now() + aheadMs;
const monotonic = (): number => real.clock.monotonic() + aheadMs;
const environment = { ...real, clock: { ...real.clock, now, monotonic } };
const dataDirectory = resolve(values.data);
const [, file] = positionals;
const source = file === undefined ? undefined : resolve(file);
const mode = 'dev';
const config = await readConfig({ environment, source, dataDirectory, mode, missingSecrets: 'make', own: [] });
const [segmentBytes, snapshotEvery] = [values['segment-bytes'], values['snapshot-every']];
const served = await serve({
  drivers: fakeDrivers(environment.clock),
  configFolder: '/config',
  environment,
  dataDirectory,
  api: address(values.api),
  gateway: address(values.gateway),
  identity: { region: 'us-east-1', account: '000000000000' },
  mode,
  hosts: [],
  origins: [],
  sections: config.sections,
  version: 'test',
  engine: {
    sync: values.sync as SyncMode,
    ...(segmentBytes !== undefined && { segmentBytesMax: Number(segmentBytes) }),
  },
  ...(snapshotEvery !== undefined && { catalog: { snapshotEvery: Number(snapshotEvery) } }),
  limits: {},
});
process.once('SIGTERM', () => void served.stop(STOP_MS).then(() => process.exit(0)));
await served.failed;
process.exit(exitCodes.logFailed);
