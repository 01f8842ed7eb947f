import assert from 'node:assert/strict';
import { check, onStream, type Area, type Check } from '../check.ts';
import { base64, shard, type Endpoint } from '../endpoint.ts';

/** The answer to malformed input is a 400 with an AWS type, and the endpoint is still there. */
function survives(what: string, input: (name: string) => readonly [action: string, input: object]): Check {
  return onStream(`${what} is a 400, and nothing else comes of it`, 'hostile', 1, async (endpoint, { name }) => {
    const { status, body, text } = await endpoint.send(...input(name));
    assert.equal(status, 400, text.slice(0, 300));
    assert.match(String(body['__type']), /Exception$/);
    await stillThere(endpoint);
  });
}

async function stillThere(endpoint: Endpoint): Promise<void> {
  await endpoint.ok('ListStreams', { Limit: 1 });
}

/** What a hostile or broken client sends. */
export const hostile: Area = {
  title: 'malformed input',
  checks: [
    survives('MaxResults 0', (name) => ['ListShards', { StreamName: name, MaxResults: 0 }]),
    survives('a hash key that is no number', (name) => [
      'PutRecord',
      { StreamName: name, Data: '', PartitionKey: 'k', ExplicitHashKey: 'x' },
    ]),
    survives('data that are no base64', (name) => ['PutRecord', { StreamName: name, Data: '!', PartitionKey: 'k' }]),
    survives('an iterator of the right form', () => ['GetRecords', { ShardIterator: base64(Buffer.alloc(64, 7)) }]),
    survives('a sequence number of 129 digits', (name) => [
      'GetShardIterator',
      {
        StreamName: name,
        ShardId: shard(0),
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        StartingSequenceNumber: '9'.repeat(129),
      },
    ]),
    survives('a stream name that is an object', () => ['DescribeStream', { StreamName: { a: 1 } }]),
    survives('records that are no list', (name) => ['PutRecords', { StreamName: name, Records: 'x' }]),
    survives('a timestamp that is a text', (name) => [
      'GetShardIterator',
      { StreamName: name, ShardId: shard(0), ShardIteratorType: 'AT_TIMESTAMP', Timestamp: 'noon' },
    ]),
    check('a body that is no object is a 400', async (endpoint) => {
      for (const body of ['[]', '5', '"x"', '{"StreamName":"a"', '\u0000']) {
        const { status, text } = await endpoint.raw('DescribeStream', body);
        assert.equal(status, 400, `${body}: ${text.slice(0, 200)}`);
      }
      await stillThere(endpoint);
    }),
    check('JSON of 10,000 levels is a 400', async (endpoint) => {
      const { status } = await endpoint.raw('ListStreams', `${'['.repeat(10_000)}${']'.repeat(10_000)}`);
      assert.equal(status, 400);
      await stillThere(endpoint);
    }),
    survives('a NextToken of ListStreams that is none', () => ['ListStreams', { NextToken: 'AAAAAAAAAAGarbage' }]),
    // Last: one of the peers ends at either.
    survives('a record that is null', (name) => ['PutRecords', { StreamName: name, Records: [null] }]),
    survives('a NextToken of ListShards that is none', () => ['ListShards', { NextToken: 'AAAAAAAAAAGarbage' }]),
  ],
};
