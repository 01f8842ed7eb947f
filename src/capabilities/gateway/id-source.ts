import { parseJsonPath } from '../../kernel/json-path.ts';
import type { Content } from './content.ts';
import { filled } from './kinds/secrets.ts';
import type { Headers } from './kinds/verifier.ts';

/** What an id or a key is read from. */
export interface Addressed {
  readonly headers: Headers;
  readonly content: Content;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads an id or a key; undefined when the request has none. */
export type IdSource = (request: Addressed) => string | undefined;

const HEADER = /^header:([A-Za-z0-9!#$%&'*+.^_`|~-]+)$/;

/** Reads `header:NAME`, or a path into the JSON body such as `event.id`; undefined when the text is neither. */
export function readIdExpression(text: string): IdSource | undefined {
  const header = readIdHeader(text);
  if (header !== undefined) return fromHeader(header);
  return text.startsWith('header:') || parseJsonPath(text) === undefined ? undefined : fromBody(text);
}

/** The name of the header in `header:NAME`, in lower case; undefined for anything else. */
export function readIdHeader(text: string): string | undefined {
  return HEADER.exec(text)?.[1]?.toLowerCase();
}

/** The value of a header. */
export function fromHeader(name: string): IdSource {
  const key = name.toLowerCase();
  return ({ headers }) => filled(headers[key]);
}

/** The text or number at a path of the JSON body. */
export function fromBody(path: string): IdSource {
  return ({ content }) => content.text(path);
}

/** A parameter of the URL's path. */
export function fromParameter(name: string): IdSource {
  return ({ parameters }) => parameters[name];
}
