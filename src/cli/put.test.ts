import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feed, millrace, refused, type Ended, type Parts, type Reply } from './cli.fixture.ts';

interface Batch {
  readonly StreamName: string;
  readonly Records: readonly { readonly Data: string; readonly PartitionKey: string }[];
}

/** A node that takes everything, and numbers it. */
function taking(): Reply {
  let count = 0;
  return ({ body }) => {
    const { Records } = JSON.parse(body.toString()) as Batch;
    return { Records: Records.map(() => ({ ShardId: 'shardId-0', SequenceNumber: String((count += 1)) })) };
  };
}

async function put(args: readonly string[], parts: Parts = {}, reply: Reply = taking()): Promise<Ended> {
  return await millrace(['put', ...args], { replies: { 'Kinesis_20131202.PutRecords': reply }, ...parts });
}

function batches({ sent }: Ended): readonly Batch[] {
  return sent.map(({ body }) => JSON.parse(body.toString()) as Batch);
}

/** `key=text` of each record of each request. */
function records(ended: Ended): readonly string[][] {
  return batches(ended).map(({ Records }) =>
    Records.map(({ Data, PartitionKey }) => `${PartitionKey}=${Buffer.from(Data, 'base64').toString()}`),
  );
}

test('one record: from the command line or a file', async () => {
  const plain = await put(['events', 'hällo']);
  assert.equal(plain.out, 'shardId-0 1\n');
  assert.deepEqual(records(plain), [['id-1=hällo']]);
  assert.equal(batches(plain)[0]?.StreamName, 'events');
  const { headers, url } = plain.sent[0] ?? assert.fail();
  assert.equal(url, 'http://127.0.0.1:4567/');
  assert.equal(headers['content-type'], 'application/x-amz-json-1.1');
  assert.equal(headers['x-amz-date'], '20260131T120000Z');
  assert.match(headers['authorization'] ?? '', /^AWS4-HMAC-SHA256 Credential=.*, SignedHeaders=.*, Signature=/);
  const readFile = async (path: string): Promise<Uint8Array> => Buffer.from(`content of ${path}\nin two lines\n`);
  const file = await put(['events', '--file', 'f', '--partition-key', 'k', '--json'], { readFile });
  assert.deepEqual(records(file), [['k=content of f\nin two lines\n']]);
  assert.equal(file.out, '{"ShardId":"shardId-0","SequenceNumber":"1"}\n');
  assert.deepEqual(records(await put(['events', ''])), [['id-1=']], 'an empty text is a record too');
});

test('lines of stdin, however they are cut', async () => {
  const table: readonly (readonly [pieces: readonly string[], requests: readonly string[][]])[] = [
    [[], []],
    [['a\nb\n'], [['k=a', 'k=b']]],
    [['a\nb'], [['k=a'], ['k=b']]],
    [['a', 'b', 'c\n'], [['k=abc']]],
    [['a\r\nb\r\n'], [['k=a', 'k=b']]],
    [['a\r', '\nb\r\n'], [['k=a', 'k=b']]],
    [['\n\n\r\na\n\n'], [['k=a']]],
    [['a\rb\n'], [['k=a\rb']]],
    [['ä'.repeat(3), '\n'], [['k=äää']]],
  ];
  for (const [pieces, requests] of table) {
    const ended = await put(['events', '--partition-key', 'k'], { stdin: feed(pieces) });
    assert.deepEqual(records(ended), requests, JSON.stringify(pieces));
    assert.equal(ended.code, 0);
    assert.equal(ended.out.split('\n').length - 1, requests.flat().length, 'a line for each record');
  }
  const bytes = [Buffer.from([0xc3]), Buffer.from([0xa4, 10])];
  assert.deepEqual(records(await put(['events', '--partition-key', 'k'], { stdin: feed(bytes) })), [['k=ä']]);
});

test('many lines go in batches that the API takes', async () => {
  const many = Array.from({ length: 1001 }, (_, index) => `${index}\n`).join('');
  const counts = batches(await put(['events'], { stdin: feed([many]) })).map(({ Records }) => Records.length);
  assert.deepEqual(counts, [500, 500, 1]);
  const large = `${'x'.repeat(1_500_000)}\n`.repeat(5);
  const sizes = batches(await put(['events'], { stdin: feed([large]) })).map(({ Records }) => Records.length);
  assert.deepEqual(sizes, [2, 2, 1]);
});

test('who types is told what to do', async () => {
  const stdin = Object.assign(feed(['a\n']), { isTTY: true });
  assert.equal((await put(['events'], { stdin })).err, 'reading records from stdin, one a line; end with Ctrl-D\n');
});

test('Ctrl-C ends the wait for more lines', async () => {
  const interrupt = new AbortController();
  async function* endless(): AsyncGenerator<Buffer> {
    yield Buffer.from('a\n');
    setImmediate(() => interrupt.abort());
    await new Promise(() => undefined);
  }
  const ended = await put(['events'], { stdin: endless(), interrupted: interrupt.signal });
  assert.deepEqual([ended.code, ended.out, ended.err], [0, 'shardId-0 1\n', '']);
});

test('what is refused ends the command with its reason', async () => {
  const noStream = refused(400, { __type: 'ResourceNotFoundException', message: 'Stream events not found.' });
  const table: readonly (readonly [reply: Reply, out: string, err: string])[] = [
    [() => noStream, '', 'ResourceNotFoundException: Stream events not found.'],
    [() => refused(400, { __type: 'SerializationException', Message: 'odd' }), '', 'SerializationException: odd'],
    [() => refused(400, { __type: 'UnknownOperationException' }), '', 'UnknownOperationException: '],
    [() => refused(200, 'no JSON'), '', 'what answers at http://127.0.0.1:4567 is no millrace'],
    [
      () => ({
        Records: [
          { ShardId: 's', SequenceNumber: '1' },
          { ErrorCode: 'Slow', ErrorMessage: 'down' },
        ],
      }),
      's 1\n',
      'Slow: down',
    ],
  ];
  for (const [reply, out, err] of table) {
    const ended = await put(['events'], { stdin: feed(['a\nb\n']) }, reply);
    assert.deepEqual([ended.code, ended.out, ended.err], [1, out, `millrace: ${err}\n`]);
  }
});
