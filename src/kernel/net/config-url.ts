import { parseUrl } from './parse-url.ts';

/** What stands in a URL for a listener of the node itself, whose address is known when it listens: a pattern. */
export const OWN_WORD = '\\$\\{(?:api|gateway)\\}';
const OWN = new RegExp(OWN_WORD);
const BEGINS_WITH_OWN = new RegExp(`^${OWN_WORD}`);

/** What stands for a listener of the node anywhere in the URL; undefined: nothing does. */
export function ownWord(url: string): string | undefined {
  return OWN.exec(url)?.[0];
}

/** The URL that a text of the config is, with a host in place of the node's own; undefined when it is none. */
export function parseConfigUrl(text: string): URL | undefined {
  return parseUrl(text.replace(BEGINS_WITH_OWN, 'http://localhost'));
}

/** Scheme, host and port that a URL of the config asks, or what stands for them; of what is no URL all of it. */
export function serverOf(url: string): string {
  return BEGINS_WITH_OWN.exec(url)?.[0] ?? parseUrl(url)?.origin ?? url;
}
