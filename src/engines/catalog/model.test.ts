import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import * as fc from 'fast-check';
import type { CatalogOp, Json } from '../../ports/catalog.ts';
import { decodeCommand, encodeCommand, encodeOps, type Command } from './command.ts';
import { bytesOf, restored } from './catalog.fixture.ts';
import { CatalogState, type Outcome, KEYS_MAX, SESSION_SILENT_MS, SESSIONS_MAX } from './model.ts';

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

async function textOf(state: CatalogState): Promise<string> {
  return (await bytesOf(state.freeze())).toString();
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
  assert.deepEqual(state.entries.under(''), [{ key: 'y', revision: 8n, value: 1 }]);
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
  for (let index = 0; index < KEYS_MAX; index += 1) state.entries.set({ key: `k/${index}`, revision: 0n, value: null });
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
const lease = fc
  .tuple(fc.constantFrom('one', 'two'), fc.integer({ min: 1, max: 20 }))
  .map(([owner, ttlMs]) => ({ owner, ttlMs }));
const change = fc.oneof(
  json.map((put) => ({ put })),
  fc.constant({ remove: true as const }),
  lease.map((asked) => ({ lease: asked })),
);
const anyOp = fc.oneof(
  fc.tuple(key, expectation, change).map(([name, expect, what]): CatalogOp => ({ key: name, ...expect, ...what })),
  fc.tuple(key, fc.constantFrom(null, 1n, 4n)).map(([name, expect]): CatalogOp => ({ key: name, expect, keep: true })),
);
const marker = fc.constantFrom<object[]>(
  {},
  {},
  { marker: {} },
  { marker: { previous: { at: 7n, format: 2, hash: 'ab' } } },
);
const anyCommand = fc
  .tuple(
    fc.constantFrom('s', 't', 'u'),
    fc.integer({ min: 1, max: 12 }),
    fc.array(anyOp, { maxLength: 3 }),
    fc.nat(9),
    fc.constantFrom<object[]>({}, {}, {}, { opened: 2n }),
    marker,
  )
  .map(([session, sequence, ops, end, opened, marked]): Command => ({
    session,
    sequence,
    ops,
    ends: end === 0,
    ...opened,
    ...marked,
  }));
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
      const frozen = half.freeze();
      // What is folded on does not show in the frozen state, whose bytes are made later.
      fold(commands, half, Math.min(cut, commands.length));
      const again = await restored(await bytesOf(frozen));
      assert.deepEqual(fold(commands, again, Math.min(cut, commands.length)), kinds.slice(cut));
      assert.equal(await textOf(again), await textOf(whole));
      assert.equal(await textOf(half), await textOf(whole));
      assert.deepEqual(again.entries.under(''), whole.entries.under(''));
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('the form of commands and snapshots never changes', async () => {
  const ops: CatalogOp[] = [
    { key: 'a', expect: null, put: { z: 1, b: [true, null, 'é'] } },
    { key: 'b', expect: 12n, remove: true },
    { key: 'c', put: null },
    { key: 'd', lease: { owner: 'me', ttlMs: 500 } },
    { key: 'e', expect: 3n, keep: true },
  ];
  const text =
    '{"o":"7","ops":[{"e":null,"k":"a","p":{"b":[true,null,"é"],"z":1}},{"d":true,"e":"12","k":"b"}' +
    ',{"k":"c","p":null},{"k":"d","l":{"o":"me","t":500}},{"c":true,"e":"3","k":"e"}],"q":2,"s":"one","v":3}';
  const written = encodeCommand({ ...command('one', 2), opened: 7n }, encodeOps(ops));
  assert.equal(new TextDecoder().decode(written), text);
  const marker = { previous: { at: 5n, format: 2, hash: 'ab' } };
  const last = encodeCommand({ ...command('one', 3), ends: true, marker }, '[]');
  assert.equal(
    new TextDecoder().decode(last),
    '{"end":true,"m":{"at":"5","f":2,"h":"ab"},"ops":[],"q":3,"s":"one","v":3}',
  );
  const state = new CatalogState();
  apply(state, 0n, 5, command('one', 1));
  apply(
    state,
    1n,
    7,
    command('one', 2, [
      { key: 'b', put: { y: 1, x: 2 } },
      { key: 'a', put: 'v' },
      { key: 'l', lease: { owner: 'me', ttlMs: 500 } },
    ]),
  );
  const lines = [
    '{"clock":7,"entries":3,"next":"2","sessions":1,"v":3}',
    '["one","0",2,7]',
    '["a","1","v"]',
    '["b","1",{"x":2,"y":1}]',
    '["l","1",null,{"o":"me","t":507}]',
    '',
  ].join('\n');
  const hash = createHash('sha256').update(lines).digest('hex');
  assert.equal(await textOf(state), `${lines}{"sha256":"${hash}"}\n`);
});

test('what the first release wrote is read as it was', async () => {
  const text = '{"o":"7","ops":[{"e":null,"k":"a","p":1},{"d":true,"e":"12","k":"b"}],"q":2,"s":"one","v":1}';
  const ops = [
    { key: 'a', expect: null, put: 1 },
    { key: 'b', expect: 12n, remove: true as const },
  ];
  assert.deepEqual(decodeCommand(Buffer.from(text)), { ...command('one', 2, ops), opened: 7n });
  const old =
    '{"clock":7,"entries":2,"next":"2","sessions":1,"v":1}\n["one","0",2,7]\n["a","1","v"]\n["b","1",{"x":2,"y":1}]\n';
  const state = await restored(Buffer.from(old));
  assert.deepEqual(state.entries.under(''), [
    { key: 'a', revision: 1n, value: 'v' },
    { key: 'b', revision: 1n, value: { x: 2, y: 1 } },
  ]);
  assert.deepEqual([...state.sessions], [['one', { opened: 0n, sequence: 2, at: 7 }]]);
  assert.equal(state.next, 2n);
  assert.equal(state.clock, 7);
});

test('commands and snapshots of another release are refused, never skipped', async () => {
  const table = [
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"v":4,"s":"a","q":1,"ops":[]}',
    '{"v":0,"s":"a","q":1,"ops":[]}',
    '{"v":"1","s":"a","q":1,"ops":[]}',
    '{"v":1.5,"s":"a","q":1,"ops":[]}',
    '{"v":1,"s":"a","q":"1","ops":[]}',
    '{"v":1,"s":"a","q":1}',
    '{"v":1,"s":"a","q":2,"o":1,"ops":[]}',
    '{"v":1,"s":"a","q":1,"ops":[{"k":"x"}]}',
    '{"v":1,"s":"a","q":1,"ops":[{"k":"x","e":3,"p":1}]}',
    '{"v":1,"s":"a","q":1,"ops":[{"k":"x","e":"-3","p":1}]}',
    '{"v":1,"s":"a","q":1,"ops":[null]}',
    '{"v":2,"s":"a","q":1,"ops":[{"k":"x","l":{}}]}',
    '{"v":2,"s":"a","q":1,"ops":[{"k":"x","l":{"o":"","t":1}}]}',
    '{"v":2,"s":"a","q":1,"ops":[{"k":"x","l":{"o":"a","t":0}}]}',
    '{"v":2,"s":"a","q":1,"ops":[{"k":"x","c":true}]}',
    '{"v":2,"s":"a","q":1,"ops":[],"m":1}',
    '{"v":2,"s":"a","q":1,"ops":[],"m":null}',
    '{"v":2,"s":"a","q":1,"ops":[],"m":{"at":"1"}}',
    '{"v":2,"s":"a","q":1,"ops":[],"m":{"at":1,"f":2,"h":"ab"}}',
  ];
  for (const text of table) {
    assert.throws(() => decodeCommand(Buffer.from(text)), { name: 'EnvironmentError', code: 'EOTHER' }, text);
    await assert.rejects(restored(Buffer.from(text)), { name: 'EnvironmentError', code: 'EOTHER' }, text);
  }
  assert.throws(() => decodeCommand(Uint8Array.of(0xff, 0xfe)), { name: 'EnvironmentError' });
  const short = '{"clock":0,"entries":1,"next":"2","sessions":0,"v":1}\n';
  await assert.rejects(restored(Buffer.from(short)), { name: 'EnvironmentError' });
});

test('a snapshot of which any byte is wrong, or any part missing, is refused', async () => {
  const state = new CatalogState();
  fold([command('one', 1), command('one', 2, [{ key: 'a', put: 'some text' }])], state);
  const bytes = await bytesOf(state.freeze());
  for (let at = 0; at < bytes.length; at += 1) {
    const wrong = Buffer.from(bytes);
    wrong.writeUInt8(wrong.readUInt8(at) ^ 1, at);
    await assert.rejects(restored(wrong), { name: 'EnvironmentError' }, `byte ${at}`);
    await assert.rejects(restored(bytes.subarray(0, at)), { name: 'EnvironmentError' }, `cut at ${at}`);
  }
});
