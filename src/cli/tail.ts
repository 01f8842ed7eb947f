import { InvalidArgumentError, type Command } from 'commander';
import { ApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';

const WAIT_MS = 20_000;
const PAGE = 1000;

interface Flags {
  readonly api?: string;
  readonly from: string;
  readonly json?: true;
  readonly limit?: number;
}

interface Viewed {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly arrival: string;
  readonly data: string;
}

/** `tail STREAM`: the records of all shards as they come. */
export function declareTail(program: Command, context: CliContext): void {
  program
    .command('tail')
    .description('print records of all shards as they come')
    .argument('<stream>')
    .option('--from <place>', 'TRIM_HORIZON, LATEST or a time such as 2026-01-31T12:00:00Z', 'LATEST')
    .option('--json', 'one JSON object a line')
    .option('--limit <count>', 'end after so many records', count)
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (stream: string, flags: Flags) => await tail(context, stream, flags));
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number above 0.');
  return Number(text);
}

async function tail(context: CliContext, stream: string, flags: Flags): Promise<void> {
  const client = new ApiClient(context, flags.api);
  const path = `/admin/streams/${encodeURIComponent(stream)}/records`;
  let left = flags.limit ?? Infinity;
  let place = `from=${encodeURIComponent(flags.from)}`;
  // The first question only fixes the place, so that nothing is missed between it and the first wait.
  for (let waitMs = 0; left > 0 && !context.interrupted.aborted; waitMs = WAIT_MS) {
    const query = `${place}&limit=${Math.min(left, PAGE)}&waitMs=${waitMs}`;
    const page = (await client.admin('GET', `${path}?${query}`)) as { records: readonly Viewed[]; next: string };
    for (const record of page.records) context.out(print(record, flags));
    left -= page.records.length;
    place = `after=${encodeURIComponent(page.next)}`;
  }
}

function print(record: Viewed, flags: Flags): string {
  const { shardId, sequenceNumber, partitionKey, arrival, data } = record;
  const bytes = Buffer.from(data, 'base64');
  const text = bytes.toString();
  const isText = Buffer.from(text).equals(bytes);
  if (flags.json === true) {
    const content = isText ? { data: text } : { dataBase64: data };
    return `${JSON.stringify({ shardId, sequenceNumber, partitionKey, arrival, ...content })}\n`;
  }
  const shown = isText ? printable(text) : `<${bytes.length} bytes> ${bytes.subarray(0, 32).toString('hex')}`;
  return `${arrival} ${shardId} ${printable(partitionKey)} ${shown}\n`;
}

/** A record must not be able to steer the terminal it is shown in, nor to turn its text around. */
function printable(text: string): string {
  return text
    .trimEnd()
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (control) =>
      control === '\n' || control === '\t' ? ' ' : `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
}
