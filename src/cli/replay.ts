import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import { CliError, exitCodes, type CliContext } from './context.ts';
import { isRequestNumber, isRequestTarget, replayRequests } from './replay-requests.ts';
import { recordsOfRequests } from './request-records.ts';

interface Flags {
  readonly api?: string;
  readonly json?: true;
  readonly errors?: true;
  readonly from?: string;
  readonly to?: string;
  readonly toDelivery?: string;
  readonly dryRun?: true;
  readonly again?: true;
  readonly rate?: string;
  readonly toTarget?: string;
  readonly cancel?: string;
}

interface Counted {
  readonly id: string;
  readonly delivery: string;
  readonly stream?: string;
  readonly records?: number;
  readonly errorsOf?: string;
  readonly objects?: number;
  readonly unprocessedObjects?: number;
  readonly more?: true;
}

interface Status extends Counted {
  readonly state: string;
  readonly recordsDelivered: number;
  readonly recordsFailed: number;
  readonly failure?: string;
}

/** `replay TARGET`: delivers records once more. */
export function declareReplay(program: Command, context: CliContext): void {
  program
    .command('replay')
    .description('deliver records once more, or hand requests of the log to their routes once more')
    .argument('<target>', 'a delivery, with --to-delivery a stream, the id of a request, or a route: `POST /path`')
    .option('--errors', 'what stands in the error objects of the delivery')
    .option('--from <time>', 'records that arrived from then on: ISO 8601, or seconds since 1970')
    .option('--to <time>', 'records that arrived before then; now when absent')
    .option('--to-delivery <name>', 'the delivery that gets them; the target itself when absent')
    .option('--cancel <id>', 'end a replay to the delivery, as `ps` shows it; what it delivered stays')
    .option('--again', 'of requests: those, too, that have their record')
    .option('--to-target <name>', 'of requests: a server of `gateway.redeliverTo`, in place of their route')
    .option('--rate <number>', 'of requests: so many a second; 100 when absent')
    .option('--dry-run', 'only count them; of requests, say what would become of them')
    .option('--json', 'the result as JSON')
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (target: string, flags: Flags) => await replay(context, target, flags));
}

async function replay(context: CliContext, target: string, flags: Flags): Promise<void> {
  if (flags.cancel !== undefined) return await cancel(context, target, flags.cancel, flags);
  const isNumber = isRequestNumber(target) && flags.errors !== true && flags.from === undefined;
  if (isNumber || isRequestTarget(target)) return await replayOf(context, target, flags);
  if (flags.errors !== true && flags.from === undefined) {
    throw new CliError('say what: --errors, or --from TIME', exitCodes.usage);
  }
  const client = new ApiClient(context, flags.api);
  const planned = (await client.admin('POST', await pathOf(client, target, flags))) as Counted;
  context.err(`${said(planned)}\n`);
  const ended = flags.dryRun === true ? undefined : await followed(context, client, planned);
  if (flags.json === true) context.out(`${JSON.stringify(ended ?? planned)}\n`);
  else if (ended !== undefined) context.out(`${ended.recordsDelivered} delivered, ${ended.recordsFailed} failed\n`);
}

async function cancel(context: CliContext, delivery: string, id: string, flags: Flags): Promise<void> {
  const { errors, from, to, toDelivery, dryRun, again, toTarget, rate } = flags;
  if ([errors, from, to, toDelivery, dryRun, again, toTarget, rate].some((one) => one !== undefined)) {
    throw new CliError('--cancel ends a replay: nothing else is said beside it', exitCodes.usage);
  }
  const client = new ApiClient(context, flags.api);
  const ended = (await client.admin('DELETE', pathOfReplay({ delivery, id }))) as Status;
  if (flags.json === true) return context.out(`${JSON.stringify(ended)}\n`);
  context.out(`${ended.state}: ${ended.recordsDelivered} delivered, ${ended.recordsFailed} failed\n`);
}

/** Requests go to their route or a server elsewhere, the records they became to a delivery. */
async function replayOf(context: CliContext, target: string, flags: Flags): Promise<void> {
  const { toDelivery, dryRun } = flags;
  if (toDelivery === undefined) return await replayRequests(context, target, flags);
  const client = new ApiClient(context, flags.api);
  const ended: Counted[] = [];
  for (const { stream, sequenceNumbers } of await recordsOfRequests(client, target, flags)) {
    const query = new URLSearchParams({ stream, dryRun: String(dryRun === true) });
    const path = `/admin/deliveries/${encodeURIComponent(toDelivery)}/replay?${query.toString()}`;
    const body = JSON.stringify({ sequenceNumbers });
    const planned = (await client.admin('POST', path, { body })) as Counted;
    context.err(`${said(planned)}\n`);
    ended.push(dryRun === true ? planned : await followed(context, client, planned));
  }
  if (flags.json === true) return context.out(`${JSON.stringify(ended)}\n`);
  const sum = (name: 'recordsDelivered' | 'recordsFailed'): number =>
    (ended as Status[]).reduce((total, { [name]: count }) => total + count, 0);
  if (dryRun !== true) context.out(`${sum('recordsDelivered')} delivered, ${sum('recordsFailed')} failed\n`);
}

/** A target that is no delivery is a stream. */
async function pathOf(client: ApiClient, target: string, flags: Flags): Promise<string> {
  const { deliveries } = (await client.admin('GET', '/admin/deliveries')) as {
    deliveries: readonly { name: string }[];
  };
  const isDelivery = deliveries.some(({ name }) => name === target);
  if (!isDelivery && flags.toDelivery === undefined) {
    throw new CliError(`no delivery ${target}; of a stream, say to which --to-delivery`);
  }
  const query = new URLSearchParams();
  if (!isDelivery) query.set('stream', target);
  else if (flags.toDelivery !== undefined) query.set('toDelivery', flags.toDelivery);
  if (flags.errors === true) query.set('errors', 'true');
  if (flags.from !== undefined) query.set('from', flags.from);
  if (flags.to !== undefined) query.set('to', flags.to);
  if (flags.dryRun === true) query.set('dryRun', 'true');
  const name = isDelivery ? target : (flags.toDelivery ?? target);
  return `/admin/deliveries/${encodeURIComponent(name)}/replay?${query.toString()}`;
}

function said({ delivery, stream, records, errorsOf, objects, unprocessedObjects: left, more }: Counted): string {
  const what =
    errorsOf === undefined ? `up to ${records} records of ${stream}` : `${objects} error objects of ${errorsOf}`;
  const leaves = left === undefined ? '' : ` (${left} of type processing-failed are not replayed)`;
  const rest = more === true ? '; there are more: do it again when these are removed' : '';
  return `${what} to ${delivery}${leaves}${rest}`;
}

function pathOfReplay({ delivery, id }: Pick<Counted, 'delivery' | 'id'>): string {
  return `/admin/deliveries/${encodeURIComponent(delivery)}/replays/${encodeURIComponent(id)}`;
}

/** Shows how far it is until its end. */
async function followed(context: CliContext, client: ApiClient, planned: Counted): Promise<Status> {
  let shown = '';
  for (;;) {
    const status = await statusOf(context, client, planned);
    const failure = status.failure === undefined ? '' : `, ${status.failure}`;
    const line = `${status.state}: ${status.recordsDelivered} delivered${failure}`;
    if (line !== shown) context.err(`${line}\n`);
    shown = line;
    if (status.state === 'done') return status;
    if (status.state === 'failed' || status.state === 'cancelled') throw new CliError(`the replay ended: ${line}`);
  }
}

/** Who looks no longer does not end it. */
async function statusOf(context: CliContext, client: ApiClient, { delivery, id }: Counted): Promise<Status> {
  try {
    return (await client.admin('GET', pathOfReplay({ delivery, id }), { signal: context.interrupted })) as Status;
  } catch (error) {
    if (context.interrupted.aborted)
      context.err(`it goes on: \`millrace replay ${delivery} --cancel ${id}\` ends it\n`);
    throw error;
  }
}
