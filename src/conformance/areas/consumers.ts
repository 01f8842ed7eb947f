import assert from 'node:assert/strict';
import { onStream, refusals, type Area, type Check } from '../check.ts';
import { pause, shard, type Endpoint, type Json, type MadeStream } from '../endpoint.ts';

const registered: readonly Check[] = [
  onStream(
    'a consumer is registered, described by ARN and by name, and counted',
    'reg',
    1,
    async (endpoint, stream) => {
      const described = await endpoint.consumer(stream.arn, 'c');
      const { ConsumerName, ConsumerARN, StreamARN } = described;
      assert.deepEqual([ConsumerName, StreamARN], ['c', stream.arn]);
      assert.match(ConsumerARN, /:stream\/\S+\/consumer\/c:\d{9,}$/);
      const byName = await endpoint.ok('DescribeStreamConsumer', { StreamARN, ConsumerName });
      assert.deepEqual(byName.ConsumerDescription, described);
      const summary = await endpoint.ok('DescribeStreamSummary', { StreamName: stream.name });
      assert.equal(summary.StreamDescriptionSummary.ConsumerCount, 1);
      const again = { StreamARN, ConsumerName };
      await endpoint.refuses('RegisterStreamConsumer', again, 'ResourceInUseException', /already exists/);
    },
  ),
  onStream('consumers are listed in pages', 'listed-consumers', 1, async (endpoint, { arn }) => {
    await endpoint.consumer(arn, 'c1');
    await endpoint.consumer(arn, 'c2');
    const first = await endpoint.ok('ListStreamConsumers', { StreamARN: arn, MaxResults: 1 });
    const rest = await endpoint.ok('ListStreamConsumers', { StreamARN: arn, NextToken: first.NextToken });
    const names = [...first.Consumers, ...rest.Consumers].map(({ ConsumerName }: Json) => ConsumerName);
    assert.deepEqual([first.Consumers.length, names], [1, ['c1', 'c2']]);
  }),
  onStream('a consumer that is deregistered is gone', 'dereg', 1, async (endpoint, { arn }) => {
    await endpoint.consumer(arn, 'c');
    const named = { StreamARN: arn, ConsumerName: 'c' };
    await endpoint.ok('DeregisterStreamConsumer', named);
    await endpoint.eventually(async () => {
      await endpoint.refuses('DescribeStreamConsumer', named, 'ResourceNotFoundException', /not found\.$/);
    });
  }),
  ...refusals('RegisterStreamConsumer', ({ arn }) => [
    [
      'a stream that is not there',
      { StreamARN: `${arn}x`, ConsumerName: 'c' },
      'ResourceNotFoundException',
      /not found\.$/,
    ],
    ['a name with a blank', { StreamARN: arn, ConsumerName: 'a b' }, 'ValidationException', /'consumerName'/],
  ]),
  ...refusals('DescribeStreamConsumer', ({ arn }) => [
    ['neither ARN nor name', {}, 'InvalidArgumentException|ValidationException', /ConsumerARN/],
    [
      'a consumer that is not there',
      { ConsumerARN: `${arn}/consumer/c:1` },
      'ResourceNotFoundException',
      /not found\.$/,
    ],
  ]),
];

/** The three records of a stream, and a consumer of it for one check. */
async function prepared(endpoint: Endpoint, { name, arn }: MadeStream, consumer: string): Promise<[string, Json[]]> {
  if ((await endpoint.read(name, 'TRIM_HORIZON')).Records.length === 0) {
    for (const text of ['0', '1', '2']) {
      await endpoint.put(name, text);
      await pause(5);
    }
  }
  const { Records } = await endpoint.read(name, 'TRIM_HORIZON');
  return [(await endpoint.consumer(arn, consumer)).ConsumerARN, Records];
}

function position(title: string, consumer: string, from: number, place: (records: Json[]) => object): Check {
  return onStream(`a subscription ${title}`, 'positions', 1, async (endpoint, stream) => {
    const [arn, records] = await prepared(endpoint, stream, consumer);
    const subscription = await endpoint.subscribe(arn, place(records));
    try {
      const all = records.map(({ Data }) => Buffer.from(Data, 'base64').toString());
      assert.deepEqual(await subscription.texts(all.length - from), all.slice(from));
    } finally {
      subscription.leave();
    }
  });
}

const at = (index: number, Type: string) => (records: Json[]) => ({
  Type,
  SequenceNumber: records[index].SequenceNumber,
});

const subscribed: readonly Check[] = [
  position('from TRIM_HORIZON has all records', 'horizon', 0, () => ({ Type: 'TRIM_HORIZON' })),
  position('AT_SEQUENCE_NUMBER begins with that record', 'at', 1, at(1, 'AT_SEQUENCE_NUMBER')),
  position('AFTER_SEQUENCE_NUMBER begins behind it', 'after', 2, at(1, 'AFTER_SEQUENCE_NUMBER')),
  position('AT_TIMESTAMP finds the millisecond', 'time', 1, (records) => ({
    Type: 'AT_TIMESTAMP',
    Timestamp: records[1].ApproximateArrivalTimestamp,
  })),
  onStream('a subscription from LATEST has what comes', 'latest-subscribed', 1, async (endpoint, stream) => {
    await endpoint.put(stream.name, 'before');
    const { ConsumerARN } = await endpoint.consumer(stream.arn, 'c');
    const subscription = await endpoint.subscribe(ConsumerARN, { Type: 'LATEST' });
    try {
      // The subscription stands once something was heard of it.
      const first = await subscription.next();
      assert.deepEqual(first?.body.Records, []);
      assert.equal(first?.body.MillisBehindLatest, 0);
      await endpoint.put(stream.name, 'new');
      assert.deepEqual(await subscription.texts(1), ['new']);
    } finally {
      subscription.leave();
    }
  }),
  onStream('a second subscription within five seconds is refused', 'second', 1, async (endpoint, stream) => {
    const { ConsumerARN } = await endpoint.consumer(stream.arn, 'c');
    const subscription = await endpoint.subscribe(ConsumerARN, { Type: 'LATEST' });
    try {
      const again = { ConsumerARN, ShardId: shard(0), StartingPosition: { Type: 'LATEST' } };
      await endpoint.refuses('SubscribeToShard', again, 'ResourceInUseException', /Another active subscription exists/);
    } finally {
      subscription.leave();
    }
  }),
  onStream('where one subscription came to another goes on', 'continued', 1, async (endpoint, stream) => {
    const [one, two] = [await endpoint.consumer(stream.arn, 'one'), await endpoint.consumer(stream.arn, 'two')];
    await endpoint.put(stream.name, 'a');
    const first = await endpoint.subscribe(one.ConsumerARN, { Type: 'TRIM_HORIZON' });
    const seen = await first.next();
    first.leave();
    assert.equal(seen?.body.Records.length, 1);
    await endpoint.put(stream.name, 'b');
    const SequenceNumber = seen?.body.ContinuationSequenceNumber;
    const second = await endpoint.subscribe(two.ConsumerARN, { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber });
    try {
      assert.deepEqual(await second.texts(1), ['b']);
    } finally {
      second.leave();
    }
  }),
  onStream(
    'at the end of a shard its children are named, and the stream ends',
    'ended',
    1,
    async (endpoint, stream) => {
      const { ConsumerARN } = await endpoint.consumer(stream.arn, 'c');
      const subscription = await endpoint.subscribe(ConsumerARN, { Type: 'TRIM_HORIZON' });
      try {
        await endpoint.put(stream.name, 'last');
        const split = { StreamName: stream.name, ShardToSplit: shard(0), NewStartingHashKey: String(2n ** 127n) };
        await endpoint.change('SplitShard', stream.name, split);
        assert.deepEqual(await subscription.texts(1), ['last']);
        const end = await subscription.news();
        const children = end?.body.ChildShards?.map(({ ShardId }: Json) => ShardId);
        assert.deepEqual(children, [shard(1), shard(2)]);
        assert.equal(await subscription.next(), undefined, 'nothing follows');
      } finally {
        subscription.leave();
      }
    },
  ),
  ...refusals('SubscribeToShard', ({ arn }) => {
    const to = (Type: string): object => ({
      ConsumerARN: `${arn}/consumer/c:1`,
      ShardId: shard(0),
      StartingPosition: { Type },
    });
    return [
      ['a consumer that is not there', to('LATEST'), 'ResourceNotFoundException', /not found\.$/],
      ['an unknown position', to('FIRST'), 'ValidationException', /'startingPosition\.type'/],
    ];
  }),
];

/** Consumers and what they are sent. */
export const consumers: Area = { title: 'consumers and fan-out', checks: [...registered, ...subscribed] };
