/**
 * Conformance by URL: what the Kinesis and Firehose actions and the webhook gateway answer, and what hostile input
 * cannot do. Starts a node of its own (`dist/main.js`) unless CONFORMANCE_API names one; then CONFORMANCE_GATEWAY and
 * CONFORMANCE_SECRET name its gateway and the secret of the route, else gateway checks are skipped.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { firehoseConformance } from './firehose.ts';
import { firehoseRefusalsConformance } from './firehose-refusals.ts';
import { fuzzConformance } from './fuzz.ts';
import { gatewayConformance } from './gateway.ts';
import { kinesisCborConformance } from './kinesis-cbor.ts';
import { kinesisConsumersConformance } from './kinesis-consumers.ts';
import { kinesisOwnConformance } from './kinesis-own.ts';
import { malformedConformance, SlowSenders } from './malformed.ts';
import { publishedConformance } from './published.ts';
import { signedConformance } from './signed.ts';
import { Subject } from './subject.ts';

const subject = new Subject();
const slow = new SlowSenders();
let stopped = false;

before(async () => {
  await subject.start();
  slow.begin(subject);
});

publishedConformance(subject);
// What somebody else runs has keys of its own.
if (process.env['CONFORMANCE_API'] === undefined) signedConformance();
kinesisOwnConformance(subject);
kinesisConsumersConformance(subject);
kinesisCborConformance(subject);
firehoseConformance(subject);
firehoseRefusalsConformance(subject);
gatewayConformance(subject);
malformedConformance(subject);
fuzzConformance(subject);
slow.conformance();

test('the process survived everything: ready, without a fault of its own, and it ends with exit code 0', async () => {
  assert.equal((await fetch(`${subject.api}/readyz`)).status, 200);
  assert.equal((await fetch(`${subject.api}/healthz`)).status, 200);
  const metrics = await (await fetch(`${subject.api}/metrics`)).text();
  assert.doesNotMatch(metrics, /^\w*(http_bugs|aws_failures)_total\b.* [1-9]/m);
  stopped = true;
  assert.equal(await subject.stop(), 0, subject.node?.output());
});

after(async () => {
  if (!stopped) await subject.stop();
});
