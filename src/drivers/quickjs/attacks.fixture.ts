import type { ScriptRuntime } from '../../ports/script.ts';
import { convert } from './quickjs.fixture.ts';

/** What attacks may end as: who is quicker, the clock or the memory, depends on the machine. */
export const STOPPED = ['time', 'memory'];

/** The one that only the end of its thread stops. */
export const UNINTERRUPTED = 'work that cannot be interrupted';

/** What is done, the script's text, and the kinds of failure that it may end as; without any it gives a result. */
export type Attack = readonly [what: string, text: string, kinds: readonly string[]];

/** Each of them has been seen to take down an engine without bounds, or is a way around one of ours. */
export const ATTACKS: readonly Attack[] = [
  ['a loop', 'for (;;);', ['time']],
  ['a loop that catches all', 'for (;;) try { for (;;); } catch (e) {} finally { continue; }', ['time']],
  ['a pattern that backtracks', 'return /(a+)+$/.test("a".repeat(40) + "b");', ['time']],
  ['a bomb of arrays', 'var a = []; for (;;) a.push([a.slice()]);', STOPPED],
  ['many large buffers', 'var a = []; for (var i = 0; i < 2000; i++) a.push(new ArrayBuffer(10e6)); return a.length;', STOPPED],
  ['many small buffers', 'var a = []; for (;;) a.push(new Float64Array(1e4));', STOPPED],
  ['a map without end', 'var m = new Map(); for (var i = 0; ; i++) m.set(i, "x" + i);', STOPPED],
  [UNINTERRUPTED, 'return new Array(2e9).join("x");', STOPPED],
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
  ['host escape through the constructor of a function', 'return this.constructor.constructor("return process.version")();', ['error']],
  ['host escape through the payload', 'return payload.constructor.constructor("return process.version")();', ['error']],
  ['a chain of promises left behind', '(function f() { Promise.resolve().then(f); })(); return 1;', []],
  ['an asynchronous loop', 'return (async function () { for (;;) await 0; })();', ['result']],
  ['a text that closes its function', '}, new Array(2e9).join("x"), function () {', ['syntax']],
  ['a text that closes its function as statements do', '} for (;;); function again() {', ['syntax']],
  ['a text that is read in quadratic time', `${'('.repeat(300)}1${'+1'.repeat(120_000)}${')'.repeat(300)};`, ['time']],
  ['more names than can be read in time', Array.from({ length: 20_000 }, (_, index) => `let v${index}=1;`).join(''), ['time', 'result']],
  ['printing without end', 'for (;;) console.log("x".repeat(1e5));', ['time']],
]; // prettier-ignore

/** Whether an attack came to what it may come to. */
export function isContained([, , kinds]: Attack, { kind }: AttackCost): boolean {
  return kind === undefined ? kinds.length === 0 : kinds.includes(kind);
}

/** How soon each has ended on a machine that has time for it, from the call to its failure. */
export const ATTACK_MS_MAX = 500;
/** By how much each may raise the process's resident memory. */
export const ATTACK_MIB_MAX = 100;

/** What an attack took. */
export interface AttackCost {
  readonly ms: number;
  /** The highest resident memory meanwhile, less `idleMib`. */
  readonly mibAboveIdle: number;
  /** A kind of failure; undefined when the script gave a result. */
  readonly kind: string | undefined;
}

/** Resident memory of this process. */
export function residentMib(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

/** Runs an attack as a converter with the limits that hold when nothing else is said. */
export async function attack(runtime: ScriptRuntime, text: string, idleMib: number): Promise<AttackCost> {
  let peak = residentMib();
  const look = (): void => void (peak = Math.max(peak, residentMib()));
  const looking = setInterval(look, 5);
  const startedAt = performance.now();
  const { failure } = await convert(runtime, text, Buffer.from('{}'), {});
  const ms = performance.now() - startedAt;
  clearInterval(looking);
  look();
  return { ms, mibAboveIdle: peak - idleMib, kind: failure?.kind };
}
