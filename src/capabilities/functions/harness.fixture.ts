import { openCatalog } from '../../engines/catalog/index.ts';
import { openRecords, type OpenRecords } from '../../engines/records/index.ts';
import type { FunctionRun } from '../../ports/function-runtime.ts';
import { fakeFunctionRuntime, fakeSurroundings, type FakeHandler } from '../../testing/fake-function-runtime.ts';
import { MemoryCommandLog } from '../../testing/memory-command-log.ts';
import { MemoryStore } from '../../testing/memory-store.ts';
import { textOf } from '../../testing/text-of.ts';
import { quietEnvironment, type QuietEnvironment } from '../../testing/quiet-environment.ts';
import type { FunctionsOptions } from './config.ts';
import { functions } from './index.ts';
import type { FunctionsState } from './model.ts';
import { invokeFunction } from './operations/invoke-function.ts';

/** JSON of any shape; tests look into answers as clients do. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = any;

/** What an action answered. */
export interface Invoked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The capability with scripted handlers, over real streams and a real catalog in memory. */
export interface Bench {
  readonly environment: QuietEnvironment;
  readonly records: OpenRecords;
  readonly state: FunctionsState;
  /** `name requestId event` of each run. */
  readonly ran: readonly string[];
  invoke(name: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Invoked>;
  admin(path: string, name?: string, query?: string): Promise<Answer>;
  /** Data of all records of a stream. */
  stored(stream: string): Promise<readonly string[]>;
  until(isSo: () => boolean | Promise<boolean>): Promise<void>;
  reload(options: FunctionsOptions): Promise<void>;
  problems(): readonly string[];
  /** Ends as a process that is killed does, and starts again on the same log. */
  restart(options?: FunctionsOptions): Promise<void>;
  /** Lets what runs come to its end, and begins nothing. */
  drain(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

const identity = { region: 'us-east-1', account: '000000000000' };
const entry = (handler: string): FunctionsOptions[string] => ({ runtime: 'node', code: './code', handler });

/** Functions that every bench has. */
export const usualFunctions: FunctionsOptions = {
  echo: entry('index.echo'),
  fails: { ...entry('index.fails'), retryAfterSeconds: [1, 2] },
  'fails-to': { ...entry('index.fails'), retryAfterSeconds: [1, 2], onFailure: 'failures' },
  prints: entry('index.prints'),
  slow: { ...entry('index.slow'), concurrency: 10 },
};

const TURNS_MAX = 20_000;

/** Makes one. */
export async function openBench(
  handlers: Readonly<Record<string, FakeHandler>> = {},
  options: FunctionsOptions = usualFunctions,
): Promise<Bench> {
  const environment = timed(quietEnvironment());
  const ran: string[] = [];
  const noted =
    (name: string, handler: FakeHandler): FakeHandler =>
    (event, run: FunctionRun, spec) => {
      ran.push(`${spec.name} ${run.requestId} ${JSON.stringify(event)}`);
      return handler(event, run, spec) ?? name;
    };
  const usual: Readonly<Record<string, FakeHandler>> = {
    'index.echo': (value) => ({ value }),
    'index.fails': () => ({ failure: { type: 'TypeError', message: 'no' } }),
    'index.prints': () => ({ prints: ['one', 'two'] }),
    'index.slow': () => ({ takesMs: 5 }),
  };
  const all = Object.entries({ ...usual, ...handlers }).map(([name, one]) => [name, noted(name, one)] as const);
  const runtime = fakeFunctionRuntime(environment.clock, Object.fromEntries(all));
  const catalog = await openCatalog(new MemoryCommandLog(environment.clock), environment);
  const records = await openRecords(new MemoryStore(environment.clock), catalog, environment, identity);
  const node = { identity, mode: 'dev', configFolder: '/config', surroundings: fakeSurroundings } as const;
  const missing = {} as Answer;
  const doors = {
    ...node,
    catalog,
    records,
    functionRuntime: runtime,
    jsonSchemas: missing,
    blobs: missing,
    http: missing,
    documents: missing,
    clusters: missing,
    destinations: [],
    functions: missing,
  };
  let running = await functions.start(options, doors, environment);
  let calls = 0;
  const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));
  return {
    environment,
    records,
    get state() {
      return running.state;
    },
    ran,
    invoke: async (name, body, headers = {}) => {
      const call = {
        requestId: `request-${(calls += 1)}`,
        query: new URLSearchParams(),
        headers,
        parameters: { name },
        signal: new AbortController().signal,
      };
      const answer = await invokeFunction.handle({ ...call, body: Buffer.from(body), state: running.state });
      return { ...answer, body: textOf(answer.body) };
    },
    admin: async (path, name = '', query = '') => {
      const route = running.admin?.find((one) => one.path === path);
      const request = {
        signal: new AbortController().signal,
        hold: async () => undefined,
        giveBack: () => undefined,
        readBody: async () => Buffer.alloc(0),
      };
      return await route?.handle({ name }, new URLSearchParams(query), request);
    },
    stored: async (name) => {
      const stream = records.describe(name);
      const texts: string[] = [];
      for (const shard of stream?.shards ?? []) {
        const { start } = records.bounds(shard);
        const slice = await records.read(stream as never, shard, start, { records: 1000, bytes: 1e7 });
        texts.push(...slice.records.map(({ data }) => Buffer.from(data).toString()));
      }
      return texts;
    },
    until: async (isSo) => {
      for (let turns = 0; !(await isSo()); turns += 1) {
        if (turns > TURNS_MAX) throw new Error('it never came to that');
        await turn();
      }
    },
    reload: async (changed) => await running.reload(changed),
    problems: () => running.health().problems,
    restart: async (changed = options) => {
      await running.stop();
      running = await functions.start(changed, doors, environment);
    },
    drain: async (withinMs) => await running.drain(withinMs),
    close: async () => {
      await running.drain(1000);
      await running.stop();
      await records.close();
      await catalog.close();
    },
  };
}

/** Time that goes on to what the next sleeper waits for, as soon as all else had its turns. */
function timed(quiet: QuietEnvironment): QuietEnvironment {
  const due = new Set<{ readonly at: number; readonly wake: () => void }>();
  let isTicking = false;
  const soon = (): void => void setImmediate(() => setImmediate(tick));
  const tick = (): void => {
    const [next] = [...due].toSorted((left, right) => left.at - right.at);
    isTicking = next !== undefined;
    if (next === undefined) return;
    quiet.advance(Math.max(0, next.at - quiet.clock.monotonic()));
    due.delete(next);
    next.wake();
    soon();
  };
  const wait = (ms: number, run: () => void): (() => void) => {
    const one = { at: quiet.clock.monotonic() + ms, wake: run };
    due.add(one);
    if (!isTicking) soon();
    isTicking = true;
    return () => void due.delete(one);
  };
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const cancel = wait(ms, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  };
  return Object.assign(quiet, { clock: { ...quiet.clock, sleep, timer: wait } });
}
