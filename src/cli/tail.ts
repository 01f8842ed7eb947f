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
  readonly shard?: string;
  readonly key?: string;
  readonly content?: string;
  readonly follow: boolean;
}

interface Viewed {
  readonly shardId: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber?: number;
  readonly partitionKey: string;
  readonly redeliveryOf?: string;
  readonly arrival: string;
  readonly data: string;
}

interface Page {
  readonly records: readonly Viewed[];
  readonly next: string;
  readonly atEnd: boolean;
  readonly damaged: readonly { readonly shardId: string; readonly from: string; readonly next: string }[];
}

/** `tail STREAM`: the records of all shards as they come. */
export function declareTail(program: Command, context: CliContext): void {
  program
    .command('tail')
    .description('print records of all shards as they come')
    .argument('<stream>')
    .option(
      '--from <place>',
      'TRIM_HORIZON, LATEST, a sequence number or a time such as 2026-01-31T12:00:00Z',
      'LATEST',
    )
    .option('--shard <id>', 'only of this shard')
    .option('--key <key>', 'only with this partition key')
    .option('--content <text>', 'only with this text in their data')
    .option('--json', 'one JSON object a line')
    .option('--limit <count>', 'end after so many records', count)
    .option('--no-follow', 'end when all there is was printed')
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
  let place: Query = { from: flags.from };
  // The first question only fixes the place, so that nothing is missed between it and the first wait.
  for (let waitMs = 0; left > 0 && !context.interrupted.aborted; waitMs = flags.follow ? WAIT_MS : 0) {
    const asked = new URLSearchParams({
      ...place,
      limit: `${Math.min(left, PAGE)}`,
      waitMs: `${waitMs}`,
      ...wanted(flags),
    });
    const page = (await client.admin('GET', `${path}?${asked.toString()}`)) as Page;
    for (const record of page.records) context.out(print(record, flags));
    // No page waits in memory for a reader that is slower than the node.
    await context.taken();
    for (const damaged of page.damaged) context.err(`millrace: ${describeDamage(damaged)}\n`);
    if (page.atEnd && !flags.follow) return;
    left -= page.records.length;
    place = { after: page.next };
  }
}

type Query = Readonly<Record<string, string>>;

function wanted({ shard, key, content }: Flags): Query {
  return {
    ...(shard !== undefined && { shard }),
    ...(key !== undefined && { key }),
    ...(content !== undefined && { content }),
  };
}

function describeDamage({ shardId, from, next }: Page['damaged'][number]): string {
  const place = `records of ${shardId} from ${from} up to ${next}`;
  return `${place} cannot be read: the disk does not hold what was written. What follows is printed.`;
}

function print(record: Viewed, flags: Flags): string {
  const { shardId, sequenceNumber, subSequenceNumber, partitionKey, redeliveryOf, arrival, data } = record;
  const bytes = Buffer.from(data, 'base64');
  const text = bytes.toString();
  const isText = Buffer.from(text).equals(bytes);
  if (flags.json === true) {
    const content = isText ? { data: text } : { dataBase64: data };
    const named = { shardId, sequenceNumber, subSequenceNumber, partitionKey, redeliveryOf, arrival };
    return `${JSON.stringify({ ...named, ...content })}\n`;
  }
  const shown = isText ? printable(text) : `<${bytes.length} bytes> ${bytes.subarray(0, 32).toString('hex')}`;
  const again = redeliveryOf === undefined ? '' : `[redelivery of ${printable(redeliveryOf)}] `;
  return `${arrival} ${shardId} ${printable(partitionKey)} ${again}${shown}\n`;
}

/** A record must not be able to steer the terminal it is shown in, nor to turn its text around. */
function printable(text: string): string {
  return text
    .trimEnd()
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (control) =>
      control === '\n' || control === '\t' ? ' ' : `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
}
