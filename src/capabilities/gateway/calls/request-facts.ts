import { isUtf8 } from 'node:buffer';
import { asBuffer } from '../../../kernel/bytes/as-buffer.ts';
import { DELIVERY_ID_HEADER, type IncomingRequest, type RequestHead } from './call.ts';

/** API Gateway's id of an API; of all routes here. */
export const API_ID = 'millrace';
/** Its name of the one stage there is. */
export const STAGE = '$default';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Headers one by one in the sender's spelling, with the delivery id behind them: nobody's own header of that name. */
export function headerLinesOf({ request, deliveryId }: IncomingRequest): readonly (readonly [string, string])[] {
  const given = request.headerList().filter(([name]) => name.toLowerCase() !== DELIVERY_ID_HEADER);
  return deliveryId === undefined ? given : [...given, [DELIVERY_ID_HEADER, deliveryId]];
}

/** Values by name, in their order; names that differ in case only are one, in the spelling that came first. */
export function grouped(
  lines: Iterable<readonly [string, string]>,
  fold: (name: string) => string,
): Map<string, string[]> {
  const groups = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of lines) {
    const group = groups.get(fold(name)) ?? { name, values: [] };
    group.values.push(value);
    groups.set(fold(name), group);
  }
  return new Map(Array.from(groups.values(), ({ name, values }) => [name, values]));
}

/** Query parameters, decoded. */
export function queryOf({ query }: RequestHead): Map<string, string[]> {
  return grouped(new URLSearchParams(query), (name) => name);
}

/** The mapping, or nothing in place of an empty one. */
export function orNothing<T>(values: ReadonlyMap<string, T>): Readonly<Record<string, T>> | undefined {
  return values.size === 0 ? undefined : Object.fromEntries(values);
}

/** Host without its port, and its first part. */
export function domainOf({ headers }: RequestHead): { readonly domainName: string; readonly domainPrefix: string } {
  const domainName = (headers['host'] ?? '').replace(/:\d*$/, '');
  return { domainName, domainPrefix: domainName.split('.', 1)[0] ?? '' };
}

/** Time as API Gateway writes it: `12/Mar/2020:19:03:58 +0000`. */
export function requestTime(ms: number): string {
  const [date = '', clock = ''] = new Date(ms).toISOString().split(/[T.]/);
  const [year, month, day] = date.split('-');
  return `${day}/${MONTHS[Number(month) - 1] ?? ''}/${year}:${clock} +0000`;
}

/** What an authorizer's policy is about: one method and path of the API. */
export function routeArn({ request, identity }: Pick<IncomingRequest, 'request' | 'identity'>): string {
  const { region, account } = identity;
  return `arn:aws:execute-api:${region}:${account}:${API_ID}/${STAGE}/${request.method}${request.path}`;
}

/** A body as events carry it: its text where `isText` allows and it is UTF-8, so that nothing is lost; else base64. */
export function eventBody(
  bytes: Uint8Array,
  isText: boolean,
): { readonly body: string; readonly isBase64Encoded: boolean } {
  const buffer = asBuffer(bytes);
  const isBase64Encoded = !isText || !isUtf8(buffer);
  return { body: buffer.toString(isBase64Encoded ? 'base64' : 'utf8'), isBase64Encoded };
}
