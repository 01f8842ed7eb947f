import type { Command } from 'commander';
import { parseJson } from '../kernel/json.ts';
import { ApiClient } from './api-client.ts';
import { CliError, exitCodes, type CliContext } from './context.ts';
import { eventsFolder, findEvent, isEventName, savedEvent } from './saved-events.ts';
import { wholeStdin } from './whole-stdin.ts';

interface Flags {
  readonly event?: string;
  readonly save?: string;
  readonly later?: true;
  readonly api?: string;
}

const EMPTY = '{}';

/** `invoke NAME --event FILE|NAME`: runs a function once; its answer on stdout, the end of its log on stderr. */
export function declareInvoke(program: Command, context: CliContext): void {
  program
    .command('invoke')
    .description('run a function of the node with an event')
    .argument('<name>', 'the function')
    .option('--event <event>', 'a file, JSON text, `-` for stdin, or the name of a saved event; {} when absent')
    .option('--save <name>', "keep the event as events/NAME.json beside the node's config file")
    .option('--later', 'only hand it over: it is run soon, and again when it fails')
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (name: string, flags: Flags) => await invoke(context, name, flags));
}

async function invoke(context: CliContext, name: string, flags: Flags): Promise<void> {
  const client = new ApiClient(context, flags.api);
  const folder = await eventsFolder(client);
  const event = await readEvent(context, folder, flags.event);
  if (flags.save !== undefined) await save(context, folder, flags.save, event);
  const headers: Record<string, string> =
    flags.later === true ? { 'x-amz-invocation-type': 'Event' } : { 'x-amz-log-type': 'Tail' };
  const path = `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`;
  const answer = await client.rest(path, 'lambda', event, { ...headers, 'content-type': 'application/json' });
  const text = await answer.text();
  if (!answer.ok) throw new CliError(refusal(answer, text));
  context.err(Buffer.from(answer.headers.get('x-amz-log-result') ?? '', 'base64').toString());
  if (flags.later === true) context.err(`accepted as ${answer.headers.get('x-amzn-requestid') ?? ''}\n`);
  else context.out(`${text}\n`);
  const failure = answer.headers.get('x-amz-function-error');
  if (failure !== null) throw new CliError(`the function ${name} failed`);
}

function refusal(answer: Response, text: string): string {
  const code = answer.headers.get('x-amzn-errortype') ?? String(answer.status);
  try {
    const { message = '' } = JSON.parse(text) as { readonly message?: string };
    return `${code}: ${message}`;
  } catch {
    return `${code}: what answers is no millrace`;
  }
}

async function readEvent(context: CliContext, folder: string, given: string | undefined): Promise<string> {
  if (given === undefined) return EMPTY;
  if (given === '-') return (await wholeStdin(context)).toString();
  if (/^\s*[{["\d-]/.test(given) && isJson(given)) return given;
  const found = await findEvent(context, given, async () => folder);
  if (typeof found !== 'string') return found.toString();
  if (isJson(given)) return given;
  throw new CliError(found, exitCodes.usage);
}

function isJson(text: string): boolean {
  return parseJson(text) !== undefined;
}

async function save(context: CliContext, folder: string, name: string, event: string): Promise<void> {
  if (!isEventName(name)) throw new CliError('a saved event has a name of letters, digits, _ . and -', exitCodes.usage);
  if (!isJson(event)) throw new CliError('the event is no JSON; it was not saved', exitCodes.usage);
  const path = savedEvent(folder, name);
  await context.writeFile(path, `${event.trimEnd()}\n`);
  context.err(`saved as ${path}\n`);
}
