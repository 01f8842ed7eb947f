import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FACTS, feed, millrace, refused, type Reply } from './cli.fixture.ts';

const PATH = 'POST /2015-03-31/functions/hello/invocations';

function answered(text: string, headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, Reply>> {
  const log = { 'x-amz-log-result': Buffer.from('START\nEND\n').toString('base64') };
  return { 'GET /admin/node': () => FACTS, [PATH]: () => new Response(text, { headers: { ...log, ...headers } }) };
}

test('invoke writes the answer to stdout and the log to stderr', async () => {
  const { code, out, err, sent } = await millrace(['invoke', 'hello'], { replies: answered('{"a":1}') });
  assert.deepEqual([code, out, err], [0, '{"a":1}\n', 'START\nEND\n']);
  assert.equal(sent.at(-1)?.body.toString(), '{}');
  assert.match(sent.at(-1)?.headers['authorization'] ?? '', /\/us-east-1\/lambda\/aws4_request/);
});

test('invoke takes an event as text, from a file, by its saved name or from stdin, and saves it', async () => {
  const files: Readonly<Record<string, string>> = {
    'there.json': '{"file":1}',
    '/config/events/known.json': '{"saved":1}',
  };
  const written: string[] = [];
  const parts = {
    replies: answered('null'),
    stdin: feed(['{"std', 'in":1}']),
    readFile: async (path: string) => Buffer.from(files[path] ?? assert.fail(path)),
    writeFile: async (path: string, text: string) => void written.push(`${path} ${text}`),
  };
  const table: readonly (readonly [args: readonly string[], event: string])[] = [
    [['--event', '{"text":1}'], '{"text":1}'],
    [['--event', 'there.json'], '{"file":1}'],
    [['--event', 'known'], '{"saved":1}'],
    [['--event', 'true'], 'true'],
    [['--event', 'null'], 'null'],
    [['--event', '-', '--save', 'kept'], '{"stdin":1}'],
  ];
  for (const [args, event] of table) {
    const { code, sent } = await millrace(['invoke', 'hello', ...args], parts);
    assert.deepEqual([code, sent.at(-1)?.body.toString()], [0, event]);
  }
  assert.deepEqual(written, ['/config/events/kept.json {"stdin":1}\n']);
});

test('invoke ends with 1 when the function failed, or was refused, and with 2 for an event that is not there', async () => {
  const failed = answered('{"errorType":"E"}', { 'x-amz-function-error': 'Unhandled' });
  const one = await millrace(['invoke', 'hello'], { replies: failed });
  assert.deepEqual([one.code, one.out], [1, '{"errorType":"E"}\n']);
  assert.match(one.err, /millrace: the function hello failed\n$/);
  const message = { message: 'Function not found: f' };
  const none = await millrace(['invoke', 'hello'], {
    replies: { 'GET /admin/node': () => FACTS, [PATH]: () => refused(404, message) },
  });
  assert.deepEqual([none.code, none.err], [1, 'millrace: 404: Function not found: f\n']);
  const absent = await millrace(['invoke', 'hello', '--event', 'nope'], {
    replies: failed,
    readFile: async () => assert.fail(),
  });
  assert.deepEqual(
    [absent.code, absent.err],
    [2, 'millrace: no file nope, and no saved event /config/events/nope.json\n'],
  );
});

test('invoke --later only hands it over', async () => {
  const { code, out, sent } = await millrace(['invoke', 'hello', '--later'], { replies: answered('') });
  assert.deepEqual([code, out, sent.at(-1)?.headers['x-amz-invocation-type']], [0, '', 'Event']);
});
