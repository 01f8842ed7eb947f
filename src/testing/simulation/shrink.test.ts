import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPlan, writePlan, type Plan, type Step } from './plan.ts';
import { growPlan } from './grammar.ts';
import { shrink } from './shrink.ts';

function put(id: number, records = 2): Step {
  const planned = Array.from({ length: records }, (_, index) => ({ key: String(index), bytes: 100 }));
  return { client: 'a', pauseMs: 5, do: 'put', stream: 'main', id, records: planned };
}

function planOf(steps: readonly Step[]): Plan {
  const node = { shardCount: 4, isGzip: true, intervalSeconds: 3, segmentBytesMax: 6000 };
  return { seed: 1, node, steps };
}

function idsOf({ steps }: Plan): readonly number[] {
  return steps.flatMap((step) => (step.do === 'put' ? [step.id] : []));
}

test('what a failing run can do without is left out, and the rest is made simple', async () => {
  const steps = Array.from({ length: 40 }, (_, id) => put(id));
  // It takes these two, whatever else is there; numbers in the message differ.
  const trial = async (plan: Plan): Promise<Error | undefined> => {
    const ids = idsOf(plan);
    return ids.includes(7) && ids.includes(33) ? new Error(`lost after ${ids.length} puts`) : undefined;
  };
  const shrunk = await shrink(planOf(steps), new Error('lost after 40 puts'), trial);
  assert.equal(shrunk.error.message, 'lost after 2 puts');
  assert.deepEqual(shrunk.plan.steps, [
    { ...put(7, 1), pauseMs: 0, records: [{ key: '0', bytes: 0 }] },
    { ...put(33, 1), pauseMs: 0, records: [{ key: '0', bytes: 0 }] },
  ]);
  assert.deepEqual(shrunk.plan.node, {
    shardCount: 1,
    isGzip: false,
    intervalSeconds: 0,
    segmentBytesMax: 200_000,
    sync: 'always',
  });
  assert.ok(shrunk.trials < 200, `${shrunk.trials} runs`);
});

test('a run that fails for another reason is another failure', async () => {
  const trial = async (plan: Plan): Promise<Error> => new Error(idsOf(plan).includes(2) ? 'lost' : 'twice');
  const { plan } = await shrink(planOf([put(1), put(2), put(3)]), new Error('lost'), trial);
  assert.deepEqual(idsOf(plan), [2]);
});

test('a plan survives being written down', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const plan = growPlan(seed, { flips: true });
    assert.deepEqual(readPlan(`# a comment\n${writePlan(plan)}\n`), plan);
  }
  assert.throws(() => readPlan('# nothing'), SyntaxError);
});

test('the grammar has everything, and the same seed the same run', () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 200; seed += 1)
    for (const step of growPlan(seed, { flips: true }).steps) kinds.add(step.do);
  const clients =
    'check count create delete deliver direct flush forge hook look merge put read retain split subscribe undeliver';
  const machine = 'cut end fail flip full slow step';
  assert.deepEqual([...kinds].sort(), `${clients} ${machine}`.split(' ').sort());
  assert.deepEqual(growPlan(5, { flips: false }), growPlan(5, { flips: false }));
});
