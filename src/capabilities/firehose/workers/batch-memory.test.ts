import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeDestination } from '../../../testing/fake-destination.ts';
import { base64, Bench, type Answer } from '../harness.fixture.ts';
import { firehoseLimits } from '../limits.ts';

const { refusableRecordsMax, keptMessageCharactersMax } = firehoseLimits;
const S3Configuration = { BucketARN: 'failed', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 1 } };

/** Puts so many small records, numbered. */
async function putMany(bench: Bench, DeliveryStreamName: string, count: number): Promise<void> {
  for (let first = 0; first < count; first += 500) {
    const Records = Array.from({ length: Math.min(500, count - first) }, (_, at) => ({
      Data: base64(`${first + at}`),
    }));
    await bench.call('PutRecordBatch', { DeliveryStreamName, Records });
  }
}

test('of a large batch that is refused record by record each has its line, and only so much of the words is kept', async () => {
  const message = (text: string): string => `${text} is not wanted ${'here '.repeat(20)}`;
  const fake = new FakeDestination(({ records }) =>
    records.map(({ text }, index) => ({ index, code: 'Fake.No', message: message(text), retryable: false })),
  );
  const count = refusableRecordsMax + 400;
  const bench = await new Bench(1, { destinations: [fake.kind] }).open({
    deliveries: { d: { fake: { S3Configuration, BufferSeconds: 900 } } },
  });
  await bench.admin('POST', '/admin/deliveries/{name}/pause', { name: 'd' });
  await putMany(bench, 'd', count);
  await bench.admin('POST', '/admin/deliveries/{name}/resume', { name: 'd' });
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  assert.deepEqual(
    fake.attempts.map(({ records }) => records.length),
    [refusableRecordsMax, 400],
  );
  const objects = [...(await bench.objects('failed')).values()];
  const lines = objects.map((bytes) =>
    String(bytes)
      .trimEnd()
      .split('\n')
      .map((line): Answer => JSON.parse(line)),
  );
  const texts = lines.flat().map(({ rawData }) => Number(Buffer.from(rawData, 'base64').toString()));
  assert.deepEqual(
    texts.toSorted((one, other) => one - other),
    Array.from({ length: count }, (_, index) => index),
  );
  for (const of of lines) {
    const kept = new Set(of.map(({ errorMessage }) => errorMessage as string));
    const characters = [...kept].reduce((sum, { length }) => sum + length, 0);
    assert.ok(characters <= keptMessageCharactersMax, `${characters} characters`);
    assert.ok(of.every(({ errorMessage }) => errorMessage.includes(' is not wanted ')));
  }
  const { recordsFailed } = await bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  assert.equal(recordsFailed, count);
  const fate = await bench.admin('GET', '/admin/deliveries/{name}/records/{id}', {
    name: 'd',
    id: lines[0]?.[7].dataId.split('.')[0],
  });
  assert.equal(fate.state, 'failed');
  await bench.close();
});
