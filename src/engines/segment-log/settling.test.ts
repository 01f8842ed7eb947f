import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedCrash, Simulation } from '../../environments/simulated/index.ts';
import { type Image, LogUnderTest, machineWith } from './log.fixture.ts';
import { Workload } from './workload.fixture.ts';

/** Small files, and a tail that does not hide them from readers. */
const OPTIONS = { segmentBytesMax: 4096, tailBytesMax: 1000 };
const RETENTIONS = [5000, 20_000, 60_000, 3_600_000, 3_600_000];

function count({ simulation }: LogUnderTest, event: string): number {
  return simulation.logged.filter((line) => line.event === event).length;
}

async function begin(seed: number, retentions = RETENTIONS): Promise<{ under: LogUnderTest; workload: Workload }> {
  const simulation = new Simulation(seed);
  const under = await LogUnderTest.open(simulation, OPTIONS);
  const workload = new Workload(under, simulation.random, { bytesMax: 300, retentions });
  await simulation.drive(workload.create());
  return { under, workload };
}

/** One client writes, others read all the while. */
async function run(under: LogUnderTest, workload: Workload, rounds: number, readers: number): Promise<void> {
  const { clock } = under.simulation.environment;
  const work = { isDone: false };
  const write = async (): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      await workload.act();
      await clock.sleep(50);
    }
    work.isDone = true;
  };
  const read = async (): Promise<void> => {
    while (!work.isDone) {
      await workload.readSomewhere();
      await clock.sleep(30);
    }
  };
  await under.drive(Promise.all([write(), ...Array.from({ length: readers }, read)]));
}

test('whatever is settled, deleted and sealed meanwhile, readers find what was told, and so does the next start', async () => {
  const done = { settled: 0, deleted: 0, appends: 0 };
  for (let seed = 1; seed <= 2; seed += 1) {
    let { under, workload } = await begin(seed);
    const { simulation } = under;
    for (let life = 2; life < 5; life += 1) {
      await run(under, workload, 400, 3);
      await simulation.drive(workload.check());
      if (life % 2 === 0) await simulation.drive(under.log.close());
      simulation.crash();
      simulation.restart();
      under = await LogUnderTest.open(simulation, { ...OPTIONS, epoch: life });
      await simulation.drive(workload.reopen(under));
      await simulation.drive(workload.check());
    }
    done.settled += count(under, 'log.settled');
    done.deleted += count(under, 'log.segment.deleted');
    done.appends += workload.done['append'] ?? 0;
    for (const trouble of ['log.damaged', 'log.settle.failed', 'log.segment.stuck'])
      assert.equal(count(under, trouble), 0);
  }
  assert.ok(done.settled > 100 && done.deleted > 160, JSON.stringify(done));
  assert.ok(done.settled < done.appends / 4, `nothing is copied again and again: ${JSON.stringify(done)}`);
});

/** A log that has much to clean as soon as it opens, at the time given. */
async function unclean(seed: number): Promise<{ image: Image; workload: Workload; startedAtMs: number }> {
  const { under, workload } = await begin(seed, [5000, 5000, 5000, 5000, 5000, 3_600_000]);
  const { clock } = under.simulation.environment;
  for (let count = 0; count < 150; count += 1) await under.drive(workload.act());
  await under.drive(under.log.close());
  return { image: await under.image(), workload, startedAtMs: clock.now() + 10_000 };
}

test('the power may go at any file operation of settling, deleting and sealing', async () => {
  const seen = { cuts: 0, both: 0, partial: 0 };
  for (let seed = 1; seed <= 1; seed += 1) {
    const { image, workload, startedAtMs } = await unclean(seed);
    for (let operation = 1, isOver = false; !isOver; operation += 1) {
      const simulation = await machineWith(image, new Simulation(seed * 1000 + operation, { startedAtMs }));
      const clients = workload.copy();
      isOver = await cutAt(simulation, clients, operation);
      if (isOver) break;
      seen.cuts += 1;
      const names = await simulation.drive(simulation.environment.files.list('/data/log'));
      seen.partial += names.some((name) => name.endsWith('.tmp')) ? 1 : 0;
      const under = await LogUnderTest.open(simulation, { ...OPTIONS, epoch: 3 });
      await simulation.drive(clients.reopen(under));
      await simulation.drive(clients.check());
      const left = await simulation.drive(simulation.environment.files.list('/data/log'));
      seen.both += names.filter((name) => !name.endsWith('.tmp') && !left.includes(name)).length > 0 ? 1 : 0;
      assert.ok(
        !left.some((name) => name.endsWith('.tmp') && names.includes(name)),
        'what was not finished is removed',
      );
      await run(under, clients, 20, 1);
      await simulation.pass(6000);
      await simulation.drive(clients.check());
    }
  }
  assert.ok(seen.cuts > 50 && seen.partial > 3 && seen.both > 10, JSON.stringify(seen));
});

/** True when everything came to its end before so many file operations. */
async function cutAt(simulation: Simulation, clients: Workload, operation: number): Promise<boolean> {
  simulation.crashAfterFileOperations(operation);
  try {
    const under = await LogUnderTest.open(simulation, { ...OPTIONS, epoch: 2 });
    await simulation.drive(clients.reopen(under));
    await run(under, clients, 10, 1);
    await simulation.pass(6000);
    await simulation.drive(under.log.close());
    return true;
  } catch (error) {
    if (!(error instanceof SimulatedCrash)) throw error;
    simulation.restart();
    return false;
  }
}
