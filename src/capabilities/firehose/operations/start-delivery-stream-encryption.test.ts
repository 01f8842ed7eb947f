import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, Bench, toBucket, type Answer } from '../harness.fixture.ts';

const KEY = 'arn:aws:kms:us-east-1:000000000000:key/0b0b0b0b-1111-2222-3333-444444444444';
const CUSTOMER = { KeyType: 'CUSTOMER_MANAGED_CMK', KeyARN: KEY };

async function described(bench: Bench, name = 'd'): Promise<Answer> {
  const answer = await bench.call('DescribeDeliveryStream', { DeliveryStreamName: name });
  return answer.DeliveryStreamDescription.DeliveryStreamEncryptionConfiguration;
}

test('encryption is said of later records, with AWS’s key or the customer’s, and survives a power cut', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket() });
  const put = async (): Promise<unknown[]> => {
    const Record = { Data: base64('x') };
    const one = await bench.call('PutRecord', { DeliveryStreamName: 'd', Record });
    const batch = await bench.call('PutRecordBatch', { DeliveryStreamName: 'd', Records: [Record] });
    return [one.Encrypted, batch.Encrypted];
  };
  const start = async (given?: object): Promise<Answer> =>
    await bench.call('StartDeliveryStreamEncryption', {
      DeliveryStreamName: 'd',
      DeliveryStreamEncryptionConfigurationInput: given,
    });
  assert.deepEqual([await described(bench), await put()], [{ Status: 'DISABLED' }, [false, false]]);
  assert.deepEqual(await start(), {});
  assert.deepEqual(await described(bench), { KeyType: 'AWS_OWNED_CMK', Status: 'ENABLED' });
  await start(CUSTOMER);
  bench.simulation.crash();
  bench.simulation.restart();
  await bench.open();
  assert.deepEqual([await described(bench), await put()], [{ ...CUSTOMER, Status: 'ENABLED' }, [true, true]]);
  assert.deepEqual(await bench.call('StopDeliveryStreamEncryption', { DeliveryStreamName: 'd' }), {});
  assert.deepEqual([await described(bench), await put()], [{ Status: 'DISABLED' }, [false, false]]);
});

test('what StartDeliveryStreamEncryption refuses, and CreateDeliveryStream with it', async () => {
  const bench = await new Bench().open({
    streams: { events: {} },
    deliveries: { s: { from: 'events', ...toBucket() } },
  });
  await bench.call('CreateDeliveryStream', { DeliveryStreamName: 'd', ...toBucket() });
  assert.equal(await described(bench, 's'), undefined);
  const pair = 'InvalidArgumentException: KeyARN goes with KeyType CUSTOMER_MANAGED_CMK, and only with it.';
  const table: readonly (readonly [given: object, expected: string | RegExp])[] = [
    [{ KeyType: 'CUSTOMER_MANAGED_CMK' }, pair],
    [{ KeyType: 'AWS_OWNED_CMK', KeyARN: KEY }, pair],
    [{ KeyARN: KEY }, /^ValidationException: .*keyType' failed .* must not be null$/],
    [{ KeyType: 'KMS' }, /^ValidationException: .*keyType'.*\[AWS_OWNED_CMK, CUSTOMER_MANAGED_CMK\]$/],
    [{ ...CUSTOMER, KeyARN: KEY.replace(':key/', ':alias/') }, /^ValidationException: .*keyARN'.*pattern/],
  ];
  for (const [DeliveryStreamEncryptionConfigurationInput, expected] of table) {
    const input = { DeliveryStreamName: 'd', DeliveryStreamEncryptionConfigurationInput };
    const refusals = [
      await bench.refusal('StartDeliveryStreamEncryption', input),
      await bench.refusal('CreateDeliveryStream', { ...input, DeliveryStreamName: 'new', ...toBucket() }),
    ];
    for (const said of refusals) {
      if (typeof expected === 'string') assert.equal(said, expected);
      else assert.match(said, expected);
    }
  }
  const direct = 'only for delivery streams of type DirectPut, which s is not.';
  for (const action of ['StartDeliveryStreamEncryption', 'StopDeliveryStreamEncryption']) {
    const said = await bench.refusal(action, { DeliveryStreamName: 's' });
    assert.equal(said, `InvalidArgumentException: Server-side encryption is ${direct}`);
    assert.match(
      await bench.refusal(action, { DeliveryStreamName: 'none' }),
      /^ResourceNotFoundException: Firehose none/,
    );
  }
});

test('25 calls in 24 hours, both actions together', async () => {
  const bench = await new Bench().open();
  await bench.call('CreateDeliveryStream', {
    DeliveryStreamName: 'd',
    DeliveryStreamEncryptionConfigurationInput: CUSTOMER,
    ...toBucket(),
  });
  assert.deepEqual(await described(bench), { ...CUSTOMER, Status: 'ENABLED' });
  for (let call = 0; call < 25; call += 1) {
    const action = call % 2 === 0 ? 'StopDeliveryStreamEncryption' : 'StartDeliveryStreamEncryption';
    await bench.call(action, { DeliveryStreamName: 'd' });
  }
  const full = 'LimitExceededException: The encryption of d was changed 25 times within 24 hours.';
  for (const action of ['StopDeliveryStreamEncryption', 'StartDeliveryStreamEncryption']) {
    assert.equal(await bench.refusal(action, { DeliveryStreamName: 'd' }), full);
  }
  await bench.simulation.pass(24 * 3_600_000);
  await bench.call('StartDeliveryStreamEncryption', { DeliveryStreamName: 'd' });
});
