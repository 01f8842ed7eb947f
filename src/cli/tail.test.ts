import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millrace, refused, type Ended } from './cli.fixture.ts';

interface Page {
  readonly records: readonly object[];
  readonly next: string;
  readonly atEnd?: boolean;
  readonly damaged?: readonly object[];
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
    return { damaged: [], atEnd: false, ...(page ?? assert.fail('asked for more pages than there are')) };
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

test('of a webhook that was sent on again the first request is named', async () => {
  const records = [{ ...record('1'), redeliveryOf: 'r-\u001b1' }];
  assert.equal((await tail([], [{ records, next: 'n' }])).out, `${HEAD} key [redelivery of r-\\x1b1] 1\n`);
  const { out } = await tail(['--json'], [{ records, next: 'n' }]);
  assert.equal((JSON.parse(out) as { redeliveryOf: unknown }).redeliveryOf, 'r-\u001b1');
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

test('what is looked for is asked of the node', async () => {
  const flags = ['--from', 'TRIM_HORIZON', '--shard', 's', '--key', 'a&b', '--content', 'ü 1'];
  const { sent } = await tail(flags, [
    { records: [], next: 's:1' },
    { records: [], next: 's:2' },
  ]);
  assert.deepEqual(
    sent.map(({ url }) => url.replace(/.*\?/, '')),
    [
      'from=TRIM_HORIZON&limit=1000&waitMs=0&shard=s&key=a%26b&content=%C3%BC+1',
      'after=s%3A1&limit=1000&waitMs=20000&shard=s&key=a%26b&content=%C3%BC+1',
    ],
  );
});

test('without following, the command ends where the stream does', async () => {
  const pages: readonly Page[] = [
    { records: [record('1')], next: 's:1' },
    { records: [record('2')], next: 's:2', atEnd: true },
    { records: [], next: 'never asked for' },
  ];
  const { code, sent, out } = await tail(['--no-follow', '--from', 'TRIM_HORIZON'], pages);
  assert.deepEqual([code, sent.length, out], [0, 2, `${HEAD} key 1\n${HEAD} key 2\n`]);
  assert.match(sent[1]?.url ?? '', /&waitMs=0$/);
});

test('records that came in one are told apart', async () => {
  const records = [0, 1].map((subSequenceNumber) => ({ ...record('x', 'k'), subSequenceNumber }));
  const { out } = await tail(['--json'], [{ records, next: 'n' }]);
  const numbers = out
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { subSequenceNumber: number }).subSequenceNumber);
  assert.deepEqual(numbers, [0, 1]);
});

test('what the disk lost is said beside what it holds', async () => {
  const damaged = [{ shardId: 'shardId-0', from: '5', next: '9' }];
  const { out, err } = await tail([], [{ records: [record('x')], next: 'n', damaged }]);
  assert.equal(out, `${HEAD} key x\n`);
  assert.equal(
    err,
    'millrace: records of shardId-0 from 5 up to 9 cannot be read: the disk does not hold what was written. ' +
      'What follows is printed.\n',
  );
});

test('a stream that is not there', async () => {
  const message = 'Stream a under account 000000000000 not found.';
  const replies = {
    'GET /admin/streams/a/records': () => refused(400, { error: 'ResourceNotFoundException', message }),
  };
  const { code, err } = await millrace(['tail', 'a'], { replies });
  assert.deepEqual([code, err], [1, `millrace: ${message}\n`]);
});

test('a page is asked for when the one before was taken', async () => {
  const told: string[] = [];
  const reply = (): unknown => {
    told.push('asked');
    return { records: [record('data')], next: 'n', atEnd: told.length > 5, damaged: [] };
  };
  await millrace(['tail', 'a', '--no-follow'], {
    replies: { 'GET /admin/streams/a/records': reply },
    out: () => void told.push('written'),
    taken: async () => {
      await new Promise((resolve) => void setImmediate(resolve));
      told.push('taken');
    },
  });
  const page = ['asked', 'written', 'taken'];
  assert.deepEqual(told, [...page, ...page, ...page]);
});
