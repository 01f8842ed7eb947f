/** Events that nobody waits for: what was answered with 202 is run at least once, whenever the node is killed. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeDirectory, startNodeProcess, temporaryDirectory, type NodeProcess } from '../support/node-process.ts';

const KILLS = 3;
const WRITERS = 4;
const LOAD_MS = 700;
const RUN_MS_MAX = 60_000;
/** Fails every seventh event at first: second tries have a shard of their own. */
const CODE = `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
export const handler = async ({ id }) => {
  const mark = 'failed-' + id;
  if (id % 7 === 0 && !existsSync(mark)) { writeFileSync(mark, ''); throw new Error('at first'); }
  appendFileSync('ran.txt', id + '\\n');
};
`;
const FUNCTION = { runtime: 'node', code: '.', handler: 'index.handler', concurrency: 2, retryAfterSeconds: [1] };
const HEADERS = {
  authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  'x-amz-date': '20260101T000000Z',
  'x-amz-invocation-type': 'Event',
};

/** Hands over one event after the other until the node is gone; resolves with those that were accepted. */
async function handOver(node: NodeProcess, next: () => number): Promise<readonly number[]> {
  const accepted: number[] = [];
  const url = `${node.api}/2015-03-31/functions/events/invocations`;
  for (;;) {
    const id = next();
    try {
      const answer = await fetch(url, { method: 'POST', headers: HEADERS, body: JSON.stringify({ id }) });
      assert.equal(answer.status, 202);
      accepted.push(id);
    } catch (error) {
      // The node was killed: whether this one was stored nobody knows.
      if (error instanceof TypeError) return accepted;
      throw error;
    }
  }
}

function ranIn(home: string): ReadonlySet<number> {
  const file = join(home, 'ran.txt');
  return new Set(existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []);
}

test('events of functions outlive kill -9', async () => {
  const home = temporaryDirectory('events');
  const [config, data] = [join(home, 'millrace.yaml'), join(home, 'data')];
  writeFileSync(join(home, 'index.mjs'), CODE);
  writeFileSync(config, JSON.stringify({ functions: { events: FUNCTION } }));
  const accepted: number[] = [];
  let ids = 0;
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const node = await startNodeProcess({ config, data });
      const writers = Array.from({ length: WRITERS }, async () => await handOver(node, () => (ids += 1)));
      await sleep(LOAD_MS);
      await node.kill();
      accepted.push(...(await Promise.all(writers)).flat());
    }
    const node = await startNodeProcess({ config, data });
    const end = performance.now() + RUN_MS_MAX;
    const missing = (): readonly number[] => accepted.filter((id) => !ranIn(home).has(id));
    while (missing().length > 0 && performance.now() < end) await sleep(200);
    assert.deepEqual(missing(), [], `of ${accepted.length} accepted`);
    assert.ok(accepted.length > 0);
    assert.equal(await node.stop(), 0, node.output());
  } finally {
    removeDirectory(home);
  }
});
