import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** So few, that all of them are soon open. */
const LIMITED = 'ulimit -n 80; exec "$0" "$@"';
/** From no file left to more than a start needs. */
const LEFT_MAX = 16;

/** Runs a handler's first event with so many files left to open and more, then another with enough of them. */
function script(folder: string): string {
  const at = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  return `
import { closeSync, openSync, readdirSync } from 'node:fs';
import { createNodeEnvironment } from ${at('../../environments/node/index.js')};
import { USUAL_SPEC } from ${at('../../testing/function-runtime-contract.js')};
import { createLambdaRuntime } from ${at('./index.js')};
const environment = createNodeEnvironment({ log: 'silent' });
const runtime = createLambdaRuntime({ nodePath: process.execPath, variables: {} }, environment);
const spec = { ...USUAL_SPEC, codeDirectory: ${JSON.stringify(folder)}, handler: 'i.handler', timeoutMs: 20_000, memoryBytesMax: 256 << 20 };
// Nothing of the driver keeps a process from its end.
const alive = setInterval(() => undefined, 1000);
const told = [];
for (let left = 0; left < ${LEFT_MAX}; left += 1) {
  const open = runtime.open(spec);
  const run = () => open.run({ requestId: 'r', event: Buffer.from('1') }).then(({ payload }) => Buffer.from(payload).toString(), ({ name, message }) => name + ': ' + message);
  const held = [];
  try { for (;;) held.push(openSync('/dev/null', 'r')); } catch {}
  for (const file of held.splice(0, left)) closeSync(file);
  const first = await run();
  for (const file of held) closeSync(file);
  const second = await run();
  await open.close(0);
  await new Promise((done) => setTimeout(done, 100));
  told.push({ first, second, files: readdirSync('/proc/self/fd').length });
}
await runtime.close();
clearInterval(alive);
console.log(JSON.stringify(told));
`;
}

interface Told {
  readonly first: string;
  readonly second: string;
  readonly files: number;
}

test('where no file is left to open a process cannot be started, and all else goes on', async (t) => {
  if (process.platform !== 'linux') return t.skip('its open files are counted in /proc');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-files-'));
  try {
    await writeFile(join(folder, 'i.mjs'), 'export const handler = async () => 7;');
    const words = ['-c', LIMITED, process.execPath, '--input-type=module', '-e', script(folder)];
    const { stdout } = await promisify(execFile)('/bin/sh', words);
    const told = JSON.parse(stdout) as readonly Told[];
    assert.equal(told.length, LEFT_MAX);
    const failures = told.flatMap(({ first }) => (first === '7' ? [] : [first]));
    for (const failure of failures) assert.match(failure, /^EnvironmentError: .*EMFILE/);
    assert.ok(failures.length > 2 && failures.length < LEFT_MAX, failures.join('\n'));
    for (const { second } of told) assert.equal(second, '7');
    const [before, after] = [told[0]?.files ?? 0, told.at(-1)?.files ?? 0];
    assert.ok(after - before < LEFT_MAX / 2, `files stay open: ${told.map(({ files }) => files).join(' ')}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
