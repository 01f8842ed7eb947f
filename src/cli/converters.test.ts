import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../kernel/json.ts';
import type { ScriptFailure, ScriptRuntime } from '../ports/script.ts';
import { millrace, type Ended } from './cli.fixture.ts';

interface Called {
  readonly name: string;
  readonly text: string;
  readonly parameters: readonly string[];
  readonly values: readonly Json[];
}

const FILES: Readonly<Record<string, string>> = {
  'up.js': 'return 1;',
  'payload.bin': 'AB',
  'expected.json': '{ "b": [1], "a": "x" }',
  'message.json': '{ "version": "1" }',
  'broken.json': '{',
};

/** Runs `converters test up.js ARGS` with a runtime that answers this. */
async function run(
  args: readonly string[],
  answer: { readonly json?: string; readonly failure?: ScriptFailure; readonly printed?: readonly string[] } = {},
): Promise<Ended & { readonly called: readonly Called[]; readonly closed: number }> {
  const called: Called[] = [];
  let closed = 0;
  const scripts = (): ScriptRuntime => ({
    open: ({ name, text, parameters }) => ({
      problem: async () => undefined,
      call: async (calls) => {
        for (const call of calls) {
          const values = call.map((one) => (typeof one === 'string' ? (JSON.parse(one) as Json) : [...one]));
          called.push({ name, text, parameters, values });
        }
        return [{ json: '{"a":"x","b":[1]}', printed: [], ...answer }];
      },
    }),
    close: async () => void (closed += 1),
  });
  const readFile = async (path: string): Promise<Uint8Array> => {
    const text = FILES[path];
    if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
    return Buffer.from(text);
  };
  return { ...(await millrace(['converters', 'test', 'up.js', ...args], { scripts, readFile })), called, closed };
}

test('payloads, inline and from files', async () => {
  const table: readonly (readonly [payload: string, bytes: readonly number[]])[] = [
    ['payload.bin', [65, 66]],
    ['text:A:B', [65, 58, 66]],
    ['text:', []],
    ['base64:QUI=', [65, 66]],
    ['hex:00fF', [0, 255]],
    ['{}', [123, 125]],
    ['["a"', [91, 34, 97, 34]],
  ];
  for (const [payload, bytes] of table) {
    const { called, code, closed } = await run(['--payload', payload, '--metadata', '{"k":"v"}']);
    const values = [bytes, { k: 'v' }];
    const parameters = ['payload', 'metadata'];
    assert.deepEqual(called, [{ name: 'up.js', text: 'return 1;', parameters, values }], payload);
    assert.deepEqual([code, closed], [0, 1]);
  }
});

test('messages for downlink converters', async () => {
  const { called } = await run(['--msg', 'message.json']);
  assert.deepEqual(called[0]?.parameters, ['msg', 'metadata', 'msgType']);
  assert.deepEqual(called[0]?.values, [{ version: '1' }, {}, 'ATTRIBUTES_UPDATED']);
  assert.deepEqual((await run(['--msg', '5', '--msg-type', 'OTHER'])).called[0]?.values, [5, {}, 'OTHER']);
});

test('the result is printed, and what the script printed goes to stderr', async () => {
  const { out, err, code } = await run(['--payload', 'text:a'], { printed: ['one', 'two'] });
  assert.equal(out, '{\n  "a": "x",\n  "b": [\n    1\n  ]\n}\n');
  assert.deepEqual([err, code], ['one\ntwo\n', 0]);
  const line = await run(['--payload', 'text:a', '--json'], { printed: ['one'] });
  assert.equal(line.out, '{"ok":true,"result":{"a":"x","b":[1]},"printed":["one"],"differences":[]}\n');
});

test('a result is compared as a value', async () => {
  assert.equal((await run(['--payload', 'text:a', '--expect', 'expected.json'])).code, 0);
  const other = await run(['--payload', 'text:a', '--expect', '{"a":"y","c":{"d":1}}']);
  assert.equal(other.code, 1);
  const lines = ['a: expected "y", got "x"', 'c: expected {"d":1}, got nothing', 'b: expected nothing, got [1]'];
  assert.equal(other.err, `${lines.join('\n')}\nmillrace: up.js: the result is not what --expect says\n`);
  const json = await run(['--payload', 'text:a', '--expect', '[]', '--json']);
  assert.equal(json.code, 1);
  assert.match(json.out, /^\{"ok":false,.*"differences":\["the result: expected \[\], got \{/);
});

test('a failure is told with its place', async () => {
  const failure: ScriptFailure = { kind: 'error', message: 'TypeError: no', line: 3, column: 7 };
  const ended = await millraceFailed(failure);
  assert.deepEqual([ended.code, ended.out, ended.err], [1, '', 'millrace: up.js:3:7: TypeError: no\n']);
  const late = await millraceFailed({ kind: 'time', message: 'took longer than 200 ms' });
  assert.equal(late.err, 'millrace: up.js: took longer than 200 ms\n');
  const json = await run(['--payload', 'text:a', '--json', '--expect', '{}'], { json: undefined as never, failure });
  assert.deepEqual(JSON.parse(json.out), { ok: false, failure, printed: [], differences: [] });
  assert.equal(json.code, 1);
});

async function millraceFailed(failure: ScriptFailure): Promise<Ended> {
  return await run(['--payload', 'text:a'], { json: undefined as never, failure });
}

test('what is asked for wrongly is said, and runs nothing', async () => {
  const table: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [[], 2, /give --payload for an uplink converter, or --msg/],
    [['--payload', 'text:a', '--msg', '{}'], 2, /give --payload/],
    [['--payload', 'hex:0'], 2, /--payload is not hex/],
    [['--payload', 'base64:!'], 2, /--payload is not base64/],
    [['--payload', 'missing.bin'], 1, /no such file/],
    [['--msg', '{'], 2, /--msg is no JSON/],
    [['--msg', 'broken.json'], 2, /--msg: broken.json holds no JSON/],
    [['--payload', 'text:a', '--metadata', '{]'], 2, /--metadata is no JSON/],
    [['--payload', 'text:a', '--expect', 'missing.json'], 1, /no such file/],
  ];
  for (const [args, code, message] of table) {
    const ended = await run(args);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(ended.err, message);
    assert.deepEqual(ended.called, []);
  }
});
