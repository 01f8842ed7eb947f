import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBench } from './harness.fixture.ts';
import { notBuilt } from './not-built.ts';

test('18 actions say that they are not built, whatever they are asked', async () => {
  const { refusal } = await openBench();
  assert.equal(notBuilt.length, 18);
  const said = new Map<string, string>();
  for (const operation of notBuilt) {
    const sentence = await refusal(operation, { StreamARN: 1, Anything: [null] });
    assert.equal(await refusal(operation, {}), sentence);
    said.set(operation.name, sentence);
  }
  const code = 'UnknownOperationException';
  assert.equal(said.get('CreateQueue'), `${code}: Queues are not built yet: CreateQueue does nothing.`);
  assert.equal(said.get('ListChannels'), `${code}: Channels are not built yet: ListChannels does nothing.`);
});
