import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SCRIPT_ATTACKS } from './attacks.fixture.ts';
import { convert, openRuntime } from './quickjs.fixture.ts';

/** The bench times them; here the machine may do much else. */
const SLACK_MS = 2000;
const RSS_MIB_MAX = 100;
const runtime = openRuntime();
after(async () => await runtime.close());

function rssMib(): number {
  return process.memoryUsage().rss / 2 ** 20;
}

for (const [what, text, endings] of SCRIPT_ATTACKS) {
  test(`${what} ends, within its memory, and leaves the engine usable`, async (context) => {
    assert.equal((await convert(runtime, 'return 1;')).json, '1');
    const idle = rssMib();
    let peak = idle;
    const looking = setInterval(() => (peak = Math.max(peak, rssMib())), 5);
    const startedAt = performance.now();
    const { failure } = await convert(runtime, text, Buffer.from('{}'), {});
    const ms = performance.now() - startedAt;
    clearInterval(looking);
    peak = Math.max(peak, rssMib());
    context.diagnostic(
      `${Math.round(ms)} ms, ${Math.round(peak - idle)} MiB above idle, ${failure?.kind ?? 'no failure'}`,
    );
    assert.ok(failure !== undefined && endings.includes(failure.kind), JSON.stringify(failure));
    assert.ok(peak - idle < RSS_MIB_MAX, `${peak - idle} MiB above idle`);
    assert.ok(ms < SLACK_MS, `${ms} ms`);
    assert.equal((await convert(runtime, 'return 1;')).json, '1');
  });
}

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

const ENDS: readonly string[] = [
  '}, new Array(2e9).join("x"), function () {',
  '}}); for (;;); (function(){return function(){',
  '}}); new Array(2e9).join("x"); ({ method(){',
  '}); for (;;); (function(){',
  '}, 1 }); for (;;); (function(){return function(){',
  '} [(function () { for (;;); })()] = function(){',
  'return 1; } }) (function () { for (;;); })() ; (function(){return function(){',
];

test('a text that ends its function is not run while it is read', async () => {
  for (const text of ENDS) {
    const { failure } = await convert(runtime, text);
    assert.equal(failure?.kind, 'syntax', `${text}: ${JSON.stringify(failure)}`);
  }
  assert.equal((await convert(runtime, 'with ({ a: 010 }) return a; // }')).json, '8');
});

test('an attack costs its own call only, also when its thread must be ended', async () => {
  const text = 'if (n % 10 === 7) return new Array(2e9).join("x"); if (n % 10 === 3) for (;;); return n;';
  const limits = { timeMs: 100 };
  const script = runtime.open({ name: 'a.js', text, parameters: ['n'], limits });
  const calls = Array.from({ length: 30 }, (_, n) => [String(n)]);
  const others = Promise.all(Array.from({ length: 20 }, async () => await convert(runtime, 'return 1;')));
  const outcomes = await script.call(calls);
  outcomes.forEach(({ json, failure }, n) => {
    if (n % 10 === 7)
      assert.ok(failure?.kind === 'time' || failure?.kind === 'memory', `${n}: ${JSON.stringify(failure)}`);
    else if (n % 10 === 3) assert.equal(failure?.kind, 'time', String(n));
    // A machine that does much else may let any call run late.
    else assert.ok(json === String(n) || failure?.kind === 'time', `${n}: ${JSON.stringify(failure)}`);
  });
  assert.ok((await others).every(({ json }) => json === '1'));
});
