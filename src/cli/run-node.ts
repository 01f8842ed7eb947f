import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CliContext, RunOptions } from './context.ts';

interface Flags {
  readonly api: string;
  readonly gateway: string;
  readonly data: string;
  readonly ephemeral?: true;
  readonly sync?: NonNullable<RunOptions['sync']>;
  readonly log: RunOptions['log'];
  readonly unsafe?: true;
}

/** `127.0.0.1:4567`, `[::1]:4567` or `localhost:0`. */
export function address(text: string): string {
  const port = /^(?:\[[0-9a-fA-F:]+\]|[^:[\]\s]+):(\d{1,5})$/.exec(text)?.[1];
  if (port === undefined || Number(port) > 65_535) throw new InvalidArgumentError('Expected HOST:PORT.');
  return text;
}

/** Declares `dev` or `start`; the two differ in what they refuse. */
export function declareRun(
  program: Command,
  context: CliContext,
  mode: RunOptions['mode'],
  about: string,
  done: (code: number) => void,
): void {
  const log = mode === 'dev' ? 'pretty' : 'json';
  program
    .command(mode)
    .description(about)
    .argument('[file]', 'config file; millrace.yaml when it exists')
    .option('--api <host:port>', 'api listener', address, '127.0.0.1:4567')
    .option('--gateway <host:port>', 'public listener', address, '127.0.0.1:4568')
    .option('--data <dir>', 'data directory', '.millrace')
    .addOption(
      new Option('--ephemeral', 'keep everything in a temporary folder that goes with the process').conflicts('data'),
    )
    .addOption(
      new Option('--sync <when>', 'when answers are durable; always unless the config says otherwise').choices([
        'always',
        'interval',
        'none',
      ]),
    )
    .addOption(new Option('--log <style>', 'log lines').choices(['pretty', 'json']).default(log))
    .option('--unsafe', 'allow what is refused for safety')
    .action(async (file: string | undefined, flags: Flags) => {
      const { api, gateway, data, ephemeral = false, log: style, sync, unsafe = false } = flags;
      done(await context.run({ mode, file, api, gateway, data, ephemeral, log: style, sync, unsafe }));
    });
}
