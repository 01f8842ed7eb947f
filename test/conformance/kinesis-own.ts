import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seal } from './sealed.ts';
import { ok, refuses, violation, withStream, type Subject } from './subject.ts';

const NAME_PATTERN = 'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+';

/** Where millrace says more than AWS does, or takes more. */
export function kinesisOwnConformance(subject: Subject): void {
  describe('kinesis: what is our own', () => {
    test('any region and account of an ARN finds the local stream by its name', async () => await byArn(subject));
    test('a header names the type of an error', async () => {
      await refuses(subject.kinesis('MakeStream', {}), 'UnknownOperationException');
    });
    test('actions that are not built say so', async () => {
      const sentence = 'Queues are not built yet: CreateQueue does nothing.';
      await refuses(subject.kinesis('CreateQueue', {}), 'UnknownOperationException', sentence);
    });
    test('an iterator does not outlive its stream', async () => await deleted(subject));
    test('internal streams are invisible', async () => await invisible(subject));
    test('an iterator of five minutes ago has expired', async (context) => {
      // An iterator as this node would have made it then.
      if (subject.node === undefined) return context.skip('the format is that of this node');
      await withStream(subject, 1, async (name) => {
        const old = { s: name, g: 1, o: 0, f: '0', t: Date.now() - 300_001 };
        const expired = subject.kinesis('GetRecords', { ShardIterator: seal('iterator', JSON.stringify(old)) });
        const sentence = /^Iterator expired\. The iterator was created at time .* UTC /;
        await refuses(expired, 'ExpiredIteratorException', sentence);
      });
    });
  });
}

async function byArn(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    const foreign = `arn:aws:kinesis:eu-central-1:123456789012:stream/${name}`;
    const own = await ok<{ StreamDescription: { StreamARN: string } }>(
      subject.kinesis('DescribeStream', { StreamName: name }),
    );
    for (const address of [{ StreamARN: foreign }, { StreamARN: foreign, StreamName: name }]) {
      assert.deepEqual(await ok(subject.kinesis('DescribeStream', address)), own);
    }
    await ok(subject.kinesis('PutRecord', { StreamARN: foreign, Data: 'YQ==', PartitionKey: 'a' }));
  });
}

async function deleted(subject: Subject): Promise<void> {
  await withStream(subject, 1, async (name) => {
    const start = { StreamName: name, ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
    const { ShardIterator } = await ok(subject.kinesis('GetShardIterator', start));
    await ok(subject.kinesis('DeleteStream', { StreamName: name }));
    await refuses(subject.kinesis('GetRecords', { ShardIterator }), 'ResourceNotFoundException', /not found\.$/);
    await ok(subject.kinesis('CreateStream', { StreamName: name, ShardCount: 1 }));
    await refuses(subject.kinesis('GetRecords', { ShardIterator }), 'ResourceNotFoundException', /./);
  });
}

async function invisible(subject: Subject): Promise<void> {
  const { StreamNames } = await ok<{ StreamNames: readonly string[] }>(subject.kinesis('ListStreams', {}));
  assert.ok(!StreamNames.some((name) => name.startsWith('$')));
  const sentence = violation('$catalog', 'streamName', NAME_PATTERN);
  await refuses(subject.kinesis('DescribeStream', { StreamName: '$catalog' }), 'ValidationException', sentence);
}
