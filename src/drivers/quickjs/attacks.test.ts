import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  attack,
  ATTACK_MIB_MAX,
  ATTACK_MS_MAX,
  ATTACKS,
  isContained,
  residentMib,
  STOPPED,
  UNINTERRUPTED,
} from './attacks.fixture.ts';
import { convert, openRuntime } from './quickjs.fixture.ts';

/** A machine that does much else lets threads wait; one of so many tries has to end in time. */
const TRIES = 4;
const runtime = openRuntime();
after(async () => await runtime.close());

for (const one of ATTACKS) {
  const [what, text] = one;
  test(`${what} ends in time, within its memory, and leaves the engine usable`, async (context) => {
    let inTime = false;
    for (let left = TRIES; left > 0 && !inTime; left -= 1) {
      assert.equal((await convert(runtime, 'return 1;')).json, '1');
      const cost = await attack(runtime, text, residentMib());
      const { ms, mibAboveIdle, kind = 'no failure' } = cost;
      context.diagnostic(`${Math.round(ms)} ms, ${Math.round(mibAboveIdle)} MiB above idle, ${kind}`);
      assert.ok(isContained(one, cost), kind);
      assert.ok(mibAboveIdle < ATTACK_MIB_MAX, `${mibAboveIdle} MiB above idle`);
      inTime = ms < ATTACK_MS_MAX;
    }
    assert.ok(inTime, `none of ${TRIES} tries ended within ${ATTACK_MS_MAX} ms`);
    assert.equal((await convert(runtime, 'return 1;')).json, '1');
  });
}

test('an attack that meets a thread which just starts ends in time as well', async (context) => {
  const [, text] = ATTACKS.find(([what]) => what === UNINTERRUPTED) ?? assert.fail();
  let inTime = false;
  for (let left = TRIES; left > 0 && !inTime; left -= 1) {
    const cold = openRuntime();
    const { ms, kind } = await attack(cold, text, residentMib());
    await cold.close();
    context.diagnostic(`${Math.round(ms)} ms`);
    assert.ok(STOPPED.includes(kind ?? ''), kind);
    inTime = ms < ATTACK_MS_MAX;
  }
  assert.ok(inTime, `none of ${TRIES} tries ended within ${ATTACK_MS_MAX} ms`);
});

const FORGE =
  'Object.prototype.toJSON = function () { return { json: "not json", printed: [], failure: undefined }; };';
const FORGERIES: readonly (readonly [what: string, text: string, outcome: object])[] = [
  ['a frame', `${FORGE} print("a"); return 1;`, { json: '1', printed: ['a'] }],
  ['a frame of a failure', `${FORGE} print("a"); throw "b";`, { failure: { kind: 'error', message: 'threw b' }, printed: ['a'] }],
  ['a failure', 'Object.prototype.toJSON = function () { return { failure: 7 }; }; throw "b";', { failure: { kind: 'error', message: 'threw b' }, printed: [] }],
  ['what is printed', 'Array.prototype.toJSON = function () { return 5; }; print("a"); return 1;', { json: '1', printed: ['a'] }],
  ['the list of what is printed', 'Object.defineProperty(Array.prototype, 0, { set: function () {} }); print("a"); return 1;', { json: '1', printed: ['a'] }],
  ['the end of a text', `print('"]}'); return '!"]}';`, { json: '"!\\"]}"', printed: ['"]}'] }],
  ['what a promise is', 'Object.defineProperty(Promise, Symbol.hasInstance, { value: function () { throw "b"; } }); return {};', { failure: { kind: 'result', message: 'threw b' }, printed: [] }],
]; // prettier-ignore

for (const [what, text, outcome] of FORGERIES) {
  test(`a script forges ${what} in vain`, async () => assert.deepEqual(await convert(runtime, text), outcome));
}

test('an attack costs its own call only, also when its thread must be ended', async () => {
  const text = 'if (n % 10 === 7) return new Array(2e9).join("x"); if (n % 10 === 3) for (;;); return n;';
  const limits = { timeMs: 100 };
  const script = runtime.open({ name: 'a.js', text, parameters: ['n'], limits });
  const calls = Array.from({ length: 30 }, (_, n) => [String(n)]);
  const others = Promise.all(Array.from({ length: 20 }, async () => await convert(runtime, 'return 1;')));
  const outcomes = await script.call(calls);
  outcomes.forEach(({ json, failure }, n) => {
    if (n % 10 === 7) assert.ok(STOPPED.includes(failure?.kind ?? ''), `${n}: ${JSON.stringify(failure)}`);
    else if (n % 10 === 3) assert.equal(failure?.kind, 'time', String(n));
    // A machine that does much else may let any call run late.
    else assert.ok(json === String(n) || failure?.kind === 'time', `${n}: ${JSON.stringify(failure)}`);
  });
  assert.ok((await others).every(({ json }) => json === '1'));
});
