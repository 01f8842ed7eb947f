import type { ScriptFailureKind } from '../../ports/script.ts';

/** What attacks may end as: who is quicker, the clock or the memory, depends on the machine. */
const STOPPED: readonly ScriptFailureKind[] = ['time', 'memory'];
/** Texts that try to take the thread, its memory or its stack for good, and how each may end. */
export const SCRIPT_ATTACKS: readonly (readonly [what: string, text: string, endings: readonly ScriptFailureKind[]])[] = [
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
