/** A storm of restarts while a feed and webhooks come in together: nothing of either is lost, and nothing is doubled. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endServer, onLoopback } from '../../src/testing/loopback.ts';
import { readAll } from '../support/kinesis.ts';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';
import { hooks, repeatUnanswered, STREAM, type Life } from './loads.ts';
import { Model } from './model.ts';

const KILLS = 20;
/** Each so many-th kill comes while the node starts. */
const EARLY_EVERY = 4;
const SENDERS = 4;
const FEED = 'feed';
const EVENTS_AT_ONCE = 40;
const EVERY_MS = 5;
const CAUGHT_UP_MS_MAX = 60_000;

/** A feed whose events are numbered from 1; it goes on behind the id that whoever connects had last. */
class Feed {
  /** The highest number that went out. */
  sent = 0;
  /** No number above it goes out. */
  last = Infinity;
  connections = 0;
  readonly #server = createServer((request, response) => {
    const from = Number(request.headers['last-event-id'] ?? 0) + 1;
    this.connections += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    void this.#send(response, from);
  });

  async open(): Promise<string> {
    return `${await onLoopback(this.#server)}/numbers`;
  }

  close(): void {
    endServer(this.#server);
  }

  async #send(response: ServerResponse, from: number): Promise<void> {
    let next = from;
    while (!response.destroyed) {
      const to = Math.min(next + EVENTS_AT_ONCE - 1, this.last);
      let text = '';
      for (; next <= to; next += 1) text += `id: ${next}\ndata: {"n":${next}}\n\n`;
      this.sent = Math.max(this.sent, next - 1);
      // Who is slow is not overrun: then nothing would be left to come after the kill.
      if (text !== '' && !response.write(text)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      await sleep(EVERY_MS);
    }
  }
}

function config(url: string): object {
  const verify = { github: { secrets: ['${secret:HOOKS}'] } };
  return {
    streams: { [STREAM]: { ShardCount: 2 }, [FEED]: { ShardCount: 2 } },
    gateway: { routes: { 'POST /hooks': { verify, to: STREAM } } },
    sources: { numbers: { sse: { url }, to: FEED, partitionKey: 'n' } },
  };
}

/** The numbers that stand in the stream: each once, and in each shard in their order. */
async function numbersIn(node: NodeProcess): Promise<ReadonlySet<number>> {
  const seen = new Set<number>();
  for (const records of (await readAll(node.api, FEED)).values()) {
    let before = 0;
    for (const { text } of records) {
      const { n } = JSON.parse(text) as { n: number };
      assert.ok(!seen.has(n), `doubled: ${n}`);
      assert.ok(n > before, `${n} stands behind ${before}`);
      seen.add(n);
      before = n;
    }
  }
  return seen;
}

/** Nothing is missing in front of the highest number. */
function assertWhole(seen: ReadonlySet<number>): void {
  const missing = Array.from({ length: Math.max(0, ...seen) }, (_, index) => index + 1).filter((n) => !seen.has(n));
  assert.deepEqual(missing.slice(0, 5), [], `${missing.length} of ${seen.size} missing`);
}

/** One life: webhooks and the feed until the kill. */
async function liveAndDie(node: NodeProcess, model: Model, name: string, ms: number): Promise<void> {
  let over = false;
  const life: Life = { node, model, name, isOver: () => over };
  const loads = Array.from({ length: SENDERS }, async () => await hooks(life));
  await Promise.race([sleep(ms), Promise.all(loads)]);
  over = true;
  await node.kill();
  await Promise.all(loads);
}

async function caughtUp(node: NodeProcess, last: number): Promise<ReadonlySet<number>> {
  const end = performance.now() + CAUGHT_UP_MS_MAX;
  for (;;) {
    const seen = await numbersIn(node);
    if (seen.has(last) || performance.now() > end) return seen;
    await sleep(200);
  }
}

test(`kill -9, ${KILLS} times in a storm, a feed and webhooks together`, { timeout: 300_000 }, async (context) => {
  const home = temporaryDirectory('storm');
  const feed = new Feed();
  const model = new Model();
  const [file, data] = [join(home, 'millrace.yaml'), join(home, 'data')];
  writeFileSync(file, JSON.stringify(config(await feed.open())));
  const given = { config: file, data };
  let node = await startNodeProcess(given);
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      await liveAndDie(node, model, `k${kill}`, 100 + Math.random() * 400);
      if (kill % EARLY_EVERY === 0) {
        const starting = await startNodeProcess({ ...given, isReady: async () => true });
        await liveAndDie(starting, model, `early${kill}`, Math.random() * 1200);
      }
      node = await startNodeProcess(given);
      // What a kill took of a batch that went to both shards comes again: whole it is in the end.
      await numbersIn(node);
      model.judge(await readAll(node.api, STREAM), { sync: 'always' }, performance.now());
    }
    await repeatUnanswered({ node, model, name: 'end', isOver: () => false });
    assert.equal(model.unanswered.size, 0, 'every webhook is answered in the end');
    model.judge(await readAll(node.api, STREAM), { sync: 'always' }, performance.now());
    feed.last = feed.sent;
    const seen = await caughtUp(node, feed.last);
    assertWhole(seen);
    assert.equal(seen.size, feed.last, 'all that went out');
    assert.ok(model.answered.size > 5 * KILLS, `${model.answered.size} webhooks were answered`);
    assert.ok(seen.size > 50 * KILLS, `${seen.size} events came`);
    assert.ok(feed.connections > KILLS / 2, `${feed.connections} connections`);
    context.diagnostic(`${seen.size} events over ${feed.connections} connections, ${model.answered.size} webhooks`);
    assert.equal(await node.stop(), 0, node.output());
  } finally {
    await node.kill();
    feed.close();
    removeDirectory(home);
  }
});
