import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryError } from '../../../kernel/errors.ts';
import { FakeDestination } from '../../../testing/fake-destination.ts';
import { base64, Bench, toBucket } from '../harness.fixture.ts';

test('PutRecord: what was answered is delivered, verbatim and in order, also an empty record', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket() } });
  for (const text of ['one', '', 'two']) {
    const answer = await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64(text) } });
    assert.deepEqual(Object.keys(answer).sort(), ['Encrypted', 'RecordId']);
    assert.equal(answer.Encrypted, false);
  }
  await bench.simulation.pass(7000);
  const [[key, content] = []] = await bench.objects('archive');
  assert.equal(String(content), 'onetwo');
  assert.match(
    key ?? '',
    /^2026\/01\/01\/00\/d-1-2026-01-01-00-00-\d\d-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

test('PutRecord is refused where records come from a stream, and beyond 1,024,000 bytes', async () => {
  const bench = await new Bench().open({
    streams: { events: {} },
    deliveries: { d: toBucket(), s: { from: 'events', ...toBucket() } },
  });
  const put = async (name: string, bytes: number): Promise<string> =>
    await bench.refusal('PutRecord', {
      DeliveryStreamName: name,
      Record: { Data: Buffer.alloc(bytes).toString('base64') },
    });
  assert.equal(
    await put('s', 1),
    'InvalidArgumentException: This operation is not permitted on KinesisStreamAsSource delivery stream type.',
  );
  assert.match(await put('d', 1_024_001), /^ValidationException: .*'record\.data'.*less than or equal to 1024000/);
  await bench.call('PutRecord', {
    DeliveryStreamName: 'd',
    Record: { Data: Buffer.alloc(1_024_000).toString('base64') },
  });
});

test('a delivery whose destination is not built takes nothing and is shown as paused', async () => {
  const bench = await new Bench().open({
    deliveries: { later: { series: { table: 'x' } } },
  });
  assert.equal(
    await bench.refusal('PutRecord', { DeliveryStreamName: 'later', Record: { Data: '' } }),
    'ServiceUnavailableException: later is paused: its destination is not built yet.',
  );
  const { deliveries } = await bench.admin('GET', '/admin/deliveries');
  assert.equal(deliveries[0].state, 'paused: not built');
  assert.deepEqual(bench.node.health(), { ok: true, problems: [] });
});

test('at the bound of the disk puts are refused, nothing stored is dropped, and they go on when it was delivered', async () => {
  let isUp = false;
  const fake = new FakeDestination(() => {
    if (!isUp) throw new DeliveryError('Fake.Down', 'not now', true);
    return [];
  });
  const MIB = 1024 * 1024;
  const log = { diskBytesMax: 12 * MIB, segmentBytesMax: MIB };
  const deliveries = { d: { fake: { S3Configuration: { BucketARN: 'failed' }, RetrySeconds: 7200 } } };
  const bench = await new Bench(1, { destinations: [fake.kind], log }).open({ deliveries });
  const input = (index: number): object => {
    const Data = Buffer.from(`${index}`.padEnd(500_000)).toString('base64');
    return { DeliveryStreamName: 'd', Record: { Data } };
  };
  const put = async (index: number): Promise<string | undefined> =>
    await bench.refusal('PutRecord', input(index)).catch(() => undefined);
  let stored = 0;
  let refusal: string | undefined;
  while (refusal === undefined && stored < 100) {
    refusal = await put(stored);
    if (refusal === undefined) stored += 1;
    await bench.simulation.pass(100);
  }
  assert.equal(refusal, 'ServiceUnavailableException: Slow down.');
  assert.ok(stored > 10, String(stored));
  isUp = true;
  await bench.simulation.pass(300_000);
  assert.equal(await put(stored), undefined);
  await bench.simulation.pass(10_000);
  const arrived = [...new Set(fake.arrived.map((text) => text.trim()))];
  assert.deepEqual(
    arrived,
    Array.from({ length: stored + 1 }, (_, index) => `${index}`),
  );
});
