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
  }[];
}

interface Routes {
  readonly routes: readonly {
    readonly method: string;
    readonly path: string;
    readonly verify: string;
    readonly stream: string;
    readonly accepted: number;
    readonly duplicate: number;
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
    .description('streams, routes, functions and deliveries of the node')
    .option('--json', 'as JSON')
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (flags: Flags) => {
      const client = new ApiClient(context, flags.api);
      const { streams } = (await client.admin('GET', '/admin/streams')) as Streams;
      const { routes } = (await client.admin('GET', '/admin/routes')) as Routes;
      const { functions } = (await client.admin('GET', '/admin/functions')) as Functions;
      const { deliveries } = (await client.admin('GET', '/admin/deliveries')) as Deliveries;
      const { sync } = await client.facts();
      if (flags.json === true) {
        context.out(`${JSON.stringify({ sync, streams, routes, functions, deliveries })}\n`);
        return;
      }
      const tables = [streamTable(streams), routeTable(routes), functionTable(functions), deliveryTable(deliveries)];
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
  const rows = routes.map(({ method, path, verify, stream, accepted, duplicate }) => [
    `${method} ${path}`,
    verify,
    stream,
    String(accepted),
    String(duplicate),
  ]);
  return table([['ROUTE', 'VERIFY', 'STREAM', 'ACCEPTED', 'REPEATED'], ...rows]);
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
