import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millrace } from './cli.fixture.ts';

const VALUE = {
  destination: 'ExtendedS3DestinationConfiguration',
  place: 'raw/d-1.gz',
  failedPlace: 'failed/d-1',
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
      'destination  ExtendedS3DestinationConfiguration',
      'place        raw/d-1.gz',
      'what failed  failed/d-1',
      'bytes        2',
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
