import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../../kernel/errors.ts';
import { AdminBytes } from '../../ports/capability.ts';
import { base64, Bench, toBucket } from './harness.fixture.ts';

const OBJECT = '/admin/buckets/{bucket}/objects/{key+}';

test('objects are listed, and given as they are stored', async () => {
  const bench = await new Bench().open({ deliveries: { d: toBucket('archive', 1) } });
  await bench.call('PutRecord', { DeliveryStreamName: 'd', Record: { Data: base64('a record') } });
  await bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' });
  const { objects } = await bench.admin('GET', '/admin/buckets/{bucket}', { bucket: 'archive' });
  const [{ key, sizeBytes }] = objects;
  assert.equal(sizeBytes, 8);
  const answer = await bench.admin('GET', OBJECT, { bucket: 'archive', key });
  assert.ok(answer instanceof AdminBytes);
  const pieces: Uint8Array[] = [];
  const read = async (): Promise<void> => {
    for await (const piece of answer.pieces) pieces.push(piece);
  };
  await bench.simulation.drive(read());
  assert.equal(Buffer.concat(pieces).toString(), 'a record');
});

test('objects that are not there, and buckets that cannot be', async () => {
  const bench = await new Bench().open({});
  const refusal = async (bucket: string, key: string): Promise<unknown> => {
    const asked = bench.admin('GET', OBJECT, { bucket, key });
    return await asked.then(
      () => 'given',
      (error: unknown) => (error instanceof RequestError ? [error.status, error.code] : error),
    );
  };
  assert.deepEqual(await refusal('archive', 'a/b'), [404, 'NotFound']);
  assert.deepEqual(await refusal('..', 'a'), [400, 'BadRequest']);
  assert.deepEqual(await refusal('archive', 'x'.repeat(300)), [400, 'BadRequest']);
});
