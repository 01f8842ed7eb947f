/**
 * The AWS SDK for JavaScript as an application would use it. Tells `ok WHAT` for each thing shown. With the argument
 * `tls` only the first checks; with `linger ARN` it subscribes, reads the first event and stays.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  paginateListStreamConsumers,
  paginateListStreams,
  PutRecordCommand,
  PutRecordsCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  waitUntilStreamNotExists,
} from '@aws-sdk/client-kinesis';
import { client, consumerOf, createStream, ok, subscribe, text, waiting } from './client.mjs';
import { followsTheTree } from './fan-out.mjs';

async function putsAndGets() {
  const summary = await createStream('plain', 1);
  assert.equal(client.config.requestHandler.metadata.handlerProtocol, 'h2');
  assert.ok(Math.abs(Date.now() - summary.StreamCreationTimestamp.getTime()) < 60_000);
  ok('HTTP/2, waitUntilStreamExists');
  const target = { StreamName: 'plain' };
  const bytes = Buffer.from([0, 255, 128, 10]);
  const put = await client.send(new PutRecordCommand({ ...target, PartitionKey: 'schlüssel', Data: bytes }));
  const many = Array.from({ length: 500 }, (_, index) => ({ PartitionKey: 'k', Data: Buffer.from(`record ${index}`) }));
  const batch = await client.send(new PutRecordsCommand({ ...target, Records: many }));
  assert.equal(batch.FailedRecordCount, 0);
  const from = { ...target, ShardId: put.ShardId, ShardIteratorType: 'TRIM_HORIZON' };
  let { ShardIterator } = await client.send(new GetShardIteratorCommand(from));
  const got = [];
  while (got.length < 501) {
    const { Records, NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 100 }));
    assert.ok(Records.length > 0 && Records.length <= 100);
    got.push(...Records);
    ShardIterator = NextShardIterator;
  }
  assert.deepEqual(Buffer.from(got[0].Data), bytes);
  assert.equal(got[0].PartitionKey, 'schlüssel');
  assert.ok(Math.abs(Date.now() - got[0].ApproximateArrivalTimestamp.getTime()) < 60_000);
  assert.deepEqual(
    got.map(({ SequenceNumber }) => SequenceNumber),
    [put, ...batch.Records].map(({ SequenceNumber }) => SequenceNumber),
  );
  assert.deepEqual(
    got.slice(1).map(({ Data }) => text(Data)),
    many.map(({ Data }) => text(Data)),
  );
  ok('PutRecord, PutRecords, GetRecords');
}

async function manyAtOnce() {
  const puts = Array.from({ length: 300 }, async (_, index) => {
    const Data = Buffer.from(`${index} ${'x'.repeat(index * 100)}`);
    return await client.send(new PutRecordCommand({ StreamName: 'plain', PartitionKey: `${index}`, Data }));
  });
  const numbers = (await Promise.all(puts)).map(({ SequenceNumber }) => SequenceNumber);
  assert.equal(new Set(numbers).size, 300);
  ok('300 puts at once over one connection');
}

async function pages() {
  for (let index = 0; index < 12; index += 1) {
    await client.send(new CreateStreamCommand({ StreamName: `page-${index}`, ShardCount: 1 }));
  }
  const streams = [];
  let count = 0;
  for await (const { StreamNames } of paginateListStreams({ client, pageSize: 5 }, {})) {
    streams.push(...StreamNames);
    count += 1;
  }
  const expected = ['plain', ...Array.from({ length: 12 }, (_, index) => `page-${index}`)].sort();
  assert.deepEqual(streams, expected);
  assert.equal(count, 3);
  const { StreamARN } = await createStream('watched', 1);
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) await consumerOf(StreamARN, name);
  const consumers = [];
  for await (const { Consumers } of paginateListStreamConsumers({ client, pageSize: 2 }, { StreamARN })) {
    assert.ok(Consumers.length <= 2);
    consumers.push(...Consumers.map(({ ConsumerName }) => ConsumerName));
  }
  assert.deepEqual(new Set(consumers), new Set(names));
  assert.equal(consumers.length, names.length);
  ok('paginateListStreams, paginateListStreamConsumers');
}

async function errors() {
  const missing = client.send(new PutRecordCommand({ StreamName: 'no', PartitionKey: 'k', Data: Buffer.from('x') }));
  await assert.rejects(missing, (error) => {
    assert.ok(error instanceof ResourceNotFoundException);
    assert.match(error.message, /^Stream no under account \d{12} not found\.$/);
    assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
    assert.equal(error.$metadata.attempts, 1);
    return true;
  });
  const again = client.send(new CreateStreamCommand({ StreamName: 'plain', ShardCount: 1 }));
  await assert.rejects(again, ResourceInUseException);
  const record = { StreamName: 'plain', PartitionKey: 'k'.repeat(257), Data: Buffer.from('x') };
  await assert.rejects(client.send(new PutRecordCommand(record)), { name: 'ValidationException' });
  ok('the error classes of the SDK');
}

async function subscriptions() {
  const { StreamARN } = await createStream('taken', 1);
  const consumer = await consumerOf(StreamARN, 'one');
  const shard = 'shardId-000000000000';
  const events = await subscribe(consumer, shard);
  await assert.rejects(subscribe(consumer, shard), ResourceInUseException);
  ok('a second subscription within five seconds is refused');
  const put = { StreamName: 'taken', PartitionKey: 'k' };
  const { SequenceNumber } = await client.send(new PutRecordCommand({ ...put, Data: Buffer.from('first') }));
  for await (const { SubscribeToShardEvent: event } of events) {
    if (event.Records.length === 0) continue;
    assert.equal(event.Records[0].SequenceNumber, SequenceNumber);
    break;
  }
  await client.send(new PutRecordCommand({ ...put, Data: Buffer.from('second') }));
  await sleep(5100);
  const after = await subscribe(consumer, shard, { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber });
  for await (const { SubscribeToShardEvent: event } of after) {
    if (event.Records.length === 0) continue;
    assert.deepEqual(
      event.Records.map(({ Data }) => text(Data)),
      ['second'],
    );
    break;
  }
  ok('who leaves goes on AFTER_SEQUENCE_NUMBER');
}

async function deletion() {
  await client.send(new DeleteStreamCommand({ StreamName: 'plain' }));
  await waitUntilStreamNotExists(waiting, { StreamName: 'plain' });
  ok('waitUntilStreamNotExists');
}

/** Reads the first event, tells so, and takes no other. */
async function linger(consumer) {
  const events = await subscribe(consumer, 'shardId-000000000000');
  for await (const { SubscribeToShardEvent: event } of events) {
    if (event.Records.length === 0) continue;
    process.stdout.write('reading\n');
    await sleep(600_000);
  }
}

const all = [putsAndGets, manyAtOnce, pages, errors, followsTheTree, subscriptions, deletion];
const [, , command, argument] = process.argv;
if (command === 'linger') await linger(argument);
else for (const check of command === 'tls' ? [putsAndGets, manyAtOnce, deletion] : all) await check();
client.destroy();
process.exit(0);
