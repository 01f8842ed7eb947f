import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millrace, type Reply } from './cli.fixture.ts';

const PLANNED = { id: 'abc', delivery: 'out', errorsOf: 'out', objects: 2, dryRun: false };

function replies(path = 'POST /admin/deliveries/out/replay'): Readonly<Record<string, Reply>> {
  const states = ['running', 'running', 'done'];
  let asked = 0;
  return {
    'GET /admin/deliveries': () => ({ deliveries: [{ name: 'out' }] }),
    [path]: () => PLANNED,
    'GET /admin/deliveries/out/replays/abc': () => {
      const state = states[asked++];
      return { ...PLANNED, state, recordsDelivered: state === 'done' ? 5 : 0, recordsFailed: 1 };
    },
  };
}

test('replay shows how far it is until its end', async () => {
  const { code, out, err, sent } = await millrace(['replay', 'out', '--errors'], { replies: replies() });
  assert.deepEqual([code, out], [0, '5 delivered, 1 failed\n']);
  assert.equal(err, '2 error objects of out to out\nrunning: 0 delivered\ndone: 5 delivered\n');
  assert.equal(new URL(sent[1]?.url ?? '').search, '?errors=true');
});

test('replay says what it leaves', async () => {
  const some = { ...replies(), 'POST /admin/deliveries/out/replay': () => ({ ...PLANNED, unprocessedObjects: 3 }) };
  const { err } = await millrace(['replay', 'out', '--errors', '--dry-run'], { replies: some });
  assert.equal(err, '2 error objects of out to out (3 of type processing-failed are not replayed)\n');
});

test('replay sends what it was told, and a dry run follows nothing', async () => {
  const args = ['replay', 'events', '--to-delivery', 'out', '--from', '2026-01-31', '--to', '5', '--dry-run', '--json'];
  const { code, out, sent } = await millrace(args, { replies: replies() });
  assert.deepEqual([code, JSON.parse(out)], [0, PLANNED]);
  assert.equal(new URL(sent[1]?.url ?? '').search, '?stream=events&from=2026-01-31&to=5&dryRun=true');
  assert.equal(sent.length, 2);
});

test('replay of nothing in particular is a wrong use, and a stream needs a delivery', async () => {
  const nothing = await millrace(['replay', 'out'], { replies: replies() });
  assert.deepEqual([nothing.code, nothing.err], [2, 'millrace: say what: --errors, or --from TIME\n']);
  const stream = await millrace(['replay', 'events', '--from', '0'], { replies: replies() });
  assert.deepEqual(
    [stream.code, stream.err],
    [1, 'millrace: no delivery events; of a stream, say to which --to-delivery\n'],
  );
});

test('replay --cancel ends one, and takes nothing beside it', async () => {
  const ended = { ...PLANNED, state: 'cancelled', recordsDelivered: 3, recordsFailed: 1 };
  const cancelling = { 'DELETE /admin/deliveries/out/replays/abc': () => ended };
  const { code, out, sent } = await millrace(['replay', 'out', '--cancel', 'abc'], { replies: cancelling });
  assert.deepEqual([code, out, sent.length], [0, 'cancelled: 3 delivered, 1 failed\n', 1]);
  const json = await millrace(['replay', 'out', '--cancel', 'abc', '--json'], { replies: cancelling });
  assert.deepEqual(JSON.parse(json.out), ended);
  const both = await millrace(['replay', 'out', '--cancel', 'abc', '--errors'], { replies: cancelling });
  assert.deepEqual([both.code, both.err], [2, 'millrace: --cancel ends a replay: nothing else is said beside it\n']);
});

test('who looks no longer at a replay is told that it goes on, and what ends it', async () => {
  const interrupt = new AbortController();
  const follow = {
    ...replies(),
    'GET /admin/deliveries/out/replays/abc': () => {
      interrupt.abort();
      interrupt.signal.throwIfAborted();
    },
  };
  const parts = { replies: follow, interrupted: interrupt.signal };
  const { err } = await millrace(['replay', 'out', '--errors'], parts);
  assert.match(err, /it goes on: `millrace replay out --cancel abc` ends it\n/);
});
