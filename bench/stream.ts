import { Connection } from './client.ts';
import type { Verdict } from './records.ts';

/** Name of the stream that all scenarios use. */
export const STREAM = 'bench';

const SHARDS = 4;

/** One call with a parsed answer; rejects when it is not 200. */
export async function callJson(
  connection: Connection,
  action: string,
  input: unknown,
): Promise<Record<string, unknown>> {
  const { status, body } = await connection.call(action, Buffer.from(JSON.stringify(input)));
  if (status !== 200) throw new Error(`${action}: ${status} ${body.toString('utf8', 0, 300)}`);
  return body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>);
}

/** Creates the stream, with four shards unless told otherwise, and returns their ids once it is ACTIVE. */
export async function createStream(port: number, ShardCount = SHARDS): Promise<readonly string[]> {
  const connection = await Connection.open(port);
  await callJson(connection, 'CreateStream', { StreamName: STREAM, ShardCount });
  for (;;) {
    const { StreamDescription } = await callJson(connection, 'DescribeStream', { StreamName: STREAM });
    const { StreamStatus, Shards } = StreamDescription as { StreamStatus: string; Shards: { ShardId: string }[] };
    if (StreamStatus === 'ACTIVE') {
      connection.close();
      return Shards.map(({ ShardId }) => ShardId);
    }
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** One shard read from its oldest record on, every record judged. */
export class ShardReader {
  readonly shardId: string;
  private readonly connection: Connection;
  private readonly verdict: Verdict;
  private readonly last: Float64Array;
  private iterator = '';

  private constructor(connection: Connection, shardId: string, verdict: Verdict, writers: number) {
    this.connection = connection;
    this.shardId = shardId;
    this.verdict = verdict;
    this.last = new Float64Array(writers).fill(-1);
  }

  static async open(port: number, shardId: string, verdict: Verdict, writers: number): Promise<ShardReader> {
    const asking = await Connection.open(port);
    const first = { StreamName: STREAM, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' };
    const { ShardIterator } = await callJson(asking, 'GetShardIterator', first);
    asking.close();
    const connection = await Connection.open(port, verdict.wire.contentType);
    const reader = new ShardReader(connection, shardId, verdict, writers);
    reader.iterator = String(ShardIterator);
    return reader;
  }

  /** One GetRecords. `isAtTip`: nothing came and nothing is behind. */
  async next(onTime?: (timeUs: number) => void): Promise<{ readonly found: number; readonly isAtTip: boolean }> {
    const { wire } = this.verdict;
    const request = wire.input({ ShardIterator: this.iterator });
    const { status, body } = await this.connection.call('GetRecords', request);
    if (status !== 200) throw new Error(`GetRecords: ${status} ${body.toString('utf8', 0, 300)}`);
    const place = wire.readPlace(body);
    if (place === undefined) throw new Error('GetRecords answered no iterator');
    this.iterator = place.iterator;
    const found = this.verdict.take(body, this.last, onTime);
    return { found, isAtTip: found === 0 && place.isAtTip };
  }

  close(): void {
    this.connection.close();
  }
}

/** Reads all shards to their ends, each on a connection of its own. */
export async function drain(
  port: number,
  shardIds: readonly string[],
  verdict: Verdict,
  writers: number,
): Promise<void> {
  const drainShard = async (shardId: string): Promise<void> => {
    const reader = await ShardReader.open(port, shardId, verdict, writers);
    while (!(await reader.next()).isAtTip);
    reader.close();
  };
  await Promise.all(shardIds.map(drainShard));
}
