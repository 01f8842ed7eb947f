import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { CatalogOp, Json } from '../../ports/catalog.ts';
import { decodeCommand, encodeCommand, encodeOps, type Command } from './command.ts';
import { CatalogState, type Outcome, KEYS_MAX, SESSION_SILENT_MS, SESSIONS_MAX } from './model.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';

const command = (session: string, sequence: number, ops: readonly CatalogOp[] = []): Command => ({
  session,
  sequence,
  ops,
  ends: false,
});

/** Folds a command that names its session's opening as its writer would. */
function apply(state: CatalogState, offset: bigint, at: number, next: Command): Outcome {
  const opened = next.opened ?? state.sessions.get(next.session)?.opened;
  return state.apply(offset, at, opened === undefined || next.sequence === 1 ? next : { ...next, opened });
}

const noPause = async (): Promise<void> => undefined;

async function textOf(state: CatalogState): Promise<string> {
  return new TextDecoder().decode(await encodeSnapshot(state, noPause));
}

/** Folds commands from several sessions, one per ms, at their index as offset. */
function fold(commands: readonly Command[], state = new CatalogState(), from = 0): string[] {
  return commands.slice(from).map((next, index) => apply(state, BigInt(from + index), from + index, next).kind);
}

test('a transcript of commands and what each does', () => {
  const state = new CatalogState();
  const table: readonly (readonly [string, number, readonly CatalogOp[], unknown])[] = [
    ['a', 2, [], { kind: 'expired' }],
    ['a', 1, [], { kind: 'accepted', changed: [] }],
    ['a', 2, [{ key: 'x', expect: null, put: 1 }], { kind: 'accepted', changed: ['x'] }],
    ['a', 2, [{ key: 'x', expect: null, put: 1 }], { kind: 'duplicate' }],
    ['b', 1, [], { kind: 'accepted', changed: [] }],
    ['b', 2, [{ key: 'x', expect: null, put: 9 }], { kind: 'conflicts', conflicts: ['x'] }],
    ['b', 2, [{ key: 'y', put: 9 }], { kind: 'duplicate' }],
    // One condition that fails undoes the whole command.
    [
      'b',
      3,
      [
        { key: 'y', put: 1 },
        { key: 'x', expect: 7n, put: 2 },
      ],
      { kind: 'conflicts', conflicts: ['x'] },
    ],
    [
      'b',
      4,
      [
        { key: 'y', put: 1 },
        { key: 'x', expect: 2n, put: 2 },
      ],
      { kind: 'accepted', changed: ['y', 'x'] },
    ],
    ['a', 5, [{ key: 'x', expect: 2n, remove: true }], { kind: 'conflicts', conflicts: ['x'] }],
    ['a', 6, [{ key: 'x', expect: 8n, remove: true }], { kind: 'accepted', changed: ['x'] }],
    ['a', 7, [{ key: 'x', remove: true }], { kind: 'accepted', changed: [] }],
    ['a', 1, [{ key: 'z', put: 1 }], { kind: 'duplicate' }],
  ];
  for (const [index, [session, sequence, ops, expected]] of table.entries()) {
    assert.deepEqual(apply(state, BigInt(index), index, command(session, sequence, ops)), expected, `line ${index}`);
  }
  assert.deepEqual([...state.entries.values()], [{ key: 'y', revision: 8n, value: 1 }]);
  assert.equal(state.next, BigInt(table.length));
});

test('a session that ended or fell silent takes no late copies', () => {
  const state = new CatalogState();
  apply(state, 0n, 0, command('ended', 1));
  apply(state, 1n, 0, { ...command('ended', 2), ends: true });
  assert.equal(apply(state, 2n, 0, command('ended', 2, [{ key: 'x', put: 1 }])).kind, 'expired');
  apply(state, 3n, 0, command('silent', 1));
  apply(state, 4n, SESSION_SILENT_MS, command('other', 1));
  assert.equal(
    apply(state, 5n, SESSION_SILENT_MS, command('silent', 2)).kind,
    'accepted',
    'not yet silent for too long',
  );
  apply(state, 6n, 2 * SESSION_SILENT_MS + 1, command('other', 2));
  assert.equal(
    apply(state, 7n, 0, command('silent', 3, [{ key: 'x', put: 1 }])).kind,
    'expired',
    'log time never goes back',
  );
  assert.equal(apply(state, 8n, 3 * SESSION_SILENT_MS + 2, command('other', 3)).kind, 'accepted', 'the speaker stays');
  assert.deepEqual([...state.sessions.keys()], ['other']);
  assert.equal(state.entries.size, 0);
});

test('late copies of a whole session change nothing', () => {
  const state = new CatalogState();
  const first = command('a', 1);
  const second = { ...command('a', 2, [{ key: 'x', put: 1 }]), opened: 0n };
  const third = { ...command('a', 3, [{ key: 'x', put: 2 }]), opened: 0n, ends: true };
  const kinds = [first, second, third, first, second, third].map((next, at) => state.apply(BigInt(at), at, next).kind);
  assert.deepEqual(kinds, ['accepted', 'accepted', 'accepted', 'accepted', 'expired', 'expired']);
  assert.deepEqual(state.entries.get('x'), { key: 'x', revision: 2n, value: 2 });
});

test('sessions and keys are bounded', () => {
  const state = new CatalogState();
  for (let index = 0; index <= SESSIONS_MAX; index += 1) apply(state, BigInt(index), 0, command(`s${index}`, 1));
  assert.equal(state.sessions.size, SESSIONS_MAX);
  assert.equal(state.sessions.has('s0'), false);
  for (let index = 0; index < KEYS_MAX; index += 1) state.put(`k/${index}`, 0n, null);
  const offset = state.next;
  assert.equal(apply(state, offset, 0, command('s5', 2, [{ key: 'new', put: 1 }])).kind, 'full');
  assert.equal(apply(state, offset + 1n, 0, command('s5', 3, [{ key: 'k/1', put: 1 }])).kind, 'accepted');
  const swap: CatalogOp[] = [
    { key: 'new', put: 1 },
    { key: 'k/1', remove: true },
  ];
  assert.equal(apply(state, offset + 2n, 0, command('s5', 4, swap)).kind, 'accepted');
  assert.equal(state.entries.size, KEYS_MAX);
});

const key = fc.constantFrom('a', 'b', 'c', 'stream/x', 'stream/ä', 'stream/😀');
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const expectation = fc.constantFrom<object[]>({}, { expect: null }, { expect: 0n }, { expect: 3n }, { expect: 5n });
const anyOp = fc
  .tuple(key, expectation, fc.option(json, { nil: undefined }))
  .map(([name, expect, value]): CatalogOp => ({
    key: name,
    ...expect,
    ...(value === undefined ? { remove: true } : { put: value }),
  }));
const anyCommand = fc
  .tuple(
    fc.constantFrom('s', 't', 'u'),
    fc.integer({ min: 1, max: 12 }),
    fc.array(anyOp, { maxLength: 3 }),
    fc.nat(9),
    fc.constantFrom<object[]>({}, {}, {}, { opened: 2n }),
  )
  .map(([session, sequence, ops, end, opened]): Command => ({ session, sequence, ops, ends: end === 0, ...opened }));
const history = fc.array(anyCommand, { maxLength: 40 });

test('a command is the same after the log', () => {
  fc.assert(
    fc.property(anyCommand, (one) => {
      assert.deepEqual(decodeCommand(encodeCommand(one, encodeOps(one.ops))), one);
    }),
    { seed: 1 },
  );
});

test('a snapshot at any point and the commands after it give the same bytes as all commands', async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.nat(40), async (commands, cut) => {
      const whole = new CatalogState();
      const kinds = fold(commands, whole);
      const half = new CatalogState();
      fold(commands.slice(0, cut), half);
      const restored = decodeSnapshot(await encodeSnapshot(half, noPause));
      assert.deepEqual(fold(commands, restored, Math.min(cut, commands.length)), kinds.slice(cut));
      assert.equal(await textOf(restored), await textOf(whole));
      assert.deepEqual(restored.entries, whole.entries);
      assert.deepEqual(restored.keys.under(''), [...whole.entries.keys()].sort());
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('the form of commands and snapshots never changes', async () => {
  const ops: CatalogOp[] = [
    { key: 'a', expect: null, put: { z: 1, b: [true, null, 'é'] } },
    { key: 'b', expect: 12n, remove: true },
    { key: 'c', put: null },
  ];
  const text =
    '{"o":"7","ops":[{"e":null,"k":"a","p":{"b":[true,null,"é"],"z":1}},{"d":true,"e":"12","k":"b"}' +
    ',{"k":"c","p":null}],"q":2,"s":"one","v":1}';
  const written = encodeCommand({ ...command('one', 2), opened: 7n }, encodeOps(ops));
  assert.equal(new TextDecoder().decode(written), text);
  const state = new CatalogState();
  apply(state, 0n, 5, command('one', 1));
  apply(
    state,
    1n,
    7,
    command('one', 2, [
      { key: 'b', put: { y: 1, x: 2 } },
      { key: 'a', put: 'v' },
    ]),
  );
  assert.equal(
    await textOf(state),
    '{"clock":7,"entries":2,"next":"2","sessions":1,"v":1}\n["one","0",2,7]\n["a","1","v"]\n["b","1",{"x":2,"y":1}]\n',
  );
});

test('commands and snapshots of another release are refused, never skipped', () => {
  const table = [
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"v":2,"s":"a","q":1,"ops":[]}',
    '{"v":1,"s":"a","q":"1","ops":[]}',
    '{"v":1,"s":"a","q":1}',
    '{"v":1,"s":"a","q":2,"o":1,"ops":[]}',
    '{"v":1,"s":"a","q":1,"ops":[{"k":"x"}]}',
    '{"v":1,"s":"a","q":1,"ops":[{"k":"x","e":3,"p":1}]}',
    '{"v":1,"s":"a","q":1,"ops":[{"k":"x","e":"-3","p":1}]}',
    '{"v":1,"s":"a","q":1,"ops":[null]}',
  ];
  for (const text of table) {
    assert.throws(() => decodeCommand(Buffer.from(text)), { name: 'EnvironmentError', code: 'EOTHER' }, text);
    assert.throws(() => decodeSnapshot(Buffer.from(text)), { name: 'EnvironmentError', code: 'EOTHER' }, text);
  }
  assert.throws(() => decodeCommand(Uint8Array.of(0xff, 0xfe)), { name: 'EnvironmentError' });
  assert.throws(() => decodeSnapshot(Buffer.from('{"clock":0,"entries":1,"next":"2","sessions":0,"v":1}\n')), {
    name: 'EnvironmentError',
  });
});
