import { createHmac } from 'node:crypto';
import type { Command } from 'commander';
import { ApiClient, type NodeFacts } from './api-client.ts';
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
  readonly method: string;
  readonly path: string;
  readonly verify: string;
}

/** `trigger github.push`: sends a signed sample webhook to a route. */
export function declareTrigger(program: Command, context: CliContext): void {
  program
    .command('trigger')
    .description('send a signed sample webhook to a route of the node')
    .argument('[event]', 'such as github.push; without it, the events there are')
    .option('--route <route>', "`POST /path`; the node's only GitHub route when absent")
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
    context.out(`${[...fixtures.keys()].join('\n')}\n`);
    return;
  }
  const sample = fixtures.get(event);
  const name = /^github\.([a-z_]+)$/.exec(event)?.[1];
  if (name === undefined || (sample === undefined && flags.file === undefined)) {
    throw new CliError(`no sample ${event}; there are ${[...fixtures.keys()].join(', ')}`, exitCodes.usage);
  }
  const body = flags.file === undefined ? (sample ?? new Uint8Array()) : await context.readFile(flags.file);
  const client = new ApiClient(context, flags.api);
  const facts = await client.facts();
  const route = await chooseRoute(client, flags.route);
  const secret = flags.secret ?? (await secretOf(context, facts, flags, route));
  await send(context, `${facts.gateway}${route.path}`, name, body, secret, flags.delivery ?? context.uuid());
}

async function chooseRoute(client: ApiClient, wanted: string | undefined): Promise<RouteFacts> {
  const { routes } = (await client.admin('GET', '/admin/routes')) as { routes: readonly RouteFacts[] };
  const path = wanted?.replace(/^POST\s+/, '');
  const fitting = routes.filter((route) => (path === undefined ? route.verify === 'github' : route.path === path));
  const [route] = fitting;
  const names = routes.map((one) => `${one.method} ${one.path}`).join(', ') || 'none';
  if (route === undefined) throw new CliError(`no such route; the node has: ${names}`);
  if (fitting.length > 1) throw new CliError(`several routes fit; choose with --route: ${names}`, exitCodes.usage);
  return route;
}

async function secretOf(context: CliContext, facts: NodeFacts, flags: Flags, route: RouteFacts): Promise<string> {
  if (route.verify !== 'github') return '';
  if (facts.configFile === null) throw new CliError('the node has no config file; give --secret', exitCodes.usage);
  const data = flags.data ?? facts.dataDirectory;
  const [secret] = await context.routeSecrets(facts.configFile, data, `${route.method} ${route.path}`);
  if (secret === undefined) throw new CliError('the secret of the route is not known here; give --secret');
  return secret;
}

async function send(
  context: CliContext,
  url: string,
  event: string,
  body: Uint8Array,
  secret: string,
  delivery: string,
): Promise<void> {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const answer = await context
    .fetch(url, {
      method: 'POST',
      body: new Uint8Array(body),
      signal: context.interrupted,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/millrace',
        'x-github-event': event,
        'x-github-delivery': delivery,
        'x-hub-signature-256': `sha256=${signature}`,
      },
    })
    .catch(() => {
      throw new CliError(`nothing answers at ${url}`, exitCodes.unreachable);
    });
  const text = await answer.text();
  context.err(`POST ${url} -> ${answer.status}\n`);
  context.out(`${text.trimEnd()}\n`);
  if (!answer.ok) throw new CliError(`the route answered ${answer.status}`);
}
