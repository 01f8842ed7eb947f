/** Functions of `runtime: realm` in process: how they are read, called and answered for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf, place, type Around } from './realm.fixture.ts';

async function valueOf(code: string, event: unknown = {}, around: Around = {}): Promise<unknown> {
  const placed = place(code, around);
  try {
    return await placed.run(event);
  } finally {
    await placed.close();
  }
}

test('a function is a script that assigns to exports', async (t) => {
  const table: [string, string, unknown][] = [
    ['a function', 'exports = function (event) { return event.n + 1 }', 8],
    ['an async function', 'exports = async function (event) { return event.n + 1 }', 8],
    ['an arrow with a comment behind', 'exports = ({ n }) => n + 1 // done', 8],
    ['module.exports', 'module.exports = ({ n }) => n + 1', 8],
    ['sloppy: an undeclared variable', 'exports = function ({ n }) { sloppy = n; return sloppy + 1 }', 8],
    ['strict where it says so', '"use strict"; exports = function () { return this === undefined }', true],
    ['require', 'const { join } = require("node:path"); exports = () => join("a", "b")', 'a/b'],
    ['a promise', 'exports = () => Promise.resolve(8)', 8],
    ['nothing', 'exports = () => undefined', null],
    ['the context', 'exports = () => context.user.type + context.runningAsSystem()', 'systemtrue'],
  ];
  for (const [what, code, expected] of table) {
    await t.test(what, async () => assert.deepEqual(await valueOf(code, { n: 7 }), expected));
  }
});

test('state of one call is not seen by the next', async () => {
  const placed = place('let calls = 0; exports = () => ++calls');
  assert.deepEqual([await placed.run({}), await placed.run({})], [1, 1]);
  await placed.close();
});

test('what cannot be loaded says why, in the words of Lambda', async (t) => {
  const table: [string, () => unknown, string, RegExp][] = [
    ['no JavaScript', () => place('exports = function ( {'), 'Runtime.UserCodeSyntaxError', /SyntaxError/],
    [
      'no such kind of service',
      () => place('', { services: { x: { s3: {} } } }),
      'Runtime.InvalidSettings',
      /services\.x/,
    ],
    [
      'broken values',
      () => place('', { variables: { MILLRACE_VALUES: 'secret' } }),
      'Runtime.InvalidSettings',
      /^MILLRACE_VALUES is not an object in JSON$/,
    ],
  ];
  for (const [what, act, type, message] of table) {
    await t.test(what, () => {
      assert.throws(act, (error: unknown) => {
        assert.equal((error as { type?: string }).type, type);
        return message.test((error as Error).message);
      });
    });
  }
});

test('what fails in a call is told with its place', async (t) => {
  const table: [string, string, RegExp][] = [
    ['no function', 'exports = 7', /main\.js exports no function/],
    ['it throws', 'exports = () => { throw new Error("on purpose") }', /^on purpose$/],
    ['it rejects', 'exports = async () => { throw new Error("on purpose") }', /^on purpose$/],
    ['no service', 'exports = () => context.services.get("x")', /service not found: 'x'/],
    ['not built', 'exports = () => context.http.get({})', /context\.http is not built/],
    ['not built', 'exports = () => utils.jwt.encode()', /utils\.jwt is not built/],
    ['no function', 'exports = () => context.functions.execute("none")', /Cannot find module 'none'/],
    ['a function outside', 'exports = () => context.functions.execute("../main")', /Bad function/],
  ];
  for (const [what, code, message] of table) {
    await t.test(`${what}: ${message.source}`, async () => await assert.rejects(valueOf(code), { message }));
  }
  const stack = await valueOf('\n\nexports = () => { throw new Error("here") }').catch((error: unknown) => error);
  assert.match((stack as Error).stack ?? '', /main\.js:3:/);
});

test('values, and other functions of the folder', async () => {
  const files = {
    'sum.js': 'exports = (one, other) => one + other + context.values.get("more")',
    'deep/slow.js': 'exports = async (n) => { await null; return context.functions.execute("sum", n, 1) }',
  };
  const code =
    'exports = async ({ n }) => [context.functions.execute("sum", n, 2), await context.functions.execute("deep/slow", n), context.values.get("none")]';
  assert.deepEqual(await valueOf(code, { n: 1 }, { values: { more: 10 }, files }), [13, 12, null]);
});

test('events and answers are extended JSON', async () => {
  const hex = '0123456789abcdef01234567';
  const event = { _id: { $oid: hex }, at: { $date: '2026-01-01T00:00:00Z' }, n: { $numberInt: '5' } };
  const code =
    'exports = (e) => [e._id instanceof BSON.ObjectId, JSON.stringify(e), e.at.getTime(), e.n + 1, e._id, EJSON.stringify(e._id)]';
  assert.deepEqual(await valueOf(code, event), [
    true,
    `{"_id":"${hex}","at":"2026-01-01T00:00:00.000Z","n":5}`,
    Date.UTC(2026, 0, 1),
    6,
    { $oid: hex },
    `{"$oid":"${hex}"}`,
  ]);
});

test('BSON as functions write it', async (t) => {
  const table: [string, unknown][] = [
    ['BSON.ObjectId("0123456789abcdef01234567").toString()', '0123456789abcdef01234567'],
    ['new BSON.ObjectId("0123456789abcdef01234567") instanceof BSON.ObjectId', true],
    ['BSON.Binary.fromText("hé").toBase64()', 'aMOp'],
    ['BSON.Binary.fromBase64("aMOp").text()', 'hé'],
    ['BSON.Binary.fromHex("6869").text()', 'hi'],
    ['BSON.Binary.fromText("hi").toHex()', '6869'],
    ['BSON.Long.fromNumber(7).toString()', '7'],
    ['BSON.Decimal128.fromString("1.50").toString()', '1.50'],
    ['BSON.Int32(7).valueOf()', 7],
  ];
  for (const [expression, expected] of table) {
    await t.test(expression, async () => assert.deepEqual(await valueOf(`exports = () => ${expression}`), expected));
  }
});

test('a webhook sees its request', async () => {
  const code = `exports = function (payload, response) {
    response.setBody(JSON.stringify({ ...payload, body: payload.body && [payload.body.text(), payload.body.toBase64()],
      agent: context.request.httpUserAgent }))
  }`;
  const placed = place(code);
  const answer = await placed.request({
    method: 'PUT',
    query: 'a=1&b=x%20y&b=2',
    headers: [
      ['X-Amz-Firehose-Access-Key', 'secret'],
      ['x-lower-case', '1'],
      ['X-LOWER-CASE', '2'],
      ['User-Agent', 'test'],
      ['__proto__', 'harmless'],
    ],
    bodyBase64: Buffer.from('hé').toString('base64'),
  });
  assert.equal(answer.statusCode, 200);
  assert.deepEqual(JSON.parse(bodyOf(answer)), {
    headers: {
      'X-Amz-Firehose-Access-Key': ['secret'],
      'X-Lower-Case': ['1', '2'],
      'User-Agent': ['test'],
      ['__proto__']: ['harmless'],
    },
    query: { a: '1', b: ['x y', '2'] },
    httpMethod: 'PUT',
    rawQueryString: 'a=1&b=x%20y&b=2',
    body: ['hé', 'aMOp'],
    agent: 'test',
  });
  await placed.close();
});

test('a webhook answers with what it set, or what it returned', async (t) => {
  const table: [string, number, [string, string][], string][] = [
    ['', 204, [], ''],
    ['return { a: 1 }', 200, [['Content-Type', 'application/json']], '{"a":1}'],
    ['response.setStatusCode(404); return 1', 404, [], ''],
    ['response.setBody("hé")', 200, [], 'hé'],
    ['response.setBody(BSON.Binary.fromText("hi"))', 200, [], 'hi'],
    [
      'response.addHeader("A", "1"); response.addHeader("a", "2")',
      200,
      [
        ['A', '1'],
        ['a', '2'],
      ],
      '',
    ],
    ['response.addHeader("A", "1"); response.setHeader("a", "2")', 200, [['a', '2']], ''],
    ['Promise.resolve().then(() => Promise.resolve()).then(() => response.setBody("late"))', 200, [], 'late'],
  ];
  for (const [code, statusCode, headers, body] of table) {
    await t.test(code, async () => {
      const placed = place(`exports = function (payload, response) { ${code} }`);
      const answer = await placed.request({});
      await placed.close();
      assert.deepEqual({ ...answer, bodyBase64: bodyOf(answer) }, { statusCode, headers, bodyBase64: body });
    });
  }
});

test('what is no answer of HTTP is refused where it is set', async (t) => {
  const table = [
    'setStatusCode("200")',
    'setStatusCode(99)',
    'setStatusCode(200.5)',
    'setHeader("a b", "1")',
    'setHeader("a", "1\\r\\nb: 2")',
    'setBody({})',
    'setCookie("a")',
  ];
  for (const call of table) {
    await t.test(call, async () => {
      const placed = place(`exports = (payload, response) => response.${call}`);
      await assert.rejects(placed.request({}));
      await placed.close();
    });
  }
});

test('an event that only looks like a webhook is refused', async (t) => {
  const whole = { method: 'GET', path: '/', query: '', headers: [['a', 'b']], bodyBase64: '' };
  for (const wrong of [{ headers: { a: 'b' } }, { headers: [['a']] }, { query: null }, { bodyBase64: 1 }]) {
    await t.test(JSON.stringify(wrong), async () => {
      await assert.rejects(valueOf('exports = () => 1', { realmWebhook: { ...whole, ...wrong } }), /realmWebhook/);
    });
  }
});
