import type { Command } from 'commander';
import { printFinding } from '../kernel/schema/config-finding.ts';
import { CliError, exitCodes, type CliContext, type LintFinding } from './context.ts';

interface Flags {
  readonly schema?: true;
  readonly strict?: true;
  readonly data: string;
  readonly json?: true;
}

/** `lint [FILE]`: what is wrong with a config file, and what perhaps was not meant so. */
export function declareLint(program: Command, context: CliContext): void {
  program
    .command('lint')
    .description('check a config file without running it: errors with their place, and warnings')
    .argument('[file]', 'config file; millrace.yaml when it exists')
    .option('--strict', 'warnings are a failure, too: exit code 1')
    .option('--schema', 'print the JSON Schema of config files instead, for editors')
    .option('--data <dir>', 'data directory with the secrets that `dev` made up', '.millrace')
    .option('--json', 'as JSON: a list of level, file, line, column, path and message')
    .action(async (file: string | undefined, flags: Flags) => await lint(context, file, flags));
}

async function lint(context: CliContext, file: string | undefined, flags: Flags): Promise<void> {
  if (flags.schema === true) return context.out(context.configSchema());
  const findings = await context.lint({ file, data: flags.data });
  if (findings === undefined) {
    if (file === undefined) throw new CliError('there is no config file here; name one', exitCodes.usage);
    throw new CliError(`no file ${file}`, exitCodes.invalidConfig);
  }
  if (flags.json === true) context.out(`${JSON.stringify(findings)}\n`);
  else for (const finding of findings) context.out(`${line(finding)}\n`);
  const errors = findings.filter(({ level }) => level === 'error').length;
  if (errors > 0) throw new CliError(count(errors, 'error'), exitCodes.invalidConfig);
  if (findings.length > 0 && flags.strict === true) throw new CliError(count(findings.length, 'warning'));
}

function line(finding: LintFinding): string {
  const text = printFinding(finding);
  return finding.level === 'error' ? text : `warning: ${text}`;
}

function count(found: number, word: string): string {
  return `${found} ${word}${found === 1 ? '' : 's'}`;
}
