/**
 * Real clients against a real node: each group installs what it needs by its pinned package name, and says
 * `skipped, not proven` (and fails the run, unless `--allow-skips`) where it cannot. `--group NAME` runs one.
 */
import { awsCli } from './aws-cli.ts';

/** One group of real components. */
export interface Group {
  readonly name: string;
  /** Installs and returns a version line, or throws. */
  install(): Promise<string>;
  /** Runs the checks; throws on the first that fails. Returns how many passed. */
  run(): Promise<number>;
}

const GROUPS: readonly Group[] = [awsCli];
const allowSkips = process.argv.includes('--allow-skips');
const only = process.argv[process.argv.indexOf('--group') + 1];
let passed = 0;
let failed = 0;
for (const group of GROUPS) {
  if (process.argv.includes('--group') && group.name !== only) continue;
  let version: string;
  try {
    version = await group.install();
  } catch (error) {
    process.stdout.write(
      `${group.name}: skipped, not proven: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    if (!allowSkips) failed += 1;
    continue;
  }
  process.stdout.write(`${group.name}: ${version}\n`);
  try {
    passed += await group.run();
  } catch (error) {
    process.stdout.write(
      `${group.name}: failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    failed += 1;
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
