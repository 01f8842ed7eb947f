/** A disk that confirms nothing any more: the program ends with 70, and what it had answered is there afterwards. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { kinesis, readAll } from '../support/kinesis.ts';
import { call, removeDirectory, startNodeProcess, temporaryDirectory } from '../support/node-process.ts';

const PRELOAD = new URL('../support/failing-sync.js', import.meta.url).href;
const STREAM = 'kept';
const EXIT_LOG_FAILED = 70;

/** Whether the put was answered with success; false, too, when the node is gone. */
async function isTaken(api: string, text: string): Promise<boolean> {
  const input = { StreamName: STREAM, PartitionKey: 'k', Data: Buffer.from(text).toString('base64') };
  const answer = await call(api, 'Kinesis_20131202.PutRecord', input).catch(() => undefined);
  return answer?.status === 200;
}

for (const mode of ['dev', 'start'] as const) {
  test(`millrace ${mode} ends with 70 when a sync fails`, { timeout: 60_000 }, async () => {
    const data = temporaryDirectory('failed-sync');
    const node = await startNodeProcess({ mode, data, environment: { NODE_OPTIONS: `--import ${PRELOAD}` } });
    try {
      if (mode === 'start') assert.match(node.output(), /node\.ready.*sync\W+always/);
      await kinesis(node.api, 'CreateStream', { StreamName: STREAM, ShardCount: 1 });
      const taken: string[] = [];
      const ended = once(node.child, 'exit');
      for (let count = 0; ; count += 1) {
        if (count === 20) node.child.kill('SIGUSR2');
        if (!(await isTaken(node.api, `record ${count}`))) break;
        taken.push(`record ${count}`);
      }
      assert.ok(taken.length >= 20, node.output());
      assert.deepEqual(await ended, [EXIT_LOG_FAILED, null], node.output());
      assert.match(node.output(), /log\.failed/);
      assert.match(node.output(), /node\.failed/);
      const again = await startNodeProcess({ mode, data });
      try {
        const found = [...(await readAll(again.api, STREAM)).values()].flat().map(({ text }) => text);
        assert.deepEqual(found.slice(0, taken.length), taken);
        assert.ok(found.length <= taken.length + 1, 'at most the one in doubt stands behind them');
        assert.ok(await isTaken(again.api, 'goes on'));
        assert.equal(await again.stop(), 0, again.output());
      } finally {
        await again.kill();
      }
    } finally {
      await node.kill();
      removeDirectory(data);
    }
  });
}
