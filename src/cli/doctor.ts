import type { Command } from 'commander';
import { CliError, type CliContext } from './context.ts';
import { address } from './run-node.ts';

interface Flags {
  readonly api: string;
  readonly gateway: string;
  readonly data: string;
  readonly json?: true;
}

/** `doctor`: whether this machine is fit, and what is not. */
export function declareDoctor(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('look at ports, clock, disk and the latency of fdatasync')
    .option('--api <host:port>', 'api listener', address, '127.0.0.1:4567')
    .option('--gateway <host:port>', 'public listener', address, '127.0.0.1:4568')
    .option('--data <dir>', 'data directory', '.millrace')
    .option('--json', 'as JSON')
    .action(async (flags: Flags) => {
      const findings = await context.examine(flags);
      if (flags.json === true) context.out(`${JSON.stringify(findings)}\n`);
      else
        for (const { level, what, detail } of findings)
          context.out(`${level.padEnd(4)} ${what.padEnd(10)} ${detail}\n`);
      if (findings.some(({ level }) => level === 'fail')) throw new CliError('this machine is not fit as it is');
    });
}
