import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FACTS, millrace } from './cli.fixture.ts';

const VALUE = {
  destination: 'ExtendedS3DestinationConfiguration',
  place: 'raw/d-1.gz',
  failedPlace: 'failed/d-1',
  refusedPlace: 'refused/d-1',
  bytes: 2,
  records: [{ result: 'Ok', text: 'a!' }, { result: 'Dropped' }, { result: 'ProcessingFailed', code: 'Lambda.X' }],
};

test('preview shows what would become of records', async () => {
  const replies = { 'POST /admin/deliveries/d/preview': () => VALUE };
  const readFile = async (): Promise<Uint8Array> => Buffer.from('a\nb\n');
  const { code, out, sent } = await millrace(['preview', 'd', '--event', 'sample.json', '--lines'], {
    replies,
    readFile,
  });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(String(sent[0]?.body)), { records: [{ data: 'YQ==' }, { data: 'Yg==' }] });
  assert.equal(
    out,
    [
      'destination      ExtendedS3DestinationConfiguration',
      'place            raw/d-1.gz',
      'what failed      failed/d-1',
      'what is refused  refused/d-1',
      'bytes            2',
      '',
      'RECORD  RESULT            DATA  ALSO',
      '0       Ok                a!',
      '1       Dropped',
      '2       ProcessingFailed        {"code":"Lambda.X"}',
      '',
    ].join('\n'),
  );
  const json = await millrace(['preview', 'd', '--event', 'sample.json', '--json'], { replies, readFile });
  assert.deepEqual(JSON.parse(json.out), VALUE);
});

test('a sample of several lines, or with what a terminal would obey, stays on its line of the table', async () => {
  const records = [
    { result: 'Ok', text: '{\n\t"a": 1\r\n}' },
    { result: 'Ok', text: '\u001b[2J\u009b\u2028é' },
  ];
  const replies = { 'POST /admin/deliveries/d/preview': () => ({ destination: 'd', place: 'p', bytes: 2, records }) };
  const readFile = async (): Promise<Uint8Array> => Buffer.from('a');
  const { out } = await millrace(['preview', 'd', '--event', 'sample.json'], { replies, readFile });
  assert.deepEqual(out.split('\n').slice(-4), [
    'RECORD  RESULT  DATA                    ALSO',
    '0       Ok      {\\n\\t"a": 1\\r\\n}',
    '1       Ok      \\u001b[2J\\u009b\\u2028é',
    '',
  ]);
});

test('the sample is a file, or else a saved event of that name', async () => {
  const files: Readonly<Record<string, string>> = { sample: 'of the file', '/config/events/ping.json': 'of the event' };
  const readFile = async (path: string): Promise<Uint8Array> => {
    const text = files[path];
    if (text === undefined) throw new Error('ENOENT');
    return Buffer.from(text);
  };
  const replies = {
    'POST /admin/deliveries/d/preview': () => VALUE,
    'GET /admin/node': () => FACTS,
  };
  for (const [event, text] of [
    ['sample', 'of the file'],
    ['ping', 'of the event'],
  ] as const) {
    const { sent } = await millrace(['preview', 'd', '--event', event], { replies, readFile });
    const { records } = JSON.parse(String(sent.at(-1)?.body)) as { records: readonly { data: string }[] };
    assert.equal(Buffer.from(records[0]?.data ?? '', 'base64').toString(), text);
  }
  for (const [event, said] of [
    ['pong', /no file pong, and no saved event \/config\/events\/pong\.json/],
    ['a/b', /no file a\/b/],
  ] as const) {
    const { code, err } = await millrace(['preview', 'd', '--event', event], { replies, readFile });
    assert.equal(code, 2);
    assert.match(err, said);
  }
});
