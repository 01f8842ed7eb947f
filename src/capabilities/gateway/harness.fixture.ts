import { createHmac } from 'node:crypto';
import type { Answer, NodeBench } from '../../testing/node-bench.ts';

export { NodeBench, type Answer } from '../../testing/node-bench.ts';

/** The secret of the route. */
export const SECRET = 'It is a secret to everybody';

/** A config with one verified route; `more` are further options of the route. */
export function oneRoute(more: object = {}): Readonly<Record<string, unknown>> {
  return {
    streams: { hooks: { ShardCount: 2 } },
    gateway: {
      routes: { 'POST /hook': { verify: { github: { secrets: ['an older one', SECRET] } }, to: 'hooks', ...more } },
    },
  };
}

/** The headers GitHub sends, signed. */
export function signed(id: string, body: string | Uint8Array, secret: string = SECRET): Record<string, string> {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${signature}`,
  };
}

/** Sends one webhook to the route. */
export async function send(bench: NodeBench, id: string, body: string): Promise<Answer> {
  return await bench.post('/hook', signed(id, body), body);
}

/** All records of the stream: partition key and data. */
export async function stored(bench: NodeBench): Promise<readonly (readonly [string, string])[]> {
  const records: [string, string][] = [];
  for (const ShardId of ['shardId-000000000000', 'shardId-000000000001']) {
    const asked = { StreamName: 'hooks', ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    const { ShardIterator } = await bench.call('Kinesis_20131202.GetShardIterator', asked);
    const page = await bench.call('Kinesis_20131202.GetRecords', { ShardIterator });
    for (const { PartitionKey, Data } of page.Records)
      records.push([PartitionKey, Buffer.from(Data, 'base64').toString()]);
  }
  return records;
}
