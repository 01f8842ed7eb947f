import { resolve } from 'node:path';
import { verifierKinds } from '../capabilities/gateway/kinds/index.ts';
import type { WebhookToSign } from '../cli/context.ts';
import { createNodeEnvironment } from '../environments/node/index.ts';
import { readConfig } from './config-file.ts';
import { usualListeners } from './own-listeners.ts';

type Options = Readonly<Record<string, unknown>>;
type Section = {
  readonly routes?: Readonly<Record<string, { readonly verify?: string | Readonly<Record<string, Options>> }>>;
};

/** Signs as the route's sender would; undefined when the options hold nothing to sign with. */
export async function signWebhook(webhook: WebhookToSign): Promise<Readonly<Record<string, string>> | undefined> {
  const { kind: name, secret, body, event, deliveryId } = webhook;
  const kind = verifierKinds.find((one) => one.name === name);
  if (kind === undefined) return {};
  const own = await optionsOf(webhook);
  if (own === undefined && secret === undefined) return undefined;
  // GitLab's plain tokens stand under a name of their own.
  const list = own?.['secrets'] === undefined && own?.['tokens'] !== undefined ? 'tokens' : 'secrets';
  const options = secret === undefined ? own : { ...own, [list]: [secret] };
  return kind.sign(options as never, { body, event, deliveryId, nowMs: Date.now() });
}

async function optionsOf({ file, data, route, kind }: WebhookToSign): Promise<Options | undefined> {
  if (file === undefined) return undefined;
  const environment = createNodeEnvironment({ log: 'silent' });
  const dataDirectory = resolve(data);
  const config = await readConfig({
    environment,
    source: file,
    dataDirectory,
    mode: 'dev',
    missingSecrets: 'refuse',
    own: usualListeners(),
  });
  const verify = (config.sections['gateway'] as Section | undefined)?.routes?.[route]?.verify;
  return typeof verify === 'object' ? verify[kind] : undefined;
}
