import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThrottleError } from '../kernel/errors.ts';
import type { FunctionOutcome, FunctionRuntime, FunctionSpec, OpenFunction } from '../ports/function-runtime.ts';

/** A runtime under test with the handlers that the contract names. */
export interface RuntimeUnderTest {
  readonly runtime: FunctionRuntime;
  /** One of these: echo, fails, hangs, exits, prints, slow (100 ms). */
  readonly spec: (handler: string, changed?: Partial<FunctionSpec>) => FunctionSpec;
  end(): Promise<void>;
}

/** What handlers of tests have in common. */
export const USUAL_SPEC = {
  name: 'f',
  runtime: 'node',
  concurrencyMax: 10,
  idleMs: 60_000,
  variables: {},
  arn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
  region: 'us-east-1',
  isWatched: false,
} as const;

interface Ran {
  readonly outcome: FunctionOutcome;
  readonly lines: readonly string[];
}

/** Runs one event. */
export async function runOnce(open: OpenFunction, event: unknown, requestId = 'id-1'): Promise<Ran> {
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  const outcome = await open.run({ requestId, event: Buffer.from(JSON.stringify(event)), line });
  return { outcome, lines };
}

/** How an event ended that somebody may stop to wait for. */
async function leaving(open: OpenFunction, requestId: string, signal: AbortSignal): Promise<string | undefined> {
  return (await open.run({ requestId, event: Buffer.from('7'), signal })).failure?.type;
}

const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));

/** A payload, as the shortest JSON text of it. */
export function payloadOf({ payload }: FunctionOutcome): string {
  return JSON.stringify(JSON.parse(Buffer.from(payload).toString()));
}

const CONTRACT: Readonly<Record<string, (under: RuntimeUnderTest) => Promise<void>>> = {
  'a handler returns, fails, hangs, ends or prints': async ({ runtime, spec }) => {
    const cases: readonly (readonly [handler: string, type: string | undefined, said: RegExp])[] = [
      ['echo', undefined, /^\{"a":\[1,"ü"\]\}$/],
      ['fails', 'TypeError', /"errorMessage":"no such thing"/],
      ['hangs', 'Sandbox.Timedout', /"\d{4}-\d\d-\d\dT[\d:.]+Z id-1 Task timed out after 1\.00 seconds"/],
      ['exits', 'Runtime.ExitError', /"RequestId: id-1 Error: Runtime exited with error: exit status 7"/],
      ['prints', undefined, /^null$/],
    ];
    for (const [handler, type, said] of cases) {
      const open = runtime.open(spec(handler, { timeoutMs: 1000 }));
      const { outcome, lines } = await runOnce(open, { a: [1, 'ü'] });
      assert.equal(outcome.failure?.type, type, handler);
      assert.match(payloadOf(outcome), said, handler);
      assert.ok(outcome.durationMs >= 0 && outcome.memoryBytesPeak >= 0);
      if (handler === 'prints')
        assert.deepEqual(
          lines.map((text) => text.split('\t').at(-1)),
          ['one', 'two'],
        );
      // Whatever became of one event, the next one is run.
      assert.equal((await runOnce(open, {})).outcome.failure?.type, type, `${handler} again`);
      await open.close(1000);
      assert.deepEqual(open.stats(), { processes: 0, running: 0, waiting: 0 });
    }
  },

  'the first event of a process tells how long its start took': async ({ runtime, spec }) => {
    const open = runtime.open(spec('echo'));
    assert.notEqual((await runOnce(open, 1)).outcome.initMs, undefined);
    assert.equal((await runOnce(open, 2)).outcome.initMs, undefined);
    await open.close(0);
  },

  'as many run at once as may, the others wait in order': async ({ runtime, spec }) => {
    const open = runtime.open(spec('slow', { concurrencyMax: 2 }));
    const ended: number[] = [];
    const all = [0, 1, 2, 3, 4].map(async (event) => {
      const { outcome } = await runOnce(open, event, `id-${event}`);
      ended.push(Number(payloadOf(outcome)));
    });
    assert.equal(open.stats().running, 2);
    assert.equal(open.stats().waiting, 3);
    await Promise.all(all);
    assert.deepEqual(
      ended.toSorted((left, right) => left - right),
      [0, 1, 2, 3, 4],
    );
    assert.ok(ended.indexOf(2) < ended.indexOf(4));
    assert.ok(open.stats().processes <= 2);
    await open.close(0);
  },

  'closing waits for what runs, and takes nothing more': async ({ runtime, spec }) => {
    const open = runtime.open(spec('slow'));
    await runOnce(open, 0);
    const running = runOnce(open, 5);
    const closed = open.close(10_000);
    await assert.rejects(runOnce(open, 6), (error) => {
      return error instanceof ThrottleError && error.code === 'TooManyRequestsException';
    });
    assert.equal(payloadOf((await running).outcome), '5');
    await closed;
  },

  'an event that nobody waits for is ended': async ({ runtime, spec }) => {
    const open = runtime.open(spec('slow', { timeoutMs: 20_000 }));
    await runOnce(open, 0);
    const gone = new AbortController();
    const running = open.run({ requestId: 'id-2', event: Buffer.from('1'), signal: gone.signal });
    gone.abort();
    assert.equal((await running).failure?.type, 'Sandbox.Abandoned');
    await open.close(0);
  },

  'events that nobody waits for any more leave the queue, and the process to others': async ({ runtime, spec }) => {
    const open = runtime.open(spec('slow', { timeoutMs: 20_000, concurrencyMax: 1 }));
    await runOnce(open, 0);
    const before = runOnce(open, 1);
    const ends = Array.from({ length: 10 }, () => new AbortController());
    const left = ends.map(async ({ signal }, at) => await leaving(open, `left-${at}`, signal));
    const after = runOnce(open, 2);
    assert.equal(open.stats().waiting, 11);
    for (const end of ends) end.abort();
    assert.equal(open.stats().waiting, 1);
    left.push(leaving(open, 'left before', AbortSignal.abort()));
    for (const type of await Promise.all(left)) assert.equal(type, 'Sandbox.Abandoned');
    for (const [ran, payload] of [
      [before, '1'],
      [after, '2'],
    ] as const) {
      const { outcome } = await ran;
      assert.equal(payloadOf(outcome), payload);
      assert.equal(outcome.initMs, undefined, 'the same process');
    }
    await open.close(0);
  },

  'where runs go on, an event that nobody waits for any more only leaves the queue': async ({ runtime, spec }) => {
    const open = runtime.open(spec('slow', { timeoutMs: 20_000, concurrencyMax: 1 }));
    await runOnce(open, 0);
    const end = new AbortController();
    const run = async (text: string, signal?: AbortSignal): Promise<FunctionOutcome> =>
      await open.run({
        requestId: text,
        event: Buffer.from(text),
        goesOn: true,
        ...(signal !== undefined && { signal }),
      });
    const running = run('1');
    const waiting = run('2', end.signal);
    const after = run('3');
    assert.equal(open.stats().waiting, 2);
    end.abort();
    assert.equal(open.stats().waiting, 1);
    assert.equal((await waiting).failure?.type, 'Sandbox.Abandoned');
    assert.equal((await run('4', end.signal)).failure?.type, 'Sandbox.Abandoned');
    assert.equal(payloadOf(await running), '1');
    assert.equal(payloadOf(await after), '3');
    await open.close(0);
  },

  'a process that starts for events that nobody waits for any more is there for others': async ({ runtime, spec }) => {
    const open = runtime.open(spec('slow', { timeoutMs: 20_000, concurrencyMax: 1 }));
    for (let left = 0; left < 5; left += 1) {
      const end = new AbortController();
      const outcome = leaving(open, `left-${left}`, end.signal);
      while (open.stats().processes === 0) await turn();
      end.abort();
      assert.equal(await outcome, 'Sandbox.Abandoned');
      assert.equal(open.stats().processes, 1, 'it goes on');
    }
    const { outcome } = await runOnce(open, 2);
    assert.equal(payloadOf(outcome), '2');
    await open.close(0);
  },
};

/** What every FunctionRuntime does, the real one and those of simulations. */
export function functionRuntimeContract(name: string, make: () => Promise<RuntimeUnderTest>): void {
  for (const [what, work] of Object.entries(CONTRACT)) {
    test(`${name}: ${what}`, async () => {
      // Timers of an environment alone keep no process alive.
      const alive = setInterval(() => undefined, 60_000);
      const under = await make();
      try {
        await work(under);
      } finally {
        await under.runtime.close();
        await under.end();
        clearInterval(alive);
      }
    });
  }
}
