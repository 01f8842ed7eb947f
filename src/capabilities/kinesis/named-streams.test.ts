import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedStreams } from './named-streams.ts';
import { kinesis } from './index.ts';
import { sealOpaque } from './opaque.ts';

const IDENTITY = { region: 'us-east-1', account: '000000000000' };
const FRONT = 'arn:aws:kinesis:eu-west-1:123456789012:stream';

test('streams that an input names, in whatever member', () => {
  const own = 'arn:aws:kinesis:us-east-1:000000000000:stream';
  const table: readonly (readonly [input: Readonly<Record<string, unknown>>, arns: readonly string[]])[] = [
    [{}, []],
    [{ StreamName: 'a' }, ['a']],
    [{ StreamName: null }, []],
    [{ StreamName: 5 }, ['*']],
    [{ StreamName: '' }, ['*']],
    [{ StreamName: 'a'.repeat(129) }, ['*']],
    [{ StreamARN: `${FRONT}/a` }, ['a']],
    [{ StreamName: 'a', StreamARN: `${FRONT}/b` }, ['a', 'b']],
    [{ StreamARN: `${FRONT}/a/b` }, ['a/b']],
    [{ StreamARN: `${FRONT}/a:kinesis::000000000000:stream/b` }, ['b']],
    [{ StreamARN: `${FRONT}/${'a'.repeat(2048)}` }, ['*']],
    [{ ConsumerARN: `${FRONT}/a/consumer/c:1` }, ['a/consumer/c:1']],
    [{ ConsumerARN: `${FRONT}/a/consumer/x:stream/b/consumer/c:1` }, ['b/consumer/c:1']],
    [{ ConsumerARN: 'a' }, ['*']],
    [{ ResourceARN: `${FRONT}/a` }, ['a']],
    [{ ResourceARN: `${FRONT}/a/consumer/c:1` }, ['a/consumer/c:1']],
    [{ ResourceARN: `${FRONT}/a/consumer/c` }, ['*']],
    [{ ResourceARN: 'arn:aws:kinesis:us-east-1:000000000000:channel/a' }, ['*']],
    [{ StreamName: 'a', ShardIterator: sealOpaque('iterator', { s: 'b' }) }, ['a', 'b']],
    [{ ShardIterator: sealOpaque('streams', { s: 'b' }) }, ['*']],
    [{ ShardIterator: sealOpaque('iterator', { s: 5 }) }, ['*']],
    [{ ShardIterator: 'garbage' }, ['*']],
    [{ NextToken: sealOpaque('shards', { s: 'b' }) }, ['b']],
    [{ NextToken: sealOpaque('consumers', { s: 'b' }) }, ['b']],
    [{ NextToken: sealOpaque('streams', { after: 'b' }) }, ['*']],
    [{ StreamName: 'a', StreamId: 'abc' }, ['a', '*']],
  ];
  for (const [input, wanted] of table) {
    const found = namedStreams(input, IDENTITY);
    const arns = wanted.map((one) => (one === '*' ? one : `${own}/${one}`));
    assert.deepEqual(found.map(({ arn }) => arn), arns, JSON.stringify(input));
    const names = wanted.map((one) => one.replace(/^\*$|\/consumer\/.*$/, ''));
    assert.deepEqual(found.map(({ name }) => name), names, JSON.stringify(input));
  }
}); // prettier-ignore

test('members of 16 MiB are looked at in no time', () => {
  const many = ':kinesis:stream/a/consumer/b:1'.repeat(500_000);
  const begun = performance.now();
  for (const member of ['StreamARN', 'ConsumerARN', 'ResourceARN', 'ShardIterator', 'NextToken', 'StreamName']) {
    assert.equal(namedStreams({ [member]: `arn:aws${many}` }, IDENTITY)[0]?.name, '', member);
  }
  assert.ok(performance.now() - begun < 5000);
});

test('no action names a stream by a member that is not looked at', () => {
  const looked = new Set([
    'StreamName', 'StreamARN', 'StreamId', 'ShardIterator', 'NextToken', 'ConsumerARN', 'ResourceARN',
  ]); // prettier-ignore
  // What these name is inside of a stream, or of no stream.
  const others = new Set([
    'ConsumerName', 'ExclusiveStartStreamName', 'ExclusiveStartShardId', 'ShardId', 'ShardToMerge',
    'AdjacentShardToMerge', 'ShardToSplit', 'ExclusiveStartTagKey', 'KeyId',
  ]); // prettier-ignore
  const naming = /(Name|ARN|Arn|Id|Token|Iterator|Shard|ShardTo\w+)$/;
  for (const { name, input, isNotBuilt } of kinesis.operations) {
    if (isNotBuilt === true) continue;
    assert.equal(input.kind, 'struct', name);
    const members = input.kind === 'struct' ? Object.keys(input.members) : [];
    const unknown = members.filter((member) => naming.test(member) && !looked.has(member) && !others.has(member));
    assert.deepEqual(unknown, [], `${name}: look at it in named-streams.ts`);
  }
});
