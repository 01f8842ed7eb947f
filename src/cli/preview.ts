import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import { CliError, exitCodes, type CliContext } from './context.ts';
import { eventsFolder, findEvent } from './saved-events.ts';
import { table } from './table.ts';
import { wholeStdin } from './whole-stdin.ts';

interface Flags {
  readonly event: string;
  readonly lines?: true;
  readonly key?: string;
  readonly json?: true;
  readonly api?: string;
}

interface Preview {
  readonly destination: string;
  readonly place: string;
  readonly failedPlace?: string;
  readonly refusedPlace?: string;
  readonly bytes: number;
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

/** `preview DELIVERY --event FILE|NAME`: what would become of sample records, without storing or sending anything. */
export function declarePreview(program: Command, context: CliContext): void {
  program
    .command('preview')
    .description('what a delivery would make of sample records, and where they would arrive; nothing is stored or sent')
    .argument('<delivery>', 'its name')
    .requiredOption('--event <event>', 'a file, `-` for stdin, or the name of a saved event: one record')
    .option('--lines', 'each line of it is a record')
    .option('--key <key>', 'their partition key')
    .option('--json', 'as JSON')
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (name: string, flags: Flags) => await preview(context, name, flags));
}

async function preview(context: CliContext, name: string, flags: Flags): Promise<void> {
  const client = new ApiClient(context, flags.api);
  const bytes = await sampleBytes(context, client, flags.event);
  const samples = flags.lines === true ? linesOf(bytes) : [bytes];
  const records = samples.map((data) => ({
    data: data.toString('base64'),
    ...(flags.key !== undefined && { partitionKey: flags.key }),
  }));
  const path = `/admin/deliveries/${encodeURIComponent(name)}/preview`;
  const value = await client.admin('POST', path, { body: JSON.stringify({ records }) });
  context.out(flags.json === true ? `${JSON.stringify(value)}\n` : shown(value as Preview));
}

async function sampleBytes(context: CliContext, client: ApiClient, given: string): Promise<Buffer> {
  if (given === '-') return await wholeStdin(context);
  const found = await findEvent(context, given, async () => await eventsFolder(client));
  if (typeof found === 'string') throw new CliError(found, exitCodes.usage);
  return found;
}

function linesOf(bytes: Buffer): readonly Buffer[] {
  const lines = bytes.toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => Buffer.from(line, 'latin1'));
}

function shown({ destination, place, failedPlace, refusedPlace, bytes, records }: Preview): string {
  const head = table([
    ['destination', destination],
    ['place', place],
    ...(failedPlace === undefined ? [] : [['what failed', failedPlace]]),
    ...(refusedPlace === undefined ? [] : [['what is refused', refusedPlace]]),
    ['bytes', String(bytes)],
  ]);
  const rows = records.map(({ result, text, data, ...rest }, index) => [
    String(index),
    String(result),
    typeof text === 'string' ? text : typeof data === 'string' ? data : '',
    Object.keys(rest).length === 0 ? '' : JSON.stringify(rest),
  ]);
  return `${head}\n${table([['RECORD', 'RESULT', 'DATA', 'ALSO'], ...rows])}`;
}
