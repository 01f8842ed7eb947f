import type { Functions } from '../../ports/functions.ts';
import { NodeBench, type Answer, type OutsideWorld } from '../../testing/node-bench.ts';
import { ScriptedFeed, type ScriptedFeedOptions } from '../../testing/scripted-feed.ts';

export type { Answer } from '../../testing/node-bench.ts';

/** Where the scripted feed is. */
export const FEED_URL = 'http://127.0.0.1/feed';

/** A whole node on a simulated machine, with a feed to read. */
export class IngestBench {
  readonly node: NodeBench;
  readonly feed: ScriptedFeed;

  constructor(seed = 1, options: ScriptedFeedOptions = {}, log: OutsideWorld['log'] = {}) {
    this.node = new NodeBench(seed, { servers: (request) => this.feed.script(request), log });
    const { simulation } = this.node;
    this.feed = new ScriptedFeed(() => simulation.environment.clock, simulation.random.fork(77), options);
  }

  /** Brings the node up, again after a crash; `sse` and `source` are further words. */
  async open(sse: object = {}, source: object = { to: 'events' }, functions?: Functions): Promise<this> {
    const sections = {
      streams: { events: { ShardCount: 2 } },
      sources: { feed: { sse: { url: FEED_URL, ...sse }, ...source } },
    };
    await this.node.open(sections, functions);
    return this;
  }

  async pass(ms: number): Promise<void> {
    await this.node.simulation.pass(ms);
  }

  async view(): Promise<Answer> {
    return await this.node.admin('GET', '/admin/sources/{name}', { name: 'feed' });
  }

  async change(verb: 'pause' | 'resume'): Promise<Answer> {
    return await this.node.admin('POST', `/admin/sources/{name}/${verb}`, { name: 'feed' });
  }

  /** Key and data of all records, by shard. */
  async stored(stream = 'events'): Promise<readonly (readonly (readonly [key: string, data: string])[])[]> {
    const shards: (readonly [string, string])[][] = [];
    for (const ShardId of ['shardId-000000000000', 'shardId-000000000001']) {
      const asked = { StreamName: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      const { ShardIterator } = await this.node.call('Kinesis_20131202.GetShardIterator', asked);
      const { Records } = await this.node.call('Kinesis_20131202.GetRecords', { ShardIterator });
      shards.push(
        Records.map(
          ({ PartitionKey, Data }: Answer) => [PartitionKey, Buffer.from(Data, 'base64').toString()] as const,
        ),
      );
    }
    return shards;
  }

  /** Data of all records, sorted. */
  async data(stream = 'events'): Promise<readonly string[]> {
    return (await this.stored(stream))
      .flat()
      .map(([, data]) => data)
      .toSorted();
  }

  /** Log lines of these events. */
  lines(event: string): readonly Answer[] {
    return this.node.simulation.logged.filter((line) => line.event === event).map(({ fields }) => fields);
  }
}
