import { open, rm, rmdir, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../kernel/errors.ts';
import type { Finding } from '../cli/context.ts';
import { nodeFiles } from '../environments/node/files.ts';

const SYNCS = 20;
const SYNC_BYTES = 4096;
const SLOW_SYNC_MS = 20;
const FREE_BYTES_LOW = 1024 ** 3;
const NODE_MIN = [20, 19] as const;
/** A clock before this was never set. */
const SANE_MS = Date.UTC(2025, 0, 1);

/** Looks at this machine as a node would need it. */
export async function examineMachine(where: {
  readonly api: string;
  readonly gateway: string;
  readonly data: string;
}): Promise<readonly Finding[]> {
  const data = resolve(where.data);
  return [
    examineNode(),
    await examinePort('api', where.api),
    await examinePort('gateway', where.gateway),
    examineClock(),
    ...(await examineDisk(data)),
  ];
}

function examineNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isFit = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return { level: isFit ? 'ok' : 'fail', what: 'node', detail: `${process.version}; 20.19 or newer is needed` };
}

async function examinePort(what: string, address: string): Promise<Finding> {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  const problem = await new Promise<string | undefined>((done) => {
    const server = createServer();
    server.once('error', (error) => done(error.message));
    server.listen(Number(address.slice(at + 1)), host, () => server.close(() => done(undefined)));
  });
  if (problem === undefined) return { level: 'ok', what, detail: `${address} is free` };
  const isOurs = await fetch(`http://${address}/healthz`).then(
    (answer) => answer.headers.has('x-amzn-requestid'),
    () => false,
  );
  if (isOurs) return { level: 'ok', what, detail: `a millrace answers at ${address}` };
  return { level: 'warn', what, detail: `${address} cannot be used: ${problem}; choose another with --${what}` };
}

function examineClock(): Finding {
  const now = Date.now();
  const detail = new Date(now).toISOString();
  if (now > SANE_MS) return { level: 'ok', what: 'clock', detail };
  return { level: 'fail', what: 'clock', detail: `${detail}: set the clock, records carry its time` };
}

/** Leaves no folder behind that was not there. */
async function examineDisk(data: string): Promise<Finding[]> {
  const missing = [];
  for (let folder = data; !(await nodeFiles.isDirectory(folder)) && folder !== dirname(folder);) {
    missing.push(folder);
    folder = dirname(folder);
  }
  const findings = await examineFolder(data);
  for (const folder of missing) await rmdir(folder).catch(() => undefined);
  return findings;
}

async function examineFolder(data: string): Promise<Finding[]> {
  try {
    await nodeFiles.makeDirectory(data);
    const { bavail, bsize } = await statfs(data);
    const free = bavail * bsize;
    const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free below ${data}`;
    const disk: Finding = { level: free < FREE_BYTES_LOW ? 'warn' : 'ok', what: 'disk', detail };
    return [disk, await examineSync(data)];
  } catch (error) {
    const detail = messageOf(error);
    return [{ level: 'fail', what: 'disk', detail: `${data} cannot be used: ${detail}` }];
  }
}

/** How long one answer waits for the disk at least. */
async function examineSync(data: string): Promise<Finding> {
  const path = join(data, `.doctor-${process.pid}`);
  const file = await open(path, 'wx', 0o600);
  const times: number[] = [];
  try {
    for (let index = 0; index < SYNCS; index += 1) {
      const startedAt = performance.now();
      await file.write(Buffer.alloc(SYNC_BYTES, index), 0, SYNC_BYTES, index * SYNC_BYTES);
      await file.datasync();
      times.push(performance.now() - startedAt);
    }
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  times.sort((one, other) => one - other);
  const [median = 0, worst = 0] = [times[SYNCS / 2], times.at(-1)];
  const detail = `fdatasync of 4 KiB: median ${median.toFixed(2)} ms, worst ${worst.toFixed(2)} ms of ${SYNCS}`;
  return { level: median > SLOW_SYNC_MS ? 'warn' : 'ok', what: 'fdatasync', detail };
}
