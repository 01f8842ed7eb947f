import type { ApiClient } from './api-client.ts';
import { CliError, exitCodes } from './context.ts';
import { isRouteTarget } from './replay-requests.ts';

/** As much of the flags of `replay` as records of requests have. */
interface Flags {
  readonly errors?: true;
  readonly from?: string;
  readonly to?: string;
  readonly again?: true;
  readonly rate?: string;
  readonly toTarget?: string;
}

interface Logged {
  readonly id: string;
  readonly stream?: string;
  readonly sequenceNumber?: string;
  readonly records?: number;
  readonly redeliveryOf?: string;
}

interface Page {
  readonly requests: readonly Logged[];
  readonly next?: string;
}

/** Records of one stream, at most as many as one replay takes. */
export interface RecordSelection {
  readonly stream: string;
  readonly sequenceNumbers: readonly string[];
}

const RECORDS_PER_REPLAY = 1000;
/** Of one call of the command: what is named stays in memory. */
const RECORDS_MAX = 100_000;

/** The records that a request of the log became, or the requests that a route accepted in a span of time. */
export async function recordsOfRequests(
  client: ApiClient,
  target: string,
  flags: Flags,
): Promise<readonly RecordSelection[]> {
  if (flags.errors ?? flags.again ?? flags.rate ?? flags.toTarget) {
    throw new CliError('--to-delivery takes none of --errors, --again, --rate and --to-target', exitCodes.usage);
  }
  const logged = isRouteTarget(target)
    ? await acceptedBy(client, target, flags)
    : [(await client.admin('GET', `/admin/requests/${target}`)) as Logged];
  const many = logged.find(({ records }) => records !== undefined);
  if (many !== undefined) {
    // Its entry names the last of them only.
    const of = `request ${many.id} became ${many.records} records of ${many.stream}`;
    throw new CliError(`${of}: replay the stream with --from and --to`);
  }
  const selections = selected(logged);
  if (selections.length === 0) throw new CliError('none of these requests became a record');
  return selections;
}

/** Without what was sent on again later: a window means what came in. */
async function acceptedBy(client: ApiClient, route: string, { from, to }: Flags): Promise<readonly Logged[]> {
  if (from === undefined) throw new CliError('say from when on: --from TIME', exitCodes.usage);
  const query = new URLSearchParams({ route, from, outcome: 'accepted', limit: '500' });
  if (to !== undefined) query.set('to', to);
  const found: Logged[] = [];
  for (;;) {
    const page = (await client.admin('GET', `/admin/requests?${query.toString()}`)) as Page;
    found.push(...page.requests.filter(({ redeliveryOf }) => redeliveryOf === undefined));
    if (found.length > RECORDS_MAX) throw new CliError(`more than ${RECORDS_MAX} records: take a shorter time`);
    if (page.next === undefined) return found.reverse();
    query.set('before', page.next);
  }
}

function selected(logged: readonly Logged[]): readonly RecordSelection[] {
  const byStream = new Map<string, string[]>();
  for (const { stream, sequenceNumber } of logged) {
    if (stream === undefined || sequenceNumber === undefined) continue;
    const numbers = byStream.get(stream) ?? [];
    byStream.set(stream, numbers);
    numbers.push(sequenceNumber);
  }
  return [...byStream].flatMap(([stream, numbers]) =>
    Array.from({ length: Math.ceil(numbers.length / RECORDS_PER_REPLAY) }, (_, index) => ({
      stream,
      sequenceNumbers: numbers.slice(index * RECORDS_PER_REPLAY, (index + 1) * RECORDS_PER_REPLAY),
    })),
  );
}
