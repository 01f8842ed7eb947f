import assert from 'node:assert/strict';
import { kinesis, readAll } from '../support/kinesis.ts';
import { call, type NodeProcess } from '../support/node-process.ts';

/** Fills one disk through puts, and knows what was acknowledged. */
export class Filler {
  /** Record heads by stream, in the order of their acknowledgement. */
  private readonly acknowledged = new Map<string, string[]>();
  private readonly sent = new Set<string>();
  private count = 0;

  /** Puts one batch; resolves with how many of its records were taken. Any other answer than a retryable one fails. */
  async put(node: NodeProcess, stream: string, records: number, bytes: number): Promise<number> {
    this.count += 1;
    const heads = Array.from({ length: records }, (_, index) => `${stream}/${this.count}/${index};`);
    for (const head of heads) this.sent.add(head);
    const { status, body } = await call(node.api, 'Kinesis_20131202.PutRecords', {
      StreamName: stream,
      Records: heads.map((head) => ({ Data: padded(head, bytes).toString('base64'), PartitionKey: stream })),
    });
    if (status !== 200) {
      assert.match(JSON.stringify(body), /ProvisionedThroughputExceeded|ServiceUnavailable|LimitExceeded/);
      assert.ok(status === 400 || status === 503, `status ${status}`);
      return 0;
    }
    const results = (body as { Records: readonly { ErrorCode?: string; SequenceNumber?: string }[] }).Records;
    const taken = heads.filter((_, index) => results[index]?.SequenceNumber !== undefined);
    for (const { ErrorCode } of results) {
      assert.ok(ErrorCode === undefined || ErrorCode === 'ProvisionedThroughputExceededException', ErrorCode);
    }
    this.acknowledged.set(stream, [...(this.acknowledged.get(stream) ?? []), ...taken]);
    return taken.length;
  }

  /** Puts until nothing is taken any more, in large batches and then in small ones; `streams` take turns. */
  async fill(node: NodeProcess, streams: readonly string[], diskBytes: number): Promise<void> {
    for (const [records, bytes] of [
      [100, 16_384],
      [10, 1024],
    ] as const) {
      let refused = 0;
      for (let turn = 0; refused < 3; turn += 1) {
        assert.ok(turn * records * bytes < 2 * diskBytes, 'more was taken than the disk can hold');
        const taken = await this.put(node, streams[turn % streams.length] ?? '', records, bytes);
        refused = taken === 0 ? refused + 1 : 0;
      }
    }
  }

  /** Puts until so many MiB more were taken, and waits where it is refused; rejects after so many ms. */
  async takesWithin(node: NodeProcess, stream: string, mebibytes: number, ms: number): Promise<void> {
    const [records, bytes] = [100, 4096];
    const end = performance.now() + ms;
    let taken = 0;
    while (taken * bytes < mebibytes * 1024 * 1024) {
      const now = await this.put(node, stream, records, bytes);
      taken += now;
      const said = `after ${ms} ms only ${taken} records of ${bytes} bytes were taken; the node says:`;
      assert.ok(performance.now() < end, `${said}\n${node.output().slice(-2000)}`);
      if (now < records) await new Promise((done) => setTimeout(done, 100));
    }
  }

  /** Everything acknowledged stands in the stream once, whole and in order; nothing stands there that was not sent. */
  async judge(node: NodeProcess, stream: string): Promise<void> {
    const stored: string[] = [];
    for (const records of (await readAll(node.api, stream)).values()) {
      for (const { text } of records) {
        const head = text.slice(0, text.indexOf(';') + 1);
        assert.ok(this.sent.has(head), `never sent: ${head}`);
        assert.ok(padded(head, text.length).equals(Buffer.from(text)), `changed: ${head}`);
        stored.push(head);
      }
    }
    const seen = new Set(stored);
    assert.equal(seen.size, stored.length, 'nothing is doubled');
    const acknowledged = this.acknowledged.get(stream) ?? [];
    assert.ok(acknowledged.length > 100, 'the load was real');
    const known = new Set(acknowledged);
    assert.deepEqual(
      stored.filter((head) => known.has(head)),
      acknowledged,
      'everything acknowledged, in order',
    );
  }
}

function padded(head: string, bytes: number): Buffer {
  const data = Buffer.alloc(Math.max(bytes, head.length), '.');
  data.write(head);
  return data;
}

/** Creates a stream of one shard and waits until it is ACTIVE. */
export async function createStream(node: NodeProcess, stream: string): Promise<void> {
  await kinesis(node.api, 'CreateStream', { StreamName: stream, ShardCount: 1 });
  for (;;) {
    const answer = await kinesis(node.api, 'DescribeStreamSummary', { StreamName: stream });
    const { StreamDescriptionSummary } = answer as { StreamDescriptionSummary: { StreamStatus: string } };
    if (StreamDescriptionSummary.StreamStatus === 'ACTIVE') return;
    await new Promise((done) => setTimeout(done, 20));
  }
}
