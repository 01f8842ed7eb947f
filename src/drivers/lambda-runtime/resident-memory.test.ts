import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { mock, test } from 'node:test';
import { groupsResidentBytes, ResidentMemory } from './resident-memory.ts';

const hasProc = fs.existsSync('/proc/self/statm');
const clock = { soon: (run: () => void) => void setImmediate(run) };

test('what cannot be looked at is unknown, and not gone', { skip: !hasProc && 'there is no /proc' }, async () => {
  const full = (): never => {
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  };
  const mocks = [
    mock.method(fs, 'openSync', full),
    mock.method(fs, 'readFileSync', full),
    mock.method(fs, 'readdirSync', full),
    mock.method(fs.promises, 'readdir', async () => full()),
  ];
  syncBuiltinESMExports();
  const memory = new ResidentMemory(process.pid);
  try {
    assert.equal(memory.bytes(), undefined);
    assert.deepEqual(await groupsResidentBytes(clock), new Map());
  } finally {
    for (const one of mocks) one.mock.restore();
    syncBuiltinESMExports();
  }
  assert.ok((memory.bytes() ?? 0) > 0);
  memory.close();
  // Numbers of processes end at 2^22.
  assert.equal(new ResidentMemory(2 ** 22 + 1).bytes(), 0);
});

test('a look at all processes gives others their turn', { skip: !hasProc && 'there is no /proc' }, async () => {
  const processes = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
  let turns = 0;
  const counted = { soon: (run: () => void) => void setImmediate(() => ((turns += 1), run())) };
  const groups = await groupsResidentBytes(counted);
  assert.ok([...groups.values()].some((bytes) => bytes > 0));
  assert.ok(turns >= Math.floor(processes / 2 / 10), `${turns} turns for ${processes} processes`);
});
