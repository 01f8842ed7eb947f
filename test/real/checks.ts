import assert from 'node:assert/strict';
import { KEY_PAIR_VARIABLES } from '../support/key-pair.ts';
import { runProgram } from './tools.ts';

const CHECKS_MS_MAX = 300_000;

/** What `millrace env` prints for a node that verifies, the key pair, and no file of the user's own. */
export async function clientEnvironment(api: string): Promise<Readonly<Record<string, string>>> {
  const environment = { ...KEY_PAIR_VARIABLES, AWS_DEFAULT_REGION: 'us-east-1' };
  const printed = await runProgram(process.execPath, ['dist/main.js', 'env', '--json', '--api', api], { environment });
  const nothing = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  return { ...KEY_PAIR_VARIABLES, ...nothing, ...(JSON.parse(printed) as Record<string, string>) };
}

/**
 * Runs a program of ours that uses a client of others, to its end: it tells `ok WHAT` in a line for each thing shown,
 * and fails at the first that is not so. Resolves with how many were shown; rejects when it shows nothing.
 */
export async function runChecks(
  program: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const told = await runProgram(program, words, { environment, timeoutMs: CHECKS_MS_MAX });
  const shown = told.split('\n').filter((line) => line.startsWith('ok '));
  assert.ok(shown.length > 0, `${program} showed nothing: ${told.slice(-2000)}`);
  return shown.length;
}
