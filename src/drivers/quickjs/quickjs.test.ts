import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { array, assert as assertProperty, asyncProperty, oneof, string, uint8Array } from 'fast-check';
import { ThrottleError } from '../../kernel/errors.ts';
import type { ScriptFailure } from '../../ports/script.ts';
import { convert, openRuntime, PATIENT } from './quickjs.fixture.ts';

const runtime = openRuntime();
after(async () => await runtime.close());

const RESULTS: readonly (readonly [what: string, text: string, json: string])[] = [
  ['a value', 'return { a: [1, "ä", true, null] };', '{"a":[1,"ä",true,null]}'],
  ['a member without a value', 'return { a: undefined, b: 1 };', '{"b":1}'],
  ['null', 'return null;', 'null'],
  ['a comment at the end', 'return 1; // one', '1'],
  ['functions below the return', 'return f(); function f() { return 2; }', '2'],
  ['an undeclared name, as in old scripts', 'result = 3; return result;', '3'],
  ['bytes are an array', 'return [Array.isArray(payload), payload.map(function (b) { return b.toString(16); }).join("")];', '[true,"7b7d"]'],
  ['metadata is a value', 'return metadata.a;', '"b"'],
  ['helpers', 'return [decodeToJson(payload), decodeToString(payload)];', '[{},"{}"]'],
  ['own helpers', 'function decodeToString() { return "mine"; } return decodeToString(payload);', '"mine"'],
  ['own helpers in a variable', 'var decodeToJson = function () { return 5; }; return decodeToJson(payload);', '5'],
  ['toJSON', 'return new Date(0);', '"1970-01-01T00:00:00.000Z"'],
  ['half a character', 'return "\\ud800";', '"\\ud800"'],
  ['nothing of the platform', 'return [typeof process, typeof require, typeof fetch, typeof setTimeout, typeof WebAssembly];', '["undefined","undefined","undefined","undefined","undefined"]'],
  ['nothing through constructors either', 'return payload.constructor.constructor("return typeof process")();', '"undefined"'],
  ['a language changed by the script', 'JSON.stringify = function () { return "!"; }; Array.prototype.toJSON = null; return [1];', '[1]'],
]; // prettier-ignore

for (const [what, text, json] of RESULTS) {
  test(`a result: ${what}`, async () => assert.deepEqual(await convert(runtime, text), { json, printed: [] }));
}

const FAILURES: readonly (readonly [text: string, kind: string, message: RegExp, place?: string])[] = [
  ['var a = 1;\n\nnull.b;', 'error', /^TypeError: /, '3:6'],
  ['var a = 1;\nreturn f();\nfunction f() {\n  return JSON.parse("x");\n}', 'error', /^SyntaxError: /, '4:15'],
  ['throw new RangeError("too\\n  far");', 'error', /^RangeError: too far$/, '1:11'],
  ['throw "a text";', 'error', /^threw a text$/],
  ['throw null;', 'error', /^threw null$/],
  ['throw { a: 1 };', 'error', /^threw \{"a":1\}$/],
  ['throw { get a() { throw 1; } };', 'error', /^threw what cannot be shown$/],
  ['throw { toString: null, toJSON: function () {} };', 'error', /^threw what cannot be shown$/],
  ['return {\n  a:\n};', 'syntax', /^SyntaxError: /, '3'],
  ['let payload = 1;', 'syntax', /^SyntaxError: /, '1'],
  ['', 'result', /^returned nothing$/],
  ['return function () {};', 'result', /^returned a function, which JSON does not have$/],
  ['return Symbol("a");', 'result', /^returned a symbol, /],
  ['return Promise.resolve(1);', 'result', /^returned a promise; /],
  ['return { a: { temperature: NaN, b: null } };', 'result', /"temperature" is NaN, which JSON does not have$/],
  ['return [-Infinity];', 'result', /"0" is -Infinity, /],
  ['return NaN;', 'result', /it is NaN, /],
  ['return { a: 1n };', 'result', /no JSON: TypeError: /],
  ['var a = {}; a.a = a; return a;', 'result', /no JSON: TypeError: circular/],
  ['return {\n  get a() { return missing; } };', 'result', /no JSON: ReferenceError: missing/, '2:20'],
  ['return "x".repeat(1048575);', 'result', /^the result is larger than 1048576 bytes$/],
  ['return "ä".repeat(600000);', 'result', /^the result is larger than 1048576 bytes$/],
  [`return 1;${' '.repeat(300_000)}`, 'syntax', /^longer than 262144 characters$/],
];

/** `line:column`, or what of it is told. */
function placeOf({ line, column }: Partial<ScriptFailure> = {}): string | undefined {
  return line === undefined ? undefined : [line, column].filter((part) => part !== undefined).join(':');
}

for (const [text, kind, message, place] of FAILURES) {
  test(`a failure: ${JSON.stringify(text.slice(0, 60))}`, async () => {
    const { failure, json } = await convert(runtime, text);
    assert.equal(json, undefined);
    assert.equal(failure?.kind, kind, failure?.message);
    assert.match(failure?.message ?? '', message);
    assert.equal(placeOf(failure), place);
  });
}

/** Before what fails, so that a wrong line could be told. */
const BEFORE = 'var given = { list: [] };\nString(1);\n\n';
const PLACES: readonly (readonly [what: string, text: string, place: string | undefined])[] = [
  ['a member of nothing', 'if (\n  given.other.deep) String(2);', '5:15'],
  ['a member of nothing, to be set', 'if (\n  given.other.deep = 1) String(2);', '5:15'],
  ['a member in the object that is returned', 'return {\n  a: 1,\n  b: payload.data.temperature\n};', '6:19'],
  ['the same name twice in its line', 'return {\n  temperature: payload.data.temperature\n};', '5'],
  ['the same name in another line', 'var deep = 1;\nreturn { a: given.other.deep };', undefined],
  ['a member in a function', 'function f(x) {\n  return x.y.z;\n}\nreturn f({});', '5:14'],
  ['in a loop with a counter', 'for (var i = 0; i < 2; i++)\n  given.list[i] =\n    given.list[i].value;', '6:19'],
  ['names that are not in the text', 'var name = "deep";\nreturn given.other[name] || given.deep;', undefined],
  ['an undeclared name', 'var r =\n  missing + 1;\nString(r);', '5:3'],
  ['an undeclared name that stands twice', 'var r =\n  missing + 1;\nString(missing);', undefined],
  ['a name before its declaration', 'var r = later + 1;\nlet later = 1;', undefined],
  ['a constant', 'const fixed = 1;\nif (r = 1) fixed = 2;\nString(3);', undefined],
  ['no function', 'if (\n  given.f(1)) String(2);', '5:9'],
  ['nothing to go through', 'for (var one of\n  given) String(one);', undefined],
  ['nothing to spread', 'return [\n  ...given.none];', undefined],
  ['no constructor', 'var r =\n  new given();', '5:7'],
  ['operators', 'var r =\n  1n + 1;', '5:8'],
  ['an operator without a place', 'var r =\n  +1n;', undefined],
  ['what a helper of ours met', 'var r =\n  decodeToString(given.none);', '5:18'],
  ['a function of the language', 'var r =\n  Object.keys(given.none);', '5:15'],
  ['a callback', 'return given.list.concat(1).map(function (x) {\n  return x.a.b;\n});', '5:14'],
  ['an error of its own', 'if (given)\n  throw new TypeError("cannot be");', '5:13'],
  ['a text that is none', 'var r = 1;\nvar s = ;', '5'],
  ['a text that ends too early', 'if (given) {\n', undefined],
  ['a comment that does not end', '/* from here', undefined],
  ['a brace too many', '}', undefined],
];

test('the place of a failure is the right one, or there is none', async () => {
  const told: (readonly [what: string, place: string | undefined])[] = [];
  for (const [what, text] of PLACES) {
    const { failure } = await convert(runtime, BEFORE + text);
    assert.notEqual(failure, undefined, what);
    told.push([what, placeOf(failure)]);
  }
  assert.deepEqual(
    told,
    PLACES.map(([what, , place]) => [what, place]),
  );
});

test('what is printed comes with the result and with the failure, and is bounded', async () => {
  const text = 'print("a", 1, { b: [null] }); console.log(undefined); console.error(new Error("no"));';
  const lines = ['a 1 {"b":[null]}', 'undefined', 'Error: no'];
  assert.deepEqual(await convert(runtime, `${text} return 1;`), { json: '1', printed: lines });
  assert.deepEqual((await convert(runtime, `${text} throw 1;`)).printed, lines);
  assert.deepEqual((await convert(runtime, 'return 1;')).printed, []);
  const many = await convert(runtime, 'for (var i = 0; i < 1000; i++) print(i); return 1;');
  assert.equal(many.printed.length, 100);
  const long = await convert(runtime, 'print("x".repeat(20000)); print("y"); return 1;');
  assert.deepEqual([long.printed.length, long.printed[0]?.length], [1, 16_385]);
});

test('texts are decoded as decoders of the web do it', async () => {
  const script = runtime.open({
    name: 'a.js',
    text: 'return decodeToString(payload);',
    parameters: ['payload'],
    limits: PATIENT,
  });
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const odd = uint8Array({ maxLength: 12 }).map((bytes) => bytes.map((byte) => (byte < 100 ? byte : byte | 0xc0)));
  const texts = string({ unit: 'grapheme', maxLength: 30 }).map((text) => new Uint8Array(Buffer.from(text)));
  const any = array(oneof(odd, texts, uint8Array({ maxLength: 20 })), { minLength: 50, maxLength: 50 });
  await assertProperty(
    asyncProperty(any, async (payloads) => {
      const outcomes = await script.call(payloads.map((payload) => [payload]));
      assert.deepEqual(outcomes.filter(({ failure }) => failure !== undefined), []); // prettier-ignore
      assert.deepEqual(
        outcomes.map(({ json }) => JSON.parse(json ?? '') as string),
        payloads.map((payload) => decoder.decode(payload)),
      );
    }),
    { numRuns: 40 },
  );
  const long = Buffer.from('a long text, ä, '.repeat(4000));
  assert.equal(JSON.parse((await script.call([[long]]))[0]?.json ?? ''), long.toString());
});

test('views of larger buffers, empty bytes and bytes in any place', async () => {
  const text = 'return [first.length, second, third.length, third[0] === undefined ? null : third[0]];';
  const script = runtime.open({ name: 'a.js', text, parameters: ['first', 'second', 'third'] });
  const whole = Buffer.from('0123456789');
  const outcomes = await script.call([
    [whole.subarray(2, 5), '"x"', whole.subarray(7)],
    [new Uint8Array(), '1', new Uint8Array()],
    [whole, '1', new Uint8Array(70_000).fill(9)],
  ]);
  assert.deepEqual(
    outcomes.map(({ json }) => json),
    ['[3,"x",3,55]', '[0,1,0,null]', '[10,1,70000,9]'],
  );
});

test('what a call does to its arguments is not seen by the next', async () => {
  const script = runtime.open({ name: 'a.js', text: 'metadata.n += 1; return metadata.n;', parameters: ['metadata'] });
  const outcomes = await script.call([['{"n":1}'], ['{"n":1}']]);
  assert.deepEqual(outcomes.map(({ json }) => json), ['2', '2']); // prettier-ignore
});

test('what a script leaves to promises is never run and does not pile up', async () => {
  const text = 'Promise.resolve().then(function () { last = 1; }); return typeof last;';
  const script = runtime.open({ name: 'a.js', text, parameters: ['n'] });
  const outcomes = await script.call(Array.from({ length: 50 }, () => ['1']));
  assert.ok(outcomes.every(({ json }) => json === '"undefined"'));
});

test('more than may wait is refused, and taken again later', async () => {
  const small = openRuntime({ waitingBytesMax: 1000, workersMax: 1 });
  try {
    const first = convert(small, 'return payload.length;', new Uint8Array(900));
    await assert.rejects(convert(small, 'return payload.length;', new Uint8Array(900)), ThrottleError);
    assert.equal((await first).json, '900');
    assert.equal((await convert(small, 'return payload.length;', new Uint8Array(5000))).json, '5000');
  } finally {
    await small.close();
  }
});

test('a thread with nothing to do is ended, and another one started when there is something', async () => {
  const short = openRuntime({ idleMs: 20 });
  try {
    assert.equal((await convert(short, 'return 1;')).json, '1');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await convert(short, 'return 2;')).json, '2');
  } finally {
    await short.close();
  }
});

test('closing ends what runs', async () => {
  const closing = openRuntime();
  const running = convert(closing, 'for (;;);', Buffer.from(''), { timeMs: 60_000 });
  const ended = assert.rejects(running, /closed/);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await closing.close();
  await ended;
});
