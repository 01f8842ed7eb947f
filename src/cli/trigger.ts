import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import { CliError, exitCodes, type CliContext } from './context.ts';

interface Flags {
  readonly api?: string;
  readonly route?: string;
  readonly secret?: string;
  readonly delivery?: string;
  readonly file?: string;
  readonly data?: string;
}

interface RouteFacts {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly verify: string;
}

/** Ways to verify that belong to one sender: its samples fit no other one's routes unless they are named. */
const SENDERS: ReadonlySet<string> = new Set([
  'github', 'standard', 'stripe', 'slack', 'shopify', 'gitlab', 'bitbucket', 'jira',
]); // prettier-ignore
/** Stands in samples where the sender's id of the delivery is in the body. */
const DELIVERY_PLACE = '{delivery}';

/** `trigger github.push`: sends a signed sample webhook to a route. */
export function declareTrigger(program: Command, context: CliContext): void {
  program
    .command('trigger')
    .description('send a signed sample webhook to a route of the node')
    .argument('[event]', 'such as github.push; without it, the events there are')
    .option('--route <route>', "`POST /path`; the node's only route for this sender when absent")
    .option('--secret <text>', "the secret; the route's own when absent")
    .option('--delivery <id>', 'delivery id; a new one when absent')
    .option('--file <path>', 'send this file instead of the sample')
    .option('--data <dir>', "the node's data directory; what the node says when absent")
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (event: string | undefined, flags: Flags) => await trigger(context, event, flags));
}

async function trigger(context: CliContext, event: string | undefined, flags: Flags): Promise<void> {
  const fixtures = await context.fixtures();
  if (event === undefined) {
    const { route, secret, delivery, file } = flags;
    if ([route, secret, delivery, file].some((one) => one !== undefined)) {
      throw new CliError('name an event such as github.push: without one nothing is sent', exitCodes.usage);
    }
    context.out(`${[...fixtures.keys()].join('\n')}\n`);
    return;
  }
  const sample = fixtures.get(event);
  const [, sender = '', name = ''] = /^(\w+)\.([\w.:/-]+)$/.exec(event) ?? [];
  if (!SENDERS.has(sender) || (sample === undefined && flags.file === undefined)) {
    throw new CliError(`no sample ${event}; there are ${[...fixtures.keys()].join(', ')}`, exitCodes.usage);
  }
  const deliveryId = flags.delivery ?? context.uuid();
  const body = flags.file === undefined ? withDelivery(sample, deliveryId) : await context.readFile(flags.file);
  const client = new ApiClient(context, flags.api);
  const { configFile, dataDirectory, gateway } = await client.facts();
  const route = await chooseRoute(client, sender, flags.route);
  const isKnown = configFile !== null || flags.secret !== undefined || route.verify === 'none';
  if (!isKnown) throw new CliError('the node has no config file; give --secret', exitCodes.usage);
  const headers = await context.signWebhook({
    route: route.key,
    kind: route.verify,
    file: configFile ?? undefined,
    data: flags.data ?? dataDirectory,
    secret: flags.secret,
    body,
    event: name,
    deliveryId,
  });
  if (headers === undefined) throw new CliError('the secret of the route is not known here; give --secret');
  await send(
    context,
    `${gateway}${samplePath(route.path)}`,
    route.method === 'ANY' ? 'POST' : route.method,
    headers,
    body,
  );
}

async function chooseRoute(client: ApiClient, sender: string, wanted: string | undefined): Promise<RouteFacts> {
  const { routes } = (await client.admin('GET', '/admin/routes')) as { routes: readonly RouteFacts[] };
  const names = routes.map((one) => `${one.method} ${one.path}`);
  const fitting = routes.filter(({ key, path, verify }, index) =>
    wanted === undefined ? verify === sender : [key, path, names[index]].includes(wanted),
  );
  const [route] = fitting;
  const list = names.join(', ') || 'none';
  if (route === undefined) throw new CliError(`no such route; the node has: ${list}`);
  if (fitting.length > 1) throw new CliError(`several routes fit; choose with --route: ${list}`, exitCodes.usage);
  return route;
}

function withDelivery(sample: Uint8Array | undefined, deliveryId: string): Uint8Array {
  const text = new TextDecoder().decode(sample);
  return new TextEncoder().encode(text.replaceAll(DELIVERY_PLACE, deliveryId));
}

/** Parameters of the path are something. */
function samplePath(path: string): string {
  return path.replaceAll(/\{[^}]+\}/g, 'sample');
}

async function send(
  context: CliContext,
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Promise<void> {
  const answer = await context
    .fetch(url, {
      method,
      body: new Uint8Array(body),
      signal: context.interrupted,
      headers: { 'content-type': 'application/json', ...headers },
    })
    .catch(() => {
      throw new CliError(`nothing answers at ${url}`, exitCodes.unreachable);
    });
  const text = await answer.text();
  context.err(`${method} ${url} -> ${answer.status}\n`);
  context.out(`${text.trimEnd()}\n`);
  if (!answer.ok) throw new CliError(`the route answered ${answer.status}`);
}
