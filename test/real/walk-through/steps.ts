import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { filesBelow } from '../../support/files-below.ts';
import { KEY_PAIR, KEY_PAIR_VARIABLES, signed } from '../../support/key-pair.ts';
import { call, startNodeProcess, type NodeProcess } from '../../support/node-process.ts';
import { postWebhook } from '../../support/post-webhook.ts';
import { documentWith } from '../../support/published-code.ts';
import { WEBHOOK_SEARCH } from '../../support/webhook-search.ts';
import { numberedListings } from '../functions/python-listing.ts';
import type { startOpenSearch } from '../opensearch/server.ts';
import { until } from '../program.ts';
import { runProgram } from '../tools.ts';

const GUIDE = join('docs', 'guides', 'webhook-search.md');
const [STREAM, INDEX, FUNCTION, ROUTE] = ['git-data-stream', 'gitlogs', 'git-webhook-handler', 'POST /test/git-data'];
const [TO_BUCKET, TO_SEARCH] = ['git-data-delivery-stream', 'git-data-delivery-opensearch-stream'];
const WAIT_MS_MAX = 60_000;
const ORDERED = { order: '2 Icecreams' };

type Sections = Readonly<Record<string, Readonly<Record<string, object>>>>;
type Cluster = Awaited<ReturnType<typeof startOpenSearch>>;

/** What put_record answered in the function, as the article shows it. */
interface Answer {
  readonly ShardId: string;
  readonly SequenceNumber: string;
  readonly ResponseMetadata: { readonly HTTPStatusCode: number };
}

/** Where the walk happens and with what. */
export interface Ground {
  readonly folder: string;
  /** An interpreter that has boto3. */
  readonly python: string;
  readonly openCluster: (folder: string) => Promise<Cluster>;
}

/**
 * The twelve steps as the guide translates them. What a step of the article makes is added to the file of the running node
 * in that step: sections of the example, and the guide's own for the function.
 */
export class WalkThrough {
  readonly #ground: Ground;
  readonly #example = parse(readFileSync(WEBHOOK_SEARCH, 'utf8')) as Sections;
  readonly #guide = parse(
    /^```yaml\n(functions:[\s\S]*?)^```/m.exec(readFileSync(GUIDE, 'utf8'))?.[1] ?? '',
  ) as Sections;
  readonly #listings = numberedListings(documentWith("boto3.client('kinesis')") ?? '', 'put_record');
  /** What the stream holds by sequence number. */
  readonly #stored = new Map<string, unknown>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Resolves with how many steps there are. */
  async all(): Promise<number> {
    const cluster = await this.#ground.openCluster(join(this.#ground.folder, 'opensearch'));
    try {
      this.#writeFile({ streams: this.#example['streams'], deliveries: this.#deliveries(TO_BUCKET) });
      const environment = { OPENSEARCH_URL: cluster.url, BUFFER_SECONDS: '1' };
      const { folder } = this.#ground;
      const node = await startNodeProcess({ config: this.#file, data: join(folder, 'node'), environment });
      try {
        await this.#walk(node, cluster);
      } catch (error) {
        throw new Error(`${String(error)}\n${node.output().slice(-4000)}`, { cause: error });
      } finally {
        await node.stop();
      }
    } finally {
      await cluster.kill();
    }
    return 12;
  }

  async #walk(node: NodeProcess, cluster: Cluster): Promise<void> {
    // 1: its health was asked for. 2: the bucket comes with its first object. 5 and 9, permissions: there is nothing to do,
    // though this node verifies what the function signs.
    await this.#streamAndDelivery(node);
    await this.#functionAlone(node);
    await this.#gateway(node);
    await this.#search(node, cluster);
    await this.#event(node, cluster);
    await this.#senders(node, cluster);
    await this.#everywhere(node, cluster);
  }

  /** 3. An on-demand stream, and its delivery to the bucket. */
  async #streamAndDelivery(node: NodeProcess): Promise<void> {
    const stream = await call(node.api, 'Kinesis_20131202.DescribeStreamSummary', { StreamName: STREAM });
    assert.match(JSON.stringify(stream.body), /"StreamStatus":"ACTIVE".*"StreamMode":"ON_DEMAND"/);
    const named = { DeliveryStreamName: TO_BUCKET };
    const delivery = await call(node.api, 'Firehose_20150804.DescribeDeliveryStream', named);
    assert.match(JSON.stringify(delivery.body), /"DeliveryStreamStatus":"ACTIVE"/);
    assert.deepEqual(this.#objects(node), []);
  }

  /** 4 and 6. The function as pasted, run by a saved test event: in the viewer, and in the bucket. */
  async #functionAlone(node: NodeProcess): Promise<void> {
    this.#writeHandler(0);
    await this.#change(node, {
      streams: this.#example['streams'],
      deliveries: this.#deliveries(TO_BUCKET),
      functions: this.#functions(),
    });
    const { ShardId, SequenceNumber } = await this.#invoke(node, '{}', 'test-data', ORDERED);
    const { folder } = this.#ground;
    assert.equal(readFileSync(join(folder, 'events', 'test-data.json'), 'utf8').trim(), '{}');
    const shard = ['--from', 'TRIM_HORIZON', '--shard', ShardId];
    assert.deepEqual(await this.#tail(node, ...shard), [[SequenceNumber, ORDERED]]);
    assert.deepEqual(await this.#tail(node, '--from', SequenceNumber, '--limit', '1'), [[SequenceNumber, ORDERED]]);
    await until('an object', WAIT_MS_MAX, () => this.#objects(node).length > 0);
    assert.deepEqual(this.#objects(node), ['{"order": "2 Icecreams"}']);
  }

  /** 7. The function behind a route, and the test button of its method. */
  async #gateway(node: NodeProcess): Promise<void> {
    await this.#change(node, this.#sections(TO_BUCKET));
    await this.#test(node, ORDERED);
  }

  /** 8 to 10. The delivery to the index: what the tests stored, each under its number. */
  async #search(node: NodeProcess, cluster: Cluster): Promise<void> {
    await this.#change(node, this.#sections(TO_BUCKET, TO_SEARCH));
    for (let times = 0; times < 3; times += 1) {
      await this.#test(node, ORDERED);
      await this.#counted(cluster);
    }
  }

  /** 11. The changed listing is deployed when it is saved, and hands on its event. */
  async #event(node: NodeProcess, cluster: Cluster): Promise<void> {
    const deployed = countOf(node, 'function.reloaded');
    this.#writeHandler(1);
    await until('the change is deployed', WAIT_MS_MAX, () => countOf(node, 'function.reloaded') > deployed);
    const oranges = { order: '20 oranges' };
    const { SequenceNumber } = await this.#invoke(node, JSON.stringify(oranges), 'test-data-nonempty', oranges);
    const found = await this.#tail(node, '--from', 'TRIM_HORIZON', '--content', 'oranges');
    assert.deepEqual(found, [[SequenceNumber, oranges]]);
    await this.#counted(cluster);
  }

  /** 12. A ping as GitHub sends it to the URL with the secret that `env` prints; then a push and a star. */
  async #senders(node: NodeProcess, cluster: Cluster): Promise<void> {
    const printed = JSON.parse(await run(node, 'env', '--json', '--show-secrets')) as Record<string, string>;
    const secret = printed['MILLRACE_SECRET_GITHUB_WEBHOOK'] ?? assert.fail('env shows no secret');
    const url = `${printed['MILLRACE_GATEWAY']}/test/git-data`;
    const ping = readFileSync(join('fixtures', 'github', 'ping.json'), 'utf8');
    assert.equal(await postWebhook(url, 'a guess', 'guess', ping), undefined, 'another secret is refused');
    const told = (await postWebhook(url, secret, 'ping', ping)) ?? assert.fail('the ping was refused');
    this.#stored.set(told.SequenceNumber, JSON.parse(ping));
    await this.#counted(cluster);
    for (const event of ['push', 'star']) {
      const { SequenceNumber } = JSON.parse(await run(node, 'trigger', `github.${event}`)) as Answer;
      this.#stored.set(SequenceNumber, JSON.parse(readFileSync(join('fixtures', 'github', `${event}.json`), 'utf8')));
      await this.#counted(cluster);
    }
  }

  /** What was answered is in the stream, in the index and in the bucket: all of it, once, and nothing else. */
  async #everywhere(node: NodeProcess, cluster: Cluster): Promise<void> {
    const stored = sorted([...this.#stored]);
    assert.equal(stored.length, 9);
    assert.deepEqual(sorted(await this.#tail(node, '--from', 'TRIM_HORIZON')), stored);
    const path = `/${INDEX}/_search?size=100`;
    type Found = { hits: { hits: readonly { _id: string; _source: unknown }[] } };
    const { hits } = (await cluster.ask<Found>('GET', path)).hits;
    assert.deepEqual(sorted(hits.map(({ _id, _source }) => [_id.replace(/\.0$/, ''), _source])), stored);
    const characters = (await this.#texts(node)).join('').length;
    await until('all are in the bucket', WAIT_MS_MAX, () => this.#objects(node).join('').length >= characters);
    const all = this.#objects(node).join('');
    assert.equal(all.length, characters);
    for (const text of await this.#texts(node)) assert.ok(all.includes(text), 'byte for byte');
  }

  /** Runs the function by `millrace invoke`, which keeps the event under a name. */
  async #invoke(node: NodeProcess, event: string, name: string, data: object): Promise<Answer> {
    const told = JSON.parse(await run(node, 'invoke', FUNCTION, '--event', event, '--save', name)) as Answer;
    return this.#answered(told, data);
  }

  /** Tries the route as the test button of a method does: with an empty JSON for a body. */
  async #test(node: NodeProcess, data: object): Promise<void> {
    const url = new URL('/admin/requests', node.api);
    const body = JSON.stringify({ route: ROUTE, body: {} });
    const headers = signed('millrace', { method: 'POST', url, headers: {}, body });
    const answer = await fetch(url, { method: 'POST', body, headers });
    const tried = (await answer.json()) as { readonly status: number; readonly body: string };
    assert.equal(tried.status, 200, JSON.stringify(tried));
    this.#answered(JSON.parse(tried.body) as Answer, data);
  }

  #answered(told: Answer, data: object): Answer {
    assert.match(told.ShardId, /^shardId-\d{12}$/);
    assert.match(told.SequenceNumber, /^49\d{54}$/);
    assert.equal(told.ResponseMetadata.HTTPStatusCode, 200);
    assert.ok(!this.#stored.has(told.SequenceNumber), 'a record of its own');
    this.#stored.set(told.SequenceNumber, data);
    return told;
  }

  /** The count of the index comes to be that of the records. */
  async #counted(cluster: Cluster): Promise<void> {
    await until(`${this.#stored.size} documents`, WAIT_MS_MAX, async () => {
      await cluster.ask('POST', `/${INDEX}/_refresh`);
      const { count } = await cluster.ask<{ count: number }>('GET', `/${INDEX}/_count`);
      assert.ok(count <= this.#stored.size, `${count} documents`);
      return count === this.#stored.size;
    });
  }

  async #tail(node: NodeProcess, ...words: readonly string[]): Promise<readonly (readonly [string, unknown])[]> {
    const viewed = await viewedBy(node, words);
    return viewed.map(({ sequenceNumber, data }) => [sequenceNumber, JSON.parse(data) as unknown] as const);
  }

  async #texts(node: NodeProcess): Promise<readonly string[]> {
    return (await viewedBy(node, ['--from', 'TRIM_HORIZON'])).map(({ data }) => data);
  }

  #objects(node: NodeProcess): readonly string[] {
    const bucket = join(node.data, 'buckets', 'git-data');
    return existsSync(bucket) ? filesBelow(bucket).map((path) => readFileSync(path, 'utf8')) : [];
  }

  /** Writes the file of the running node, and waits until it is taken over. */
  async #change(node: NodeProcess, sections: Readonly<Record<string, unknown>>): Promise<void> {
    const reloaded = countOf(node, 'config.reloaded');
    this.#writeFile(sections);
    await until('the file is taken over', WAIT_MS_MAX, () => countOf(node, 'config.reloaded') > reloaded);
  }

  #sections(...deliveries: readonly string[]): Readonly<Record<string, unknown>> {
    return {
      streams: this.#example['streams'],
      deliveries: this.#deliveries(...deliveries),
      functions: this.#functions(),
      gateway: this.#guide['gateway'],
    };
  }

  #deliveries(...names: readonly string[]): object {
    return Object.fromEntries(names.map((name) => [name, this.#example['deliveries']?.[name]]));
  }

  #functions(): object {
    return { [FUNCTION]: { ...this.#guide['functions']?.[FUNCTION], python: this.#ground.python } };
  }

  get #file(): string {
    return join(this.#ground.folder, 'millrace.yaml');
  }

  #writeFile(sections: Readonly<Record<string, unknown>>): void {
    writeFileSync(this.#file, JSON.stringify({ server: { credentials: [KEY_PAIR] }, ...sections }));
  }

  #writeHandler(listing: number): void {
    const folder = join(this.#ground.folder, 'handler');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'lambda_function.py'), this.#listings[listing] ?? assert.fail('no such listing'));
  }
}

interface Viewed {
  readonly sequenceNumber: string;
  readonly data: string;
}

async function viewedBy(node: NodeProcess, words: readonly string[]): Promise<readonly Viewed[]> {
  const lines = (await run(node, 'tail', STREAM, ...words, '--no-follow', '--json')).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Viewed);
}

/** Runs a command of ours with the key pair; resolves with its stdout. */
async function run(node: NodeProcess, ...words: readonly string[]): Promise<string> {
  const environment = KEY_PAIR_VARIABLES;
  return await runProgram(process.execPath, ['dist/main.js', ...words, '--api', node.api], { environment });
}

function countOf(node: NodeProcess, line: string): number {
  return node.output().split(line).length - 1;
}

function sorted(values: readonly unknown[]): readonly string[] {
  return values.map((value) => JSON.stringify(value)).toSorted();
}
