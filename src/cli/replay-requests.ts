import { ApiClient } from './api-client.ts';
import { CliError, exitCodes, type CliContext } from './context.ts';

/** As much of the flags of `replay` as requests have. */
interface Flags {
  readonly api?: string;
  readonly json?: true;
  readonly from?: string;
  readonly to?: string;
  readonly errors?: true;
  readonly dryRun?: true;
  readonly again?: true;
  readonly rate?: string;
  readonly toTarget?: string;
}

interface Result {
  readonly id: string;
  readonly outcome: string;
  readonly code?: string;
}

interface Page {
  readonly results: readonly Result[];
  readonly next?: string;
}

const REQUEST_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ROUTE = /^[A-Z]+ \//;
/** Calls that get no further, each of a second, after which the command ends. */
const IDLE_CALLS_MAX = 30;

/** Whether the target of `replay` is a route whose requests are meant. */
export function isRouteTarget(target: string): boolean {
  return ROUTE.test(target);
}

/** Whether it is a number: of a request, unless it is the name of a stream or delivery, which need more words. */
export function isRequestNumber(target: string): boolean {
  return /^\d{1,15}$/.test(target);
}

/** Whether the target of `replay` is a request of the log, or a route whose requests are meant. */
export function isRequestTarget(target: string): boolean {
  return REQUEST_ID.test(target) || isRouteTarget(target);
}

/** `replay REQUEST_ID` and `replay "POST /path" --from TIME`. */
export async function replayRequests(context: CliContext, target: string, flags: Flags): Promise<void> {
  if (flags.errors === true) throw new CliError('--errors is for deliveries', exitCodes.usage);
  const client = new ApiClient(context, flags.api);
  const results = isRouteTarget(target)
    ? await replayRoute(context, client, target, flags)
    : [await replayOne(client, target, flags)];
  if (flags.json === true) context.out(`${JSON.stringify(results)}\n`);
  else
    for (const { id, outcome, code } of results)
      context.out(`${id} ${outcome}${code === undefined ? '' : ` ${code}`}\n`);
  if (results.some(({ outcome }) => outcome === 'refused')) throw new CliError('some were refused');
}

async function replayOne(client: ApiClient, id: string, flags: Flags): Promise<Result> {
  return (await client.admin('POST', `/admin/requests/${id}/redeliver?${wordsOf(flags).toString()}`)) as Result;
}

function wordsOf({ again, dryRun, rate, toTarget }: Flags): URLSearchParams {
  return new URLSearchParams({
    again: String(again === true),
    dryRun: String(dryRun === true),
    ...(rate !== undefined && { rate }),
    ...(toTarget !== undefined && { target: toTarget }),
  });
}

/** Call after call, each of them bounded, until the node has no more. */
async function replayRoute(
  context: CliContext,
  client: ApiClient,
  route: string,
  flags: Flags,
): Promise<readonly Result[]> {
  const { from, to, dryRun } = flags;
  if (from === undefined) throw new CliError('say from when on: --from TIME', exitCodes.usage);
  const query = wordsOf(flags);
  query.set('route', route);
  query.set('from', from);
  // A window that is still open would meet what it sends on itself.
  query.set('to', to ?? new Date(context.now()).toISOString());
  const results: Result[] = [];
  for (let idle = 0; ;) {
    const page = (await client.admin('POST', `/admin/requests/redeliver?${query.toString()}`)) as Page;
    results.push(...page.results);
    context.err(`${results.length} ${dryRun === true ? 'looked at' : 'done'}\n`);
    if (page.next === undefined || context.interrupted.aborted) return results;
    // The node could do nothing with the next one for a second: its stream is away, or its function is busy.
    idle = page.results.length === 0 && page.next === query.get('after') ? idle + 1 : 0;
    if (idle >= IDLE_CALLS_MAX) return [...results, { id: page.next, outcome: 'refused', code: 'ServiceUnavailable' }];
    query.set('after', page.next);
  }
}
