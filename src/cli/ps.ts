import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import type { CliContext } from './context.ts';
import { table } from './table.ts';

interface Flags {
  readonly api?: string;
  readonly json?: true;
}

interface Streams {
  readonly streams: readonly {
    readonly name: string;
    readonly mode: string;
    readonly managed: string;
    readonly records: number;
    readonly shards: readonly { readonly open: boolean }[];
  }[];
}

interface Deliveries {
  readonly deliveries: readonly {
    readonly name: string;
    readonly state: string;
    readonly managed: string;
    readonly source: string;
    readonly objectsDelivered: number;
    readonly recordsWaiting?: number;
    readonly failure?: string;
    /** To it, and not at their end. */
    readonly replays?: readonly Replay[];
  }[];
}

interface Replay {
  readonly id: string;
  readonly delivery: string;
  readonly state: string;
  readonly stream?: string;
  readonly errorsOf?: string;
  readonly recordsDelivered: number;
  readonly recordsFailed: number;
  readonly failure?: string;
}

interface Routes {
  readonly routes: readonly {
    readonly method: string;
    readonly path: string;
    readonly verify: string;
    readonly stream?: string;
    readonly destination?: string;
    readonly function?: string;
    readonly accepted: number;
    readonly duplicate: number;
    readonly answered?: number;
  }[];
}

interface Pulls {
  readonly pulls: readonly {
    readonly name: string;
    readonly route?: string;
    readonly state: string;
    readonly problem?: string;
    readonly managed: string;
    readonly missed: number;
    readonly stored: number;
    readonly repeated: number;
    readonly refused: number;
    readonly lost: number;
    readonly settledTo?: string;
  }[];
}

interface Sources {
  readonly sources: readonly {
    readonly name: string;
    readonly kind?: string;
    readonly state: string;
    readonly managed: string;
    readonly problem?: string;
    readonly to?: string;
    readonly function?: string;
    readonly stored: number;
    readonly repeated: number;
    readonly reconnects: number;
    readonly lastId?: string;
    readonly lagMs?: number;
  }[];
}

interface Functions {
  readonly functions: readonly {
    readonly name: string;
    readonly runtime: string;
    readonly state: string;
    readonly problem?: string;
    readonly processes: number;
    readonly running: number;
    readonly waiting: number;
    readonly invocations: number;
    readonly failures: number;
  }[];
}

/** Said only where an answer does not mean that a record survives a power cut. */
function syncLine(sync: string): string {
  return sync === 'always' ? '' : `sync: ${sync} (answers do not wait for the disk)\n`;
}

/** `ps`: what the node runs, and how it fares. */
export function declarePs(program: Command, context: CliContext): void {
  program
    .command('ps')
    .description('streams, routes, sources, functions and deliveries of the node')
    .option('--json', 'as JSON')
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (flags: Flags) => {
      const client = new ApiClient(context, flags.api);
      const { streams } = (await client.admin('GET', '/admin/streams')) as Streams;
      const { routes } = (await client.admin('GET', '/admin/routes')) as Routes;
      const { pulls } = (await client.admin('GET', '/admin/pulls')) as Pulls;
      const { sources } = (await client.admin('GET', '/admin/sources')) as Sources;
      const { functions } = (await client.admin('GET', '/admin/functions')) as Functions;
      const { deliveries } = (await client.admin('GET', '/admin/deliveries')) as Deliveries;
      const { sync } = await client.facts();
      if (flags.json === true) {
        context.out(`${JSON.stringify({ sync, streams, routes, pulls, sources, functions, deliveries })}\n`);
        return;
      }
      const tables = [
        streamTable(streams),
        routeTable(routes),
        pullTable(pulls),
        sourceTable(sources),
        functionTable(functions),
        deliveryTable(deliveries),
        replayTable(deliveries.flatMap(({ replays = [] }) => replays)),
      ];
      context.out([syncLine(sync), ...tables].filter(Boolean).join('\n'));
    });
}

function streamTable(streams: Streams['streams']): string {
  const rows = streams.map(({ name, mode, shards, records, managed }) => [
    name,
    mode,
    String(shards.filter(({ open }) => open).length),
    String(records),
    managed,
  ]);
  return table([['STREAM', 'MODE', 'SHARDS', 'RECORDS', 'MANAGED'], ...rows]);
}

function routeTable(routes: Routes['routes']): string {
  if (routes.length === 0) return '';
  const rows = routes.map(({ method, path, verify, accepted, duplicate, answered = 0, ...to }) => [
    `${method} ${path}`,
    verify,
    to.stream ?? to.destination ?? `function ${to.function ?? ''}`,
    String(to.function === undefined ? accepted : answered),
    String(duplicate),
  ]);
  return table([['ROUTE', 'VERIFY', 'TO', 'ACCEPTED', 'REPEATED'], ...rows]);
}

function pullTable(pulls: Pulls['pulls']): string {
  if (pulls.length === 0) return '';
  const rows = pulls.map((one) => [
    one.name,
    one.route ?? '',
    one.problem === undefined ? one.state : `${one.state}: ${one.problem}`,
    ...[one.stored, one.repeated, one.refused, one.lost, one.missed].map(String),
    one.settledTo ?? '',
    one.managed,
  ]);
  const head = ['PULL', 'ROUTE', 'STATE', 'STORED', 'REPEATED', 'REFUSED', 'LOST', 'WAITING', 'SETTLED TO', 'MANAGED'];
  return table([head, ...rows]);
}

/** An id of many parts says little in a table; `--json` has all of it. */
const ID_CHARACTERS_SHOWN = 32;

function sourceTable(sources: Sources['sources']): string {
  if (sources.length === 0) return '';
  const rows = sources.map((one) => [
    one.name,
    one.kind ?? '',
    one.problem === undefined ? one.state : `${one.state}: ${one.problem}`,
    one.to ?? one.function ?? '',
    ...[one.stored, one.repeated, one.reconnects].map(String),
    one.lagMs === undefined ? '' : String(one.lagMs),
    printable(one.lastId ?? ''),
    one.managed,
  ]);
  const head = ['SOURCE', 'KIND', 'STATE', 'TO', 'STORED', 'REPEATED', 'RECONNECTS', 'LAG MS', 'LAST ID', 'MANAGED'];
  return table([head, ...rows]);
}

/** Ids are the other side's: no control character of theirs reaches a terminal. */
function printable(id: string): string {
  const text = id.replaceAll(/\p{Cc}/gu, '?');
  return text.length <= ID_CHARACTERS_SHOWN ? text : `${text.slice(0, ID_CHARACTERS_SHOWN)}...`;
}

function functionTable(functions: Functions['functions']): string {
  if (functions.length === 0) return '';
  const rows = functions.map((one) => [
    one.name,
    one.runtime,
    one.problem === undefined ? one.state : `${one.state}: ${one.problem}`,
    ...[one.processes, one.running, one.waiting, one.invocations, one.failures].map(String),
  ]);
  return table([['FUNCTION', 'RUNTIME', 'STATE', 'PROCESSES', 'RUNNING', 'WAITING', 'RUNS', 'FAILED'], ...rows]);
}

function deliveryTable(deliveries: Deliveries['deliveries']): string {
  if (deliveries.length === 0) return '';
  const rows = deliveries.map(
    ({ name, source, state, objectsDelivered, recordsWaiting = 0, managed, failure = '' }) => [
      name,
      source,
      failure === '' ? state : `${state}: ${failure}`,
      String(objectsDelivered),
      String(recordsWaiting),
      managed,
    ],
  );
  return table([['DELIVERY', 'SOURCE', 'STATE', 'OBJECTS', 'WAITING', 'MANAGED'], ...rows]);
}

function replayTable(replays: readonly Replay[]): string {
  if (replays.length === 0) return '';
  const rows = replays.map(({ id, delivery, stream, errorsOf = '', state, failure, ...counts }) => [
    id,
    stream ?? `errors of ${errorsOf}`,
    delivery,
    failure === undefined ? state : `${state}: ${failure}`,
    String(counts.recordsDelivered),
    String(counts.recordsFailed),
  ]);
  return table([['REPLAY', 'OF', 'TO', 'STATE', 'DELIVERED', 'FAILED'], ...rows]);
}
