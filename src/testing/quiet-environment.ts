import type { Clock, Environment } from '../ports/environment.ts';
import { Defect } from '../kernel/errors.ts';

/** An environment for unit tests without disk or network: time moves by hand, sleeping takes one turn of the loop. */
export interface QuietEnvironment extends Environment {
  /** Moves the clock, in ms. */
  advance(ms: number): void;
  /** Events logged as warning or error so far. */
  readonly troubles: readonly string[];
}

/** Makes one; `name` keeps the ids of several apart. */
export function quietEnvironment(name = 'a'): QuietEnvironment {
  let now = 1_700_000_000_000;
  let ids = 0;
  const troubles: string[] = [];
  const turn = async (): Promise<void> => await new Promise((resolve) => void setImmediate(resolve));
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    timer: () => absent('timers'),
    sleep: turn,
    soon: (run) => void setImmediate(run),
  };
  const silent = (): void => undefined;
  const trouble = (event: string): void => void troubles.push(event);
  return {
    clock,
    random: {
      bytes: () => absent('random bytes'),
      uuid: () => `${name}-${(ids += 1)}`,
      fraction: () => 0.5,
    },
    get files() {
      return absent('files');
    },
    get network() {
      return absent('a network');
    },
    get compute() {
      return absent('compute');
    },
    log: { debug: silent, info: silent, warn: trouble, error: trouble },
    meter: { count: silent, gauge: silent, observe: silent, forget: silent },
    advance: (ms) => void (now += ms),
    troubles,
  };
}

function absent(what: string): never {
  throw new Defect(`a quiet environment has no ${what}`);
}
