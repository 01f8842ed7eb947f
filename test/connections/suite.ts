/** 6,000 idle connections against a bound of 2,000: the surplus is closed at once, and nobody else notices. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';

const BOUND = 2000;
const SURPLUS = 4000;
const AT_ONCE = 200;
const MIB = 1024 * 1024;
/** What the surplus may add to the memory; kept, it would take 6 KiB a connection. */
const GROWTH_BYTES_MAX = 16 * MIB;
const FILES_MIN = 8192;
const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A connection that had one answer and is idle since. */
async function openIdle(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  await ask(socket);
  return socket;
}

/** One request over a connection; resolves with the ms it took. */
async function ask(socket: Socket): Promise<number> {
  const startedAt = performance.now();
  socket.write(REQUEST);
  const chunk = await nextChunk(socket);
  assert.match(chunk.toString('latin1'), /^HTTP\/1\.1 200 /);
  return performance.now() - startedAt;
}

/** Rejects when the connection is closed first. */
async function nextChunk(socket: Socket): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const closed = (): void => reject(new Error('closed without an answer'));
    socket.once('close', closed);
    socket.once('data', (chunk: Buffer) => {
      socket.off('close', closed);
      resolve(chunk);
    });
  });
}

/** Opens a connection that has no place; resolves with the ms until it was closed. */
async function openSurplus(port: number): Promise<number> {
  const startedAt = performance.now();
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => assert.fail(`an answer to nobody: ${chunk.toString()}`));
  await once(socket, 'close');
  return performance.now() - startedAt;
}

/** Asks again and again until `work` is over; the longest it took, in ms. */
async function slowestAnswer(socket: Socket, work: Promise<unknown>): Promise<number> {
  const state = { isOver: false };
  const end = (): void => void (state.isOver = true);
  work.then(end, end);
  let slowestMs = 0;
  while (!state.isOver) slowestMs = Math.max(slowestMs, await ask(socket));
  return slowestMs;
}

async function inBatches<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  while (all.length < count) {
    all.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - all.length) }, make))));
  }
  return all;
}

/** Bytes that the process holds in memory, and files that it has open. */
function usage({ child }: NodeProcess): { readonly bytes: number; readonly files: number } {
  const home = `/proc/${child.pid}`;
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`${home}/status`, 'utf8'))?.[1];
  return { bytes: Number(kib) * 1024, files: readdirSync(`${home}/fd`).length };
}

async function metric(socket: Socket, name: string): Promise<number> {
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  let text = '';
  while (!text.includes(`\n${name} `) || !text.endsWith('\n')) {
    text += (await nextChunk(socket)).toString();
  }
  return Number(text.split(`\n${name} `)[1]?.split('\n')[0]);
}

function whyNot(): string | false {
  if (!existsSync('/proc/self/fd')) return 'needs /proc';
  const files = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }));
  return files < FILES_MIN ? `needs ${FILES_MIN} open files, the system allows ${files}` : false;
}

const options = { skip: whyNot(), timeout: 120_000 };

test(`${BOUND + SURPLUS} connections against a bound of ${BOUND}`, options, async (context) => {
  const data = temporaryDirectory('connections');
  const config = join(data, 'millrace.yaml');
  writeFileSync(config, `limits: { connectionsMax: ${BOUND} }\n`);
  const node = await startNodeProcess({ config, data: join(data, 'node') });
  try {
    const port = Number(new URL(node.api).port);
    const before = usage(node);
    const first = await openIdle(port);
    // Whoever looked whether the node is ready may still be connected.
    const taken = await metric(first, 'http_connections{listener="api"}');
    const idle = [first, ...(await inBatches(BOUND - taken, async () => await openIdle(port)))];
    const full = usage(node);

    const surplus = inBatches(SURPLUS, async () => await openSurplus(port));
    const slowestMs = await slowestAnswer(first, surplus);
    const closedMs = await surplus;

    const after = usage(node);
    const said = { before, full, after, slowestMs, slowestCloseMs: Math.max(...closedMs) };
    context.diagnostic(JSON.stringify(said));
    assert.ok(after.bytes - full.bytes < GROWTH_BYTES_MAX, `memory grew: ${JSON.stringify(said)}`);
    assert.ok(after.files <= full.files, `files leak: ${JSON.stringify(said)}`);
    assert.ok(Math.max(...closedMs, slowestMs) < 2000, `too slow: ${JSON.stringify(said)}`);
    assert.equal(await metric(first, 'http_connections{listener="api"}'), BOUND);
    assert.equal(await metric(first, 'http_connections_refused_total{listener="api"}'), SURPLUS);
    assert.equal((await fetch(`${node.gateway}/healthz`)).status, 200, 'the other listener has a bound of its own');
    for (const socket of idle) assert.equal(socket.destroyed, false, 'who was there first stays');

    for (const socket of idle) socket.destroy();
    const newcomer = await untilServed(port);
    assert.ok(usage(node).files < before.files + 20, 'what was closed is given back');
    newcomer.destroy();
    assert.equal(await node.stop(), 0);
  } finally {
    await node.kill();
    removeDirectory(data);
  }
});

/** The first connection that has a place once the others have gone. */
async function untilServed(port: number): Promise<Socket> {
  for (let tries = 0; tries < 200; tries += 1) {
    const socket = await openIdle(port).catch(() => undefined);
    if (socket !== undefined) return socket;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('no place came free');
}
