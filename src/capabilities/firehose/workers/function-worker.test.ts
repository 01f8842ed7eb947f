import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThrottleError } from '../../../kernel/errors.ts';
import { base64, Bench, FakeFunctions, textsOf, type Answer, type FakeHandler } from '../harness.fixture.ts';

const KINESIS = 'Kinesis_20131202';

interface Given {
  readonly handler?: FakeHandler;
  readonly options?: object;
  readonly shards?: number;
}

class Scene {
  readonly bench = new Bench();
  readonly functions: FakeFunctions;
  readonly #given: Given;

  constructor(given: Given) {
    this.#given = given;
    this.functions = new FakeFunctions({ f: given.handler ?? (() => undefined) });
  }

  async open(): Promise<this> {
    await this.bench.open(this.sections(), this.functions);
    return this;
  }

  sections(options: object = {}): Readonly<Record<string, unknown>> {
    const target = { name: 'f', ...this.#given.options, ...options };
    return {
      streams: { events: { ShardCount: this.#given.shards ?? 1 }, failures: {} },
      deliveries: { d: { from: 'events', function: target } },
    };
  }

  async reload(options: object): Promise<void> {
    await this.bench.simulation.drive(this.bench.node.reload(this.sections(options)));
  }

  async crash(): Promise<void> {
    this.bench.simulation.crash();
    this.bench.simulation.restart();
    await this.open();
  }

  async put(...texts: readonly string[]): Promise<void> {
    const Records = texts.map((text) => ({ PartitionKey: 'k', Data: base64(text) }));
    await this.bench.call(`${KINESIS}.PutRecords`, { StreamName: 'events', Records });
  }

  async kinesis(action: string, input: object): Promise<Answer> {
    return await this.bench.call(`${KINESIS}.${action}`, { StreamName: 'events', ...input });
  }

  async pass(ms: number): Promise<void> {
    await this.bench.simulation.pass(ms);
  }

  async status(): Promise<Answer> {
    return await this.bench.admin('GET', '/admin/deliveries/{name}', { name: 'd' });
  }

  async failures(): Promise<readonly Answer[]> {
    const StreamName = 'failures';
    const { Shards } = await this.kinesis('ListShards', { StreamName });
    const found: Answer[] = [];
    for (const shard of Shards as readonly { ShardId: string }[]) {
      const input = { StreamName, ShardId: shard.ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      const { ShardIterator } = await this.kinesis('GetShardIterator', input);
      const { Records } = await this.bench.call(`${KINESIS}.GetRecords`, { ShardIterator });
      for (const { Data } of Records) found.push(JSON.parse(Buffer.from(Data, 'base64').toString()));
    }
    return found;
  }

  logged(event: string): readonly Readonly<Record<string, unknown>>[] {
    return this.bench.simulation.logged.filter((line) => line.event === event).map(({ fields }) => fields);
  }
}

function fails(): never {
  throw new TypeError('no such thing');
}

/** Fails for every event that holds the text. */
function poisoned(text: string): FakeHandler {
  return (event) => (textsOf(event).includes(text) ? fails() : undefined);
}

test('an event has the form of Lambda for Kinesis, and comes without a wait', async () => {
  const scene = await new Scene({}).open();
  await scene.pass(5000);
  await scene.put('a', 'b');
  await scene.pass(20);
  assert.deepEqual(scene.functions.seen, ['a b']);
  const [{ kinesis, ...rest }] = scene.functions.events[0].Records;
  const { sequenceNumber } = kinesis;
  assert.equal(typeof kinesis.approximateArrivalTimestamp, 'number');
  assert.deepEqual(kinesis, {
    kinesisSchemaVersion: '1.0',
    partitionKey: 'k',
    sequenceNumber,
    data: base64('a'),
    approximateArrivalTimestamp: kinesis.approximateArrivalTimestamp,
  });
  assert.deepEqual(rest, {
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `shardId-000000000000:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::000000000000:role/millrace',
    awsRegion: 'us-east-1',
    eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
  });
});

test('an event has the form of SQS: the data as body, bytes that are no text in base64', async () => {
  const scene = await new Scene({ options: { event: 'sqs' } }).open();
  await scene.put('{"a":1}');
  const Data = Buffer.from([0xff, 0xfe]).toString('base64');
  await scene.kinesis('PutRecord', { PartitionKey: 'k', Data });
  const again = {
    partitionKey: 'k',
    data: Buffer.from('c'),
    headers: [['redelivery-of', Buffer.from('r-1')] as const],
  };
  await scene.bench.simulation.drive(scene.bench.node.records.append('events', [again]));
  await scene.pass(100);
  const [first, second, third] = scene.functions.events.flatMap(({ Records }) => Records);
  assert.equal(first.body, '{"a":1}');
  assert.equal(first.md5OfBody, 'bb6cb5c68df4652941caf652a366f2d8');
  assert.match(first.messageId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual([first.eventSource, first.eventSourceARN], ['aws:sqs', 'arn:aws:sqs:us-east-1:000000000000:events']);
  assert.deepEqual([first.attributes.ApproximateReceiveCount, first.attributes.MessageGroupId], ['1', 'k']);
  assert.deepEqual([second.body, second.messageAttributes.encoding.stringValue], [Data, 'base64']);
  assert.deepEqual([third.body, third.messageAttributes['redelivery-of'].stringValue], ['c', 'r-1']);
  assert.deepEqual(first.messageAttributes, {});
});

test('events are cut by number and by size; a record that fits into none is given up', async () => {
  const scene = await new Scene({ options: { batchSize: 3, onFailure: 'failures' } }).open();
  await scene.put('a', 'b', 'c', 'd');
  await scene.pass(100);
  assert.deepEqual(scene.functions.seen, ['a b c', 'd']);
  const large = 'x'.repeat(1_000_000);
  await scene.put(large, large, large);
  await scene.put(large, large, 'e');
  await scene.pass(100);
  const counts = scene.functions.events.slice(2).map(({ Records }) => Records.length);
  assert.deepEqual(counts, [3, 3]);
  await scene.reload({ batchSize: 10_000, event: 'sqs' });
  // Escaped, each is six times as large.
  const controls = '\u0001'.repeat(1_000_000);
  await scene.put(controls, 'f', controls);
  await scene.pass(100);
  assert.deepEqual(scene.functions.seen.slice(4).map(({ length }) => length), [1_000_002, 1_000_000]);
  assert.deepEqual(await scene.failures(), []);
  const giant = '\u0001'.repeat(1_048_570);
  await scene.put('g', giant, 'h');
  await scene.pass(100);
  assert.deepEqual(scene.functions.seen.slice(6).map((text) => text.slice(0, 9)), ['g', 'h']);
  const [document] = await scene.failures();
  assert.equal(document.requestContext.condition, 'PayloadSizeExceeded');
}); // prettier-ignore

test('a window gathers records until it is over, full, or flushed', async () => {
  const scene = await new Scene({ options: { batchWindowSeconds: 10, batchSize: 3 } }).open();
  await scene.put('a');
  await scene.pass(9000);
  await scene.put('b');
  assert.deepEqual(scene.functions.seen, []);
  await scene.pass(1500);
  assert.deepEqual(scene.functions.seen, ['a b']);
  await scene.put('c', 'd', 'e', 'f');
  await scene.pass(300);
  assert.deepEqual(scene.functions.seen.slice(1), ['c d e']);
  assert.equal((await scene.bench.admin('POST', '/admin/deliveries/{name}/flush', { name: 'd' })).flushed, true);
  assert.deepEqual(scene.functions.seen.slice(2), ['f']);
});

test('what fails is tried again, later each time, and holds up what stands behind it', async () => {
  let left = 3;
  const scene = await new Scene({
    options: { batchSize: 1 },
    handler: () => (left-- > 0 ? fails() : undefined),
  }).open();
  await scene.put('a', 'b');
  await scene.pass(200);
  assert.deepEqual(scene.functions.seen, ['a']);
  assert.equal((await scene.status()).failure, 'function f: TypeError: no such thing');
  await scene.pass(30_000);
  assert.deepEqual(scene.functions.seen, ['a', 'a', 'a', 'a', 'b']);
  const { state, objectsDelivered, recordsDelivered, recordsWaiting } = await scene.status();
  assert.deepEqual([state, objectsDelivered, recordsDelivered, recordsWaiting], ['active', 2, 2, 0]);
});

test('after its retries a batch is given up, and a stream is told which', async () => {
  const options = { retries: 2, batchSize: 2, onFailure: 'failures' };
  const scene = await new Scene({ options, handler: poisoned('b') }).open();
  await scene.put('a', 'b', 'c');
  await scene.pass(60_000);
  assert.deepEqual(scene.functions.seen, ['a b', 'a b', 'a b', 'c']);
  const [{ timestamp, KinesisBatchInfo: info, ...document }, ...others] = await scene.failures();
  assert.deepEqual(others, []);
  assert.ok(Date.parse(timestamp) > 0);
  assert.deepEqual(document, {
    requestContext: {
      requestId: 'call-3',
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 3,
    },
    responseContext: {
      statusCode: 200,
      executedVersion: '$LATEST',
      functionError: 'Unhandled',
      errorType: 'TypeError',
      errorMessage: 'no such thing',
    },
    version: '1.0',
    delivery: 'd',
  });
  const [first, second] = scene.functions.events[0].Records;
  assert.deepEqual(
    [info.shardId, info.startSequenceNumber, info.endSequenceNumber, info.batchSize, info.streamArn],
    [
      'shardId-000000000000',
      first.kinesis.sequenceNumber,
      second.kinesis.sequenceNumber,
      2,
      'arn:aws:kinesis:us-east-1:000000000000:stream/events',
    ],
  );
  const { recordsFailed, recordsDelivered, state } = await scene.status();
  assert.deepEqual([recordsFailed, recordsDelivered, state], [2, 1, 'active']);
});

test('without a stream for failures they are in the log; with one that is missing nothing is given up', async () => {
  const silent = await new Scene({ options: { retries: 0 }, handler: poisoned('a') }).open();
  await silent.put('a');
  await silent.pass(1000);
  assert.deepEqual(silent.logged('delivery.gave-up').map(({ records, reason }) => [records, reason]), [
    [1, 'RetryAttemptsExhausted'],
  ]);
  const missing = await new Scene({ options: { retries: 0, onFailure: 'later' }, handler: poisoned('a') }).open();
  await missing.put('a');
  await missing.pass(10_000);
  assert.deepEqual(missing.functions.seen, ['a'], 'it is not called again meanwhile');
  assert.match((await missing.status()).failure, /no stream later/);
  await missing.kinesis('CreateStream', { StreamName: 'later', ShardCount: 1 });
  await missing.pass(5000);
  assert.deepEqual([(await missing.status()).recordsFailed, missing.functions.seen], [1, ['a']]);
}); // prettier-ignore

test('bisected, one bad record is found, and the others arrive in order', async () => {
  const options = { bisectOnError: true, retries: 0, onFailure: 'failures' };
  const scene = await new Scene({ options, handler: poisoned('c') }).open();
  await scene.put('a', 'b', 'c', 'd', 'e');
  await scene.pass(1000);
  assert.deepEqual(scene.functions.seen, ['a b c d e', 'a b c', 'a b', 'c', 'd e']);
  const documents = await scene.failures();
  assert.deepEqual(documents.map(({ KinesisBatchInfo }) => KinesisBatchInfo.batchSize), [1]);
  assert.equal(documents[0].requestContext.approximateInvokeCount, 3);
}); // prettier-ignore

test('a batch comes again from the first record that the function names', async () => {
  const name = (event: Answer, text: string): string[] => {
    const found = event.Records.filter((record: Answer) => textsOf({ Records: [record] }) === text);
    return found.map(({ messageId, kinesis }: Answer) => messageId ?? kinesis.sequenceNumber);
  };
  for (const form of ['kinesis', 'sqs']) {
    let isFirst = true;
    const handler: FakeHandler = (event) => {
      const itemIdentifiers = isFirst ? [...name(event, 'd'), ...name(event, 'c')] : [];
      isFirst = false;
      return { batchItemFailures: itemIdentifiers.map((itemIdentifier) => ({ itemIdentifier })) };
    };
    const scene = await new Scene({ options: { event: form }, handler }).open();
    await scene.put('a', 'b', 'c', 'd');
    await scene.pass(5000);
    assert.deepEqual(scene.functions.seen, ['a b c d', 'c d'], form);
    assert.equal((await scene.status()).recordsDelivered, 4);
  }
});

test('records that are too old are given up without a call', async () => {
  let isBroken = true;
  const options = { maximumRecordAgeSeconds: 60, onFailure: 'failures' };
  const scene = await new Scene({ options, handler: () => (isBroken ? fails() : undefined) }).open();
  await scene.put('a');
  await scene.pass(40_000);
  await scene.put('b');
  await scene.pass(50_000);
  isBroken = false;
  await scene.pass(30_000);
  assert.equal(scene.functions.seen.at(-1), 'b');
  const [document] = await scene.failures();
  assert.deepEqual([document.requestContext.condition, document.KinesisBatchInfo.batchSize], ['RecordAgeExceeded', 1]);
});

test('a function that is missing or busy is waited for, and shown', async () => {
  const scene = await new Scene({ options: { name: 'g', retries: 0 } }).open();
  await scene.put('a');
  await scene.pass(10_000);
  assert.deepEqual(scene.functions.seen, []);
  assert.deepEqual(
    [(await scene.status()).state, (await scene.status()).failure],
    ['retrying', 'there is no function g'],
  );
  assert.deepEqual(scene.bench.node.health().problems, ['delivery d: there is no function g']);
  assert.equal(scene.logged('delivery.failed').length, 1);
  let busy = 2;
  scene.functions.handlers['g'] = () => {
    busy -= 1;
    if (busy >= 0) throw new ThrottleError('TooManyRequestsException', 'Rate Exceeded.');
  };
  await scene.pass(5000);
  assert.deepEqual(scene.functions.seen, ['a', 'a', 'a']);
  assert.deepEqual(scene.bench.node.health().problems, []);
});

test('a power cut in the middle of a call repeats its event, and nothing before it', async () => {
  let isHanging = false;
  const scene = new Scene({ handler: async () => await (isHanging ? new Promise(() => undefined) : undefined) });
  await scene.open();
  await scene.put('a');
  await scene.pass(1000);
  isHanging = true;
  await scene.put('b');
  await scene.pass(1000);
  isHanging = false;
  await scene.crash();
  await scene.pass(1000);
  assert.deepEqual(scene.functions.seen, ['a', 'b', 'b']);
});

test('a drain waits for the call that runs; one that takes longer is ended, and its event comes again', async () => {
  for (const [takesMs, after] of [
    [500, ['a']],
    [5000, ['a', 'a']],
  ] as const) {
    let isSlow = true;
    const scene: Scene = new Scene({
      options: { retries: 0 },
      handler: async (_event, signal) => {
        await scene.bench.simulation.environment.clock.sleep(isSlow ? takesMs : 0, signal);
        if (signal?.aborted === true) fails();
      },
    });
    await scene.open();
    await scene.put('a');
    await scene.pass(10);
    await scene.bench.close();
    isSlow = false;
    await scene.open();
    await scene.pass(3000);
    assert.deepEqual(scene.functions.seen, after, String(takesMs));
    assert.equal((await scene.status()).recordsFailed, 0);
  }
});

test('children of a shard wait for its end; shards that have nothing in common do not wait', async () => {
  let isStuck = true;
  const handler: FakeHandler = (event) => (isStuck && textsOf(event).startsWith('a') ? fails() : undefined);
  const scene = await new Scene({ handler, options: { batchSize: 2 } }).open();
  await scene.put('a', 'b', 'c');
  const NewStartingHashKey = (2n ** 127n).toString();
  await scene.kinesis('SplitShard', { ShardToSplit: 'shardId-000000000000', NewStartingHashKey });
  await scene.pass(5000);
  for (const [hash, text] of [['0', 'low'], [NewStartingHashKey, 'high']]) {
    await scene.kinesis('PutRecord', { PartitionKey: 'k', ExplicitHashKey: hash, Data: base64(text ?? '') });
  }
  await scene.pass(5000);
  assert.deepEqual([...new Set(scene.functions.seen)], ['a b']);
  isStuck = false;
  await scene.pass(60_000);
  assert.deepEqual([...new Set(scene.functions.seen)].sort(), ['a b', 'c', 'high', 'low']);
  assert.ok(scene.functions.seen.indexOf('c') < scene.functions.seen.indexOf('low'));
  const [left, right] = ['shardId-000000000001', 'shardId-000000000002'];
  await scene.kinesis('MergeShards', { ShardToMerge: left, AdjacentShardToMerge: right });
  await scene.pass(5000);
  await scene.put('d');
  await scene.pass(2000);
  assert.equal(scene.functions.seen.at(-1), 'd');
}); // prettier-ignore

test('what retention or the end of the stream takes is counted, and the function goes on', async () => {
  let isBroken = true;
  const scene = await new Scene({ handler: () => (isBroken ? fails() : undefined) }).open();
  await scene.put('a', 'b');
  scene.bench.simulation.stepClock(25 * 3_600_000);
  isBroken = false;
  await scene.put('c');
  await scene.pass(120_000);
  assert.equal(scene.functions.seen.at(-1), 'c');
  const lost = (): unknown[] =>
    scene.logged('delivery.retention-exceeded').map(({ records, error }) => [records, error]);
  assert.deepEqual(lost(), [[2, 'RetentionExceeded']]);
  isBroken = true;
  await scene.put('d');
  await scene.pass(1000);
  await scene.kinesis('DeleteStream', {});
  await scene.pass(1000);
  await scene.kinesis('CreateStream', { ShardCount: 2 });
  isBroken = false;
  await scene.pass(100_000);
  await scene.put('e');
  await scene.pass(2000);
  assert.equal(scene.functions.seen.at(-1), 'e');
  assert.deepEqual(lost()[1], [1, 'StreamDeleted']);
});

test('changed options hold for the next call', async () => {
  const scene = await new Scene({ handler: fails }).open();
  scene.functions.handlers['fixed'] = () => undefined;
  await scene.put('a');
  await scene.pass(60_000);
  const before = scene.functions.seen.length;
  await scene.reload({ name: 'fixed' });
  await scene.pass(100);
  assert.equal(scene.functions.seen.length, before + 1);
  assert.equal((await scene.status()).recordsDelivered, 1);
  assert.equal((await scene.status()).function, 'fixed');
});

test('what a function delivery cannot be is refused', async () => {
  const table: readonly (readonly [delivery: object, message: RegExp])[] = [
    [{ function: { name: 'f' } }, /needs `from`/],
    [{ from: 's', function: { name: 'f', onFailure: 's' } }, /onFailure is the stream it reads/],
    [{ from: 's', function: { name: 'f', onFailure: '$audit' } }, /stream of millrace itself/],
    [{ from: 's', function: { name: 'f', maximumRecordAgeSeconds: 5 } }, /from 60 to 604800/],
  ];
  const bench = await new Bench().open();
  for (const [delivery, message] of table) {
    await assert.rejects(bench.simulation.drive(bench.node.reload({ deliveries: { d: delivery } })), message);
  }
});
