import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../kernel/errors.ts';
import type { AdminRoute } from '../ports/capability.ts';
import type { Records } from '../ports/records.ts';
import { fakeRequest } from '../testing/fake-request.ts';
import { NodeBench } from '../testing/node-bench.ts';
import { quietEnvironment } from '../testing/quiet-environment.ts';
import { AuditStream } from './audit.ts';

const ENTRY = { who: 'KEY', action: 'kinesis:CreateStream', on: ['arn:a'], from: '10.0.0.1', requestId: 'r' };

interface Page {
  readonly entries: readonly { readonly at: string; readonly outcome: string; readonly on: readonly string[] }[];
  readonly next: string;
}

async function page(route: AdminRoute, query: string): Promise<Page> {
  return (await route.handle({}, new URLSearchParams(query), fakeRequest({}))) as Page;
}

test('entries outlive a restart, are read page by page, and are invisible elsewhere', async () => {
  const bench = await new NodeBench().open();
  const { simulation } = bench;
  let audit = new AuditStream(bench.node.records, simulation.environment);
  assert.deepEqual(await page(audit.route, ''), { entries: [], next: '0' }, 'made with the first entry');
  const gone = new RequestError('ResourceNotFoundException', 'a sentence');
  const refused = simulation.drive(audit.note(ENTRY, async () => await Promise.reject(gone)));
  await assert.rejects(refused, (error) => error === gone);
  await assert.rejects(simulation.drive(audit.note(ENTRY, async () => await Promise.reject(new Error('a bug')))));
  const on = Array.from({ length: 20 }, (_, index) => `arn:${index}`);
  assert.equal(await simulation.drive(audit.note({ ...ENTRY, on }, async () => await Promise.resolve('answer'))), 'answer');
  await bench.close();
  await bench.open();
  audit = new AuditStream(bench.node.records, simulation.environment);
  const first = await simulation.drive(page(audit.route, 'limit=2'));
  assert.deepEqual(first.entries.map(({ outcome }) => outcome), ['ResourceNotFoundException', 'InternalFailure']);
  const second = await simulation.drive(page(audit.route, `after=${first.next}`));
  assert.deepEqual(second.entries.map((one) => [one.outcome, one.on.length]), [['ok', 10]]);
  const later = new Date(Date.parse(second.entries[0]?.at ?? '') + 1).toISOString();
  assert.deepEqual((await simulation.drive(page(audit.route, `from=${later}`))).entries, []);
  assert.deepEqual(bench.node.records.list().map(({ name }) => name), []);
  for (const query of ['limit=x', 'after=-1', 'from=now', 'from=1', 'from=-1']) {
    await assert.rejects(page(audit.route, query), (error) => error instanceof RequestError && error.status === 400);
  }
  await bench.close();
}); // prettier-ignore

test('a change whose entry is not stored stands, and is told in the log', async () => {
  const cannot: readonly (readonly [why: string, append: () => Promise<unknown>])[] = [
    ['unavailable', async () => await Promise.resolve([{ failed: 'unavailable' }])],
    ['the disk is gone', async () => await Promise.reject(new Error('the disk is gone'))],
  ];
  for (const [why, append] of cannot) {
    const environment = quietEnvironment();
    const logged: unknown[] = [];
    environment.log.error = (...line) => void logged.push(line);
    const records = { describe: () => ({}), append } as unknown as Records;
    assert.equal(await new AuditStream(records, environment).note(ENTRY, async () => await Promise.resolve(7)), 7);
    assert.deepEqual(logged, [['audit.lost', { ...ENTRY, on: 'arn:a', outcome: 'ok', problem: why }]]);
  }
});

test('of what is refused to a key pair sixty entries a minute are kept, whatever the reason', async () => {
  const bench = await new NodeBench().open();
  const { simulation } = bench;
  const audit = new AuditStream(bench.node.records, simulation.environment);
  const reasons = [new RequestError('AccessDeniedException', 'no'), new RequestError('InvalidArgumentException', 'no')];
  const tryOften = async (who: string, times: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      const reason = reasons[time % 2];
      const noted = audit.note({ ...ENTRY, who }, async () => await Promise.reject(reason as Error));
      await assert.rejects(simulation.drive(noted), (error) => error === reason);
    }
  };
  const kept = async (): Promise<number> => (await simulation.drive(page(audit.route, 'limit=1000'))).entries.length;
  // So that all of it is in one minute.
  await simulation.pass(60_000 - (simulation.wallNow % 60_000));
  await tryOften('KEY', 70);
  assert.equal(await kept(), 60);
  await tryOften('OTHER', 5);
  await simulation.drive(audit.note(ENTRY, async () => await Promise.resolve()));
  assert.equal(await kept(), 66, 'what others try, and what was done, is kept');
  const broken = new Error('who knows how far it came');
  const noted = audit.note({ ...ENTRY, who: 'KEY' }, async () => await Promise.reject(broken));
  await assert.rejects(simulation.drive(noted), broken);
  assert.equal(await kept(), 67, 'and what may have been done');
  await simulation.pass(60_000);
  await tryOften('KEY', 1);
  assert.equal(await kept(), 68);
  await bench.close();
});
