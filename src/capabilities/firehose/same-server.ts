import { serverOf } from '../../kernel/net/config-url.ts';

type Values = Readonly<Record<string, unknown>>;

/** Whether two structures ask the same server, as far as they say one by `Url`: scheme, host and port are the same. */
export function isSameServer(one: Values, other: Values): boolean {
  return asked(one) === asked(other);
}

function asked({ Url: url }: Values): string {
  return typeof url === 'string' ? serverOf(url) : '';
}
