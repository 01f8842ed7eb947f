import { execFile } from 'node:child_process';
import type { Clock } from '../../ports/environment.ts';

/** What a Python says of itself. */
export interface PythonFacts {
  readonly major: number;
  readonly minor: number;
  readonly hasBoto3: boolean;
}

const LOOK_MS = 20_000;
/** So long an answer holds: functions are looked at together, and what is installed meanwhile is found soon. */
const KEPT_MS = 5000;
/** Runs on Python 2 as well; prints `3.11 yes`. Where it is started is no place of its own. */
const LOOK = [
  'import sys',
  'sys.path = [path for path in sys.path if path]',
  'try:',
  '  from importlib.util import find_spec',
  '  has = "yes" if find_spec("boto3") else "no"',
  'except ImportError:',
  '  has = "no"',
  'print("%d.%d %s" % (sys.version_info[0], sys.version_info[1], has))',
].join('\n');

interface Look {
  readonly facts: Promise<PythonFacts | undefined>;
  readonly until: number;
}

/** Asks Pythons what they are: each one once in a while, however many functions it runs. */
export class PythonLooks {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #looks = new Map<string, Look>();

  constructor(path: string, clock: Clock) {
    [this.#path, this.#clock] = [path, clock];
  }

  /** Undefined: it does not answer. */
  async at(interpreter: string): Promise<PythonFacts | undefined> {
    const now = this.#clock.monotonic();
    for (const [other, { until }] of this.#looks) if (until <= now) this.#looks.delete(other);
    const known = this.#looks.get(interpreter);
    if (known !== undefined) return await known.facts;
    const facts = this.#ask(interpreter);
    this.#looks.set(interpreter, { facts, until: now + KEPT_MS });
    return await facts;
  }

  async #ask(interpreter: string): Promise<PythonFacts | undefined> {
    const said = await new Promise<string>((resolve) => {
      const options = { timeout: LOOK_MS, env: { PATH: this.#path } };
      execFile(interpreter, ['-c', LOOK], options, (_error, stdout) => resolve(stdout));
    });
    const [, major, minor, has] = /^(\d+)\.(\d+) (yes|no)$/m.exec(said) ?? [];
    return has === undefined ? undefined : { major: Number(major), minor: Number(minor), hasBoto3: has === 'yes' };
  }
}
