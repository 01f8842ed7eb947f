import { parseUrl } from '../../kernel/net/parse-url.ts';

type Values = Readonly<Record<string, unknown>>;

/** What stands for a listener of the node itself, whose address is known when it listens. */
const OWN = /^\$\{(?:api|gateway)\}/;

/** Whether two structures ask the same server, as far as they say one by `Url`: scheme, host and port are the same. */
export function isSameServer(one: Values, other: Values): boolean {
  return serverOf(one['Url']) === serverOf(other['Url']);
}

function serverOf(url: unknown): string {
  if (typeof url !== 'string') return '';
  const [own] = OWN.exec(url) ?? [];
  if (own !== undefined) return own;
  return parseUrl(url)?.origin ?? url;
}
