import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';
import { table } from './table.ts';

interface Flags {
  readonly api?: string;
  readonly json?: true;
  readonly record?: string;
}

interface Explained {
  readonly name: string;
  readonly state: string;
  readonly source: string;
  readonly destination: string;
  readonly failure?: string;
  readonly objectsDelivered: number;
  readonly recordsDelivered: number;
  readonly recordsFailed: number;
  readonly recordsLost?: number;
  readonly possibleDuplicates?: number;
  readonly unprocessedRecords?: number;
  readonly buffer?: {
    readonly records: number;
    readonly bytes: number;
    readonly bytesMax: number;
    readonly intervalMs: number;
    readonly dueInMs?: number;
  };
  readonly backup?: {
    readonly objectsDelivered: number;
    readonly recordsDelivered: number;
    readonly lagRecords: number;
    readonly lastObject?: string;
    readonly failure?: string;
  };
  readonly underway?: { readonly place: string; readonly records: number; readonly bytes: number };
  readonly nextAttemptInMs?: number;
  readonly replays?: readonly {
    readonly id: string;
    readonly state: string;
    readonly recordsDelivered: number;
    readonly failure?: string;
  }[];
  readonly shards?: readonly {
    readonly shardId: string;
    readonly position: string;
    readonly lagRecords: number;
    readonly lagMs: number | null;
  }[];
  readonly attempts?: readonly {
    readonly at: string;
    readonly ms: number;
    readonly outcome: string;
    readonly status?: number;
    readonly records: number;
    readonly refused: number;
    readonly code?: string;
    readonly message?: string;
  }[];
}

/** `inspect DELIVERY`: what a delivery does and what keeps it, or where one of its records went. */
export function declareInspect(program: Command, context: CliContext): void {
  program
    .command('inspect')
    .description('what a delivery does and what keeps it: buffer, position and lag, last attempts; where a record went')
    .argument('<delivery>', 'its name')
    .option('--record <id>', 'a sequence number of its stream, or the RecordId of what was put to it')
    .option('--json', 'as JSON')
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (name: string, flags: Flags) => {
      const client = new ApiClient(context, flags.api);
      const path = `/admin/deliveries/${encodeURIComponent(name)}`;
      const isRecord = flags.record !== undefined;
      const asked = isRecord ? `${path}/records/${encodeURIComponent(flags.record ?? '')}` : path;
      const value = await client.admin('GET', asked);
      if (flags.json === true) context.out(`${JSON.stringify(value)}\n`);
      else
        context.out(isRecord ? membersOf(value as Readonly<Record<string, unknown>>) : explained(value as Explained));
    });
}

function membersOf(value: Readonly<Record<string, unknown>>): string {
  return table(Object.entries(value).map(([name, one]) => [name, typeof one === 'string' ? one : JSON.stringify(one)]));
}

function explained(delivery: Explained): string {
  const parts = [summaryOf(delivery), shardsOf(delivery), attemptsOf(delivery)];
  return parts.filter((part) => part !== '').join('\n');
}

function summaryOf(delivery: Explained): string {
  const { name, source, destination, state, failure, buffer, underway, nextAttemptInMs } = delivery;
  const rows = [
    ['delivery', `${name}: ${source} -> ${destination}`],
    ['state', failure === undefined ? state : `${state}: ${failure}`],
    ['delivered', `${delivery.recordsDelivered} records in ${delivery.objectsDelivered} batches`],
    ['failed', `${delivery.recordsFailed} records`],
  ];
  if ((delivery.recordsLost ?? 0) > 0)
    rows.push(['lost', `${delivery.recordsLost} records, gone before they were delivered`]);
  if ((delivery.possibleDuplicates ?? 0) > 0)
    rows.push(['repeated', `${delivery.possibleDuplicates} records may have arrived twice`]);
  if (delivery.unprocessedRecords !== undefined)
    rows.push(['unprocessed', `${delivery.unprocessedRecords} records wait for the function`]);
  if (buffer !== undefined) rows.push(['buffer', bufferText(buffer)]);
  if (underway !== undefined)
    rows.push(['under way', `${underway.records} records, ${underway.bytes} bytes to ${underway.place}`]);
  if (nextAttemptInMs !== undefined) rows.push(['next attempt', `in ${seconds(nextAttemptInMs)}`]);
  return table([...rows, ...backupRows(delivery), ...replayRows(delivery)]);
}

/** Those to it that have not ended. */
function replayRows({ replays = [] }: Explained): string[][] {
  return replays.map(({ id, state, recordsDelivered, failure }) => {
    const why = failure === undefined ? '' : `: ${failure}`;
    return ['replay', `${id} ${state}, ${recordsDelivered} records delivered${why}`];
  });
}

/** Of the reader that writes each record to a bucket as it came. */
function backupRows({ backup }: Explained): string[][] {
  if (backup === undefined) return [];
  const { objectsDelivered, recordsDelivered, lagRecords, lastObject, failure } = backup;
  return [
    ['backup', `${recordsDelivered} records in ${objectsDelivered} objects, ${lagRecords} wait`],
    ...(lastObject === undefined ? [] : [['', `last ${lastObject}`]]),
    ...(failure === undefined ? [] : [['', `retrying: ${failure}`]]),
  ];
}

function bufferText({ records, bytes, bytesMax, intervalMs, dueInMs }: NonNullable<Explained['buffer']>): string {
  const due =
    dueInMs === undefined ? `leaves ${seconds(intervalMs)} after its first record` : `leaves in ${seconds(dueInMs)}`;
  return `${records} records, ${bytes} of ${bytesMax} bytes, ${due}`;
}

function shardsOf({ shards = [] }: Explained): string {
  if (shards.length === 0) return '';
  const rows = shards.map(({ shardId, position, lagRecords, lagMs }) => [
    shardId,
    position,
    String(lagRecords),
    lagMs === null ? 'not known' : seconds(lagMs),
  ]);
  return table([['SHARD', 'POSITION', 'WAITING', 'LAG'], ...rows]);
}

function attemptsOf({ attempts = [] }: Explained): string {
  if (attempts.length === 0) return '';
  const rows = attempts.map(({ at, ms, outcome, status, records, refused, code = '', message = '' }) => [
    at,
    `${ms} ms`,
    outcome,
    status === undefined ? '' : String(status),
    String(records),
    String(refused),
    code === '' ? '' : `${code}: ${message.replace(/\s+/g, ' ')}`,
  ]);
  return table([['ATTEMPT', 'TOOK', 'OUTCOME', 'STATUS', 'ARRIVED', 'REFUSED', 'REASON'], ...rows]);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
