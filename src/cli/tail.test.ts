import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millrace, refused, type Ended } from './cli.fixture.ts';

interface Page {
  readonly records: readonly object[];
  readonly next: string;
}

function record(data: string | Uint8Array, partitionKey = 'key'): object {
  const arrival = '2026-01-31T12:00:00.000Z';
  const base64 = Buffer.from(data).toString('base64');
  return { shardId: 'shardId-0', sequenceNumber: '123', partitionKey, arrival, data: base64 };
}

/** Tails a stream that has these pages; after the last one the user presses Ctrl-C. */
async function tail(args: readonly string[], pages: readonly Page[]): Promise<Ended> {
  const interrupt = new AbortController();
  let index = 0;
  const reply = (): unknown => {
    const page = pages[index];
    index += 1;
    if (index >= pages.length) interrupt.abort();
    return page ?? assert.fail('asked for more pages than there are');
  };
  const replies = { 'GET /admin/streams/a%20b/records': reply };
  return await millrace(['tail', 'a b', ...args], { replies, interrupted: interrupt.signal });
}

const HEAD = '2026-01-31T12:00:00.000Z shardId-0';

test('a record must not steer the terminal', async () => {
  const table: readonly (readonly [data: string | Uint8Array, line: string, key?: string])[] = [
    ['{"a":1}', 'key {"a":1}'],
    ['two\nlines\n', 'key two lines'],
    ['tab\there', 'key tab here'],
    ['\u001b[2J', 'key \\x1b[2J'],
    ['\u009b2J', 'key \\x9b2J'],
    ['bell\u0007 null\u0000', 'key bell\\x07 null\\x00'],
    ['over\rwritten', 'key over\\x0dwritten'],
    ['ü𝕏', 'key ü𝕏'],
    ['', 'key '],
    [Uint8Array.of(0xff, 0xfe, 0), 'key <3 bytes> fffe00'],
    [Buffer.alloc(40, 0xff), `key <40 bytes> ${'ff'.repeat(32)}`],
    ['data', 'k\\x1b]0;title\\x07 data', 'k\u001b]0;title\u0007'],
  ];
  for (const [data, line, key] of table) {
    const { out, code } = await tail([], [{ records: [record(data, key)], next: 'n' }]);
    assert.equal(out, `${HEAD} ${line}\n`);
    assert.equal(code, 0);
  }
});

test('as JSON, bytes that are no text stay base64', async () => {
  const records = [record('te\u001bxt', 'k'), record(Uint8Array.of(0xff), 'k')];
  const { out } = await tail(['--json'], [{ records, next: 'n' }]);
  const common =
    '{"shardId":"shardId-0","sequenceNumber":"123","partitionKey":"k","arrival":"2026-01-31T12:00:00.000Z",';
  assert.equal(out, `${common}"data":"te\\u001bxt"}\n${common}"dataBase64":"/w=="}\n`);
});

test('the first question fixes the place, the others wait for more', async () => {
  const pages: readonly Page[] = [
    { records: [], next: 's:1' },
    { records: [record('1')], next: 's:2' },
    { records: [record('2')], next: 's:3' },
  ];
  const { out, sent } = await tail(['--from', '2026-01-31T12:00:00Z'], pages);
  assert.equal(out, `${HEAD} key 1\n${HEAD} key 2\n`);
  assert.deepEqual(
    sent.map(({ url }) => url.replace(/.*\?/, '')),
    [
      'from=2026-01-31T12%3A00%3A00Z&limit=1000&waitMs=0',
      'after=s%3A1&limit=1000&waitMs=20000',
      'after=s%3A2&limit=1000&waitMs=20000',
    ],
  );
  assert.match((await tail([], [{ records: [], next: 'n' }])).sent[0]?.url ?? '', /\?from=LATEST&/);
});

test('a limit ends the command by itself', async () => {
  const pages: readonly Page[] = [
    { records: [record('1'), record('2')], next: 'n' },
    { records: [record('3')], next: 'n' },
    { records: [], next: 'never asked for' },
  ];
  const { code, sent, out } = await tail(['--limit', '3'], pages);
  assert.equal(code, 0);
  assert.deepEqual(
    sent.map(({ url }) => /limit=(\d+)/.exec(url)?.[1]),
    ['3', '1'],
  );
  assert.equal(out.split('\n').length - 1, 3);
});

test('a stream that is not there', async () => {
  const message = 'Stream a under account 000000000000 not found.';
  const replies = {
    'GET /admin/streams/a/records': () => refused(400, { error: 'ResourceNotFoundException', message }),
  };
  const { code, err } = await millrace(['tail', 'a'], { replies });
  assert.deepEqual([code, err], [1, `millrace: ${message}\n`]);
});
