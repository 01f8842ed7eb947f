/**
 * Loaded into a server in front of everything else (`node --import`): measures each turn of its loop, from the callback
 * that begins it to the end of all promises that follow. Answers the parent's messages with what it has seen.
 */
import { createHook, executionAsyncId, executionAsyncResource } from 'node:async_hooks';
import { Session } from 'node:inspector';
import { performance, PerformanceObserver } from 'node:perf_hooks';
import { threadClock } from './thread-clock.ts';
import { LONG_TURN_MS, type ProbeAnswer, type ProbeQuestion, type Turn } from './turn.ts';
import { whatTook, type Profile } from './what-took.ts';

/** Turns that are kept of one load. */
const TURNS_MAX = 2000;
/** In microseconds. */
const SAMPLE_EVERY = 250;

/** The begin of this clock by the system's, which the profiler reads. */
const ZERO_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

interface Pause {
  readonly from: number;
  readonly ms: number;
}

let count = 0;
let turns: Turn[] = [];
let pauses: Pause[] = [];
const threadMs = threadClock();
let [from, idle, cpu, kind] = [0, 0, 0, ''];

/** The turn that began last is over: this is where the loop asks for what comes next, or waits. */
function end(now: number): void {
  const { idle: idleNow } = performance.eventLoopUtilization();
  const cpuNow = threadMs();
  const [wallMs, cpuMs] = [now - from - (idleNow - idle), cpuNow - cpu];
  count += 1;
  if (wallMs > LONG_TURN_MS && turns.length < TURNS_MAX && kind !== 'Pipe')
    turns.push({ kind, from, to: now, wallMs, cpuMs, pauseMs: 0, what: '' });
  [from, idle, cpu] = [now, idleNow, cpuNow];
}

createHook({
  before() {
    const resource = executionAsyncResource();
    const name = resource?.constructor?.name ?? '';
    // Both follow a turn that has begun.
    if (resource instanceof Promise || name === 'TickObject' || name === 'Object' || executionAsyncId() === 0) return;
    end(performance.now());
    kind = name;
  },
}).enable();

/** Unreferenced it keeps nothing going, and still runs once in each round: turns end in front of the wait, too. */
function look(): void {
  setImmediate(look).unref();
}
look();

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) pauses.push({ from: startTime, ms: duration });
}).observe({ entryTypes: ['gc'] });

const session = new Session();
session.connect();
const post = async (method: string, params = {}): Promise<object> =>
  await new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error === null ? resolve(result ?? {}) : reject(error)));
  });

function report(): readonly Turn[] {
  return turns.map((turn) => {
    const inside = pauses.filter((pause) => pause.from >= turn.from && pause.from < turn.to);
    return { ...turn, pauseMs: inside.reduce((sum, { ms }) => sum + ms, 0) };
  });
}

async function answer(question: ProbeQuestion): Promise<ProbeAnswer> {
  if (question.ask === 'begin') {
    if (question.isProfiled) {
      await post('Profiler.enable');
      await post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY });
      await post('Profiler.start');
    }
    [count, turns, pauses] = [0, [], []];
    from = performance.now();
    return { count: 0, turns: [], millisecondsOfPauses: [] };
  }
  const [seen, millisecondsOfPauses] = [count, pauses.map(({ ms }) => ms)];
  const found = report();
  if (!question.isProfiled) return { count: seen, turns: found, millisecondsOfPauses };
  const { profile } = (await post('Profiler.stop')) as { profile: Profile };
  return { count: seen, turns: whatTook(profile, found, ZERO_MS), millisecondsOfPauses };
}

process.on('message', (question: ProbeQuestion) => {
  void answer(question).then((said) => process.send?.(said));
});
process.channel?.unref();
