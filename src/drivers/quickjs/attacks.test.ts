import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { convert, openRuntime, PATIENT } from './quickjs.fixture.ts';

/** What attacks may end as: who is quicker, the clock or the memory, depends on the machine. */
const STOPPED = ['time', 'memory'];
const ATTACKS: readonly (readonly [what: string, text: string, kinds: readonly string[]])[] = [
  ['a loop', 'for (;;);', ['time']],
  ['a loop that catches all', 'for (;;) try { for (;;); } catch (e) {} finally { continue; }', ['time']],
  ['a pattern that backtracks', 'return /(a+)+$/.test("a".repeat(40) + "b");', ['time']],
  ['a bomb of arrays', 'var a = []; for (;;) a.push([a.slice()]);', STOPPED],
  ['many large buffers', 'var a = []; for (var i = 0; i < 2000; i++) a.push(new ArrayBuffer(10e6)); return a.length;', STOPPED],
  ['many small buffers', 'var a = []; for (;;) a.push(new Float64Array(1e4));', STOPPED],
  ['a map without end', 'var m = new Map(); for (var i = 0; ; i++) m.set(i, "x" + i);', STOPPED],
  ['work that cannot be interrupted', 'return new Array(2e9).join("x");', STOPPED],
  ['numbers without end', 'var x = 3n; for (;;) x = x * x;', [...STOPPED, 'error']],
  ['recursion', '(function f() { f(); })();', ['error', ...STOPPED]],
  ['recursion in the parser', 'return JSON.parse("[".repeat(1e6));', ['error', ...STOPPED]],
  ['recursion in the result', 'var a = []; for (var i = 0; i < 1e5; i++) a = [a]; return a;', ['result', ...STOPPED]],
  ['recursion through proxies', 'var p = {}; for (var i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x;', ['error', 'result', ...STOPPED]],
  ['a text that doubles', 'var s = "x"; for (;;) s += s;', ['error', ...STOPPED]],
  ['256 MiB at once', 'return "x".repeat(256 * 1024 * 1024).length;', STOPPED],
  ['50 MB returned', 'return "x".repeat(50e6);', ['memory', 'result']],
  ['a getter on the result', 'return { get a() { for (;;); } };', ['time']],
  ['toJSON on the result', 'return { toJSON: function () { for (;;); } };', ['time']],
  ['a getter on what is thrown', 'throw { get a() { for (;;); } };', ['time']],
  ['a message that loops', 'var e = new Error(); Object.defineProperty(e, "message", { get: function () { for (;;); } }); throw e;', ['time']],
  ['a chain of promises', '(function f() { Promise.resolve().then(f); })(); for (;;);', ['time']],
  ['a generator without end', 'return Array.from((function* () { for (;;) yield [1]; })());', STOPPED],
  ['printing without end', 'for (;;) console.log("x".repeat(1e5));', ['time']],
]; // prettier-ignore

const SLACK_MS = 5000;
const RSS_MIB_MAX = 100;
const runtime = openRuntime();
after(async () => await runtime.close());

function rssMib(): number {
  return process.memoryUsage().rss / 2 ** 20;
}

for (const [what, text, kinds] of ATTACKS) {
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
    assert.ok(failure !== undefined && kinds.includes(failure.kind), JSON.stringify(failure));
    assert.ok(peak - idle < RSS_MIB_MAX, `${peak - idle} MiB above idle`);
    // Twice the limit on a machine that has time for it.
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

test('a text that gets out of its function is contained all the same', async () => {
  const text = '}, new Array(2e9).join("x"), function () {';
  const { failure } = await convert(runtime, text, Buffer.from('{}'), PATIENT);
  assert.equal(failure?.kind, 'time');
  assert.equal((await convert(runtime, 'return 1;')).json, '1');
});
