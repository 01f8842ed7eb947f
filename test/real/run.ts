/**
 * Real clients against a real node: each group installs what it needs by its pinned package name, and says
 * `skipped, not proven` (and fails the run, unless `--allow-skips`) where it cannot. `--group NAME` runs one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCli } from './aws-cli.ts';
import { boto3 } from './boto3/group.ts';
import { firehoseControl } from './firehose-control/group.ts';
import { functions } from './functions/group.ts';
import { httpEndpoint } from './http-endpoint/group.ts';
import { kcl } from './kcl/group.ts';
import { kpl } from './kpl/group.ts';
import { openSearch } from './opensearch/group.ts';
import { sdkJs } from './sdk-js/group.ts';
import { signers } from './signers/group.ts';
import { snappyJava } from './snappy-java/group.ts';
import { sse } from './sse/group.ts';
import { telegraf } from './telegraf/group.ts';
import { walkThrough } from './walk-through/group.ts';
import { versitygw } from './versitygw/group.ts';

/** One group of real components. */
export interface Group {
  readonly name: string;
  /** Installs and returns a version line, or throws. */
  install(): Promise<string>;
  /** Runs the checks; throws on the first that fails. Returns how many passed. */
  run(): Promise<number>;
}

const INSTALL_MS_MAX = 15 * 60_000;
const RUN_MS_MAX = 12 * 60_000;
const GROUPS: readonly Group[] = [
  awsCli,
  boto3,
  sdkJs,
  telegraf,
  httpEndpoint,
  firehoseControl,
  snappyJava,
  versitygw,
  functions,
  signers,
  sse,
  kpl,
  kcl,
  openSearch,
  walkThrough,
];
const allowSkips = process.argv.includes('--allow-skips');
const only = process.argv[process.argv.indexOf('--group') + 1];
let passed = 0;
let failed = 0;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What `work` gave and the seconds it took; rejects when it takes too long. */
async function timed<T>(timeoutMs: number, work: Promise<T>): Promise<readonly [T, string]> {
  const startedAt = performance.now();
  const late = sleep(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`not done within ${timeoutMs / 1000} s`);
  });
  const value = await Promise.race([work, late]);
  return [value, ((performance.now() - startedAt) / 1000).toFixed(1)];
}

async function installed(group: Group): Promise<boolean> {
  try {
    const [version, seconds] = await timed(INSTALL_MS_MAX, group.install());
    say(`${group.name}: ${version}; installed in ${seconds} s`);
    return true;
  } catch (error) {
    say(`${group.name}: skipped, not proven: ${describe(error)}`);
    if (!allowSkips) failed += 1;
    return false;
  }
}

for (const group of GROUPS) {
  if (process.argv.includes('--group') && group.name !== only) continue;
  if (!(await installed(group))) continue;
  try {
    const [count, seconds] = await timed(RUN_MS_MAX, group.run());
    passed += count;
    say(`${group.name}: ${count} passed in ${seconds} s`);
  } catch (error) {
    say(`${group.name}: failed: ${describe(error)}`);
    failed += 1;
  }
}
say(`${passed} passed, ${failed} failed`);
// What a group that took too long still runs ends with this process.
process.exit(failed === 0 ? 0 : 1);
