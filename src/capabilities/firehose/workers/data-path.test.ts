/** Records of any size and form on their way to destinations of all kinds at once, compared with what the stream holds. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { BufferPool } from '../../../kernel/bytes/buffer-pool.ts';
import { DataPath } from './data-path.fixture.ts';

const SEEDS = Number(process.env['DATA_PATH_SEEDS'] ?? 4);
const STEPS = 25;

/** Who still looks at memory that was given back sees something else. */
function overwriteMemory(context: TestContext): void {
  const giveBack: (this: BufferPool, piece: Buffer) => void = Reflect.get(BufferPool.prototype, 'giveBack');
  context.mock.method(BufferPool.prototype, 'giveBack', function (this: BufferPool, piece: Buffer): void {
    giveBack.call(this, piece.fill(0xee));
  });
}

test('all destinations hold what the stream does, each record once, over crashes, failures and reshards', async (context) => {
  overwriteMemory(context);
  let records = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const path = new DataPath(seed);
    try {
      await path.open();
      for (let step = 0; step < STEPS; step += 1) await path.step();
      await path.settle();
      records += await path.check();
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  context.diagnostic(`${records} records`);
  assert.ok(records > SEEDS * 40, `only ${records} records`);
});
