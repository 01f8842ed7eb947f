import { messageOf } from '../kernel/errors.ts';
import { Command, CommanderError } from 'commander';
import { CliError, exitCodes, isInvalidConfig, type CliContext } from './context.ts';
import { declareConverters } from './converters.ts';
import { declareDoctor } from './doctor.ts';
import { declareEnv } from './env.ts';
import { declareInspect } from './inspect.ts';
import { declareInvoke } from './invoke.ts';
import { declareLint } from './lint.ts';
import { declarePs } from './ps.ts';
import { declarePut } from './put.ts';
import { declarePreview } from './preview.ts';
import { declareReplay } from './replay.ts';
import { declareRun } from './run-node.ts';
import { declareTail } from './tail.ts';
import { declareTrigger } from './trigger.ts';

/** Runs one command; resolves with the exit code. */
export async function runCli(given: CliContext): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const done = (code: number): void => {
    exitCode = code;
  };
  const program = new Command('millrace')
    .description('The AWS streaming pipeline in one process')
    .version(given.version)
    .option('--profile <name>', 'the AWS profile that signs requests, in place of AWS_ACCESS_KEY_ID (AWS_PROFILE)')
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .configureOutput({ writeOut: (text) => given.out(text), writeErr: (text) => given.err(text) });
  const keyPair = async (): ReturnType<CliContext['keyPair']> =>
    await given.keyPair(program.opts<{ profile?: string }>().profile);
  const context: CliContext = { ...given, keyPair };
  declareRun(program, context, 'dev', 'run everything a config file declares, and reload it on change', done);
  declareRun(program, context, 'start', 'the same for production: JSON logs, no reload, strict', done);
  declareLint(program, context);
  declarePut(program, context);
  declareTail(program, context);
  declareTrigger(program, context);
  declareInspect(program, context);
  declareInvoke(program, context);
  declareConverters(program, context);
  declarePs(program, context);
  declarePreview(program, context);
  declareReplay(program, context);
  declareEnv(program, context);
  declareDoctor(program, context);
  try {
    await program.parseAsync(context.args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return failed(context, error);
  }
}

function failed(context: CliContext, error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (context.interrupted.aborted) return exitCodes.ok;
  const message = messageOf(error);
  context.err(`millrace: ${message}\n`);
  if (error instanceof CliError) return error.exitCode;
  return isInvalidConfig(error) ? exitCodes.invalidConfig : exitCodes.failure;
}
