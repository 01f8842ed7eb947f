import type { Command } from 'commander';
import { endpointVariables } from '../kernel/endpoint-variables.ts';
import { ApiClient, type NodeFacts } from './api-client.ts';
import type { CliContext } from './context.ts';

interface Flags {
  readonly api?: string;
  readonly json?: true;
  readonly showSecrets?: true;
  readonly data?: string;
}

/** `env`: variables that point AWS clients at the node. */
export function declareEnv(program: Command, context: CliContext): void {
  program
    .command('env')
    .description('variables that point AWS clients at the node: eval "$(millrace env)"')
    .option('--show-secrets', "with the secrets that the node's config uses")
    .option('--data <dir>', "the node's data directory; what the node says when absent")
    .option('--json', 'as JSON')
    .option('--api <url>', 'the node (MILLRACE_API)')
    .action(async (flags: Flags) => {
      const facts = await new ApiClient(context, flags.api).facts();
      const secrets = flags.showSecrets === true ? await context.secrets(flags.data ?? facts.dataDirectory) : {};
      const variables: Record<string, string> = {
        ...endpointVariables(facts.api),
        AWS_REGION: facts.region,
        AWS_DEFAULT_REGION: facts.region,
        // A node that verifies signatures was asked with the right pair: whoever asks has it.
        ...(!facts.verifies && { AWS_ACCESS_KEY_ID: 'millrace', AWS_SECRET_ACCESS_KEY: 'millrace' }),
        ...trust(facts),
        MILLRACE_API: facts.api,
        MILLRACE_GATEWAY: facts.gateway,
      };
      for (const [name, value] of Object.entries(secrets)) variables[`MILLRACE_SECRET_${name}`] = value;
      if (flags.json === true) context.out(`${JSON.stringify(variables)}\n`);
      else for (const [name, value] of Object.entries(variables)) context.out(`export ${name}=${quoted(value)}\n`);
    });
}

/**
 * What makes clients trust the certificate. Those variables that replace what a client trusts get a file that holds the
 * public authorities as well; a certificate that somebody else made is trusted already, or not ours to speak for.
 */
function trust({ certificateFile, trustFile }: NodeFacts): Record<string, string> {
  if (trustFile === null) return {};
  return { AWS_CA_BUNDLE: trustFile, SSL_CERT_FILE: trustFile, NODE_EXTRA_CA_CERTS: certificateFile };
}

/** As a POSIX shell takes it. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
