import { asBuffer } from '../../kernel/bytes/as-buffer.ts';
import { JsonPathFinder, parseJsonPath } from '../../kernel/json-path.ts';
import { parseJson } from '../../kernel/json.ts';
import type { Compute, ContentEncoding, Room } from '../../ports/environment.ts';
import { refusal } from './errors.ts';
import { limits } from './limits.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json$/;
const ENCODINGS: ReadonlyMap<string, ContentEncoding> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
]);
/** Each takes the whole output of the one before. */
const ENCODINGS_MAX = 2;

/** The media type of a request, lower case, without parameters; empty when absent. */
export function mediaType(headers: Readonly<Record<string, string>>): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Content encodings in the order they were applied, without `identity`; undefined when one is not known here. */
export function contentEncodings(headers: Readonly<Record<string, string>>): readonly ContentEncoding[] | undefined {
  const given = headers['content-encoding'];
  if (given === undefined) return [];
  const named = given.split(',').map((name) => name.trim().toLowerCase());
  const names = named.filter((name) => name !== '' && name !== 'identity');
  const encodings = names.flatMap((name) => ENCODINGS.get(name) ?? []);
  return encodings.length > ENCODINGS_MAX || encodings.length < names.length ? undefined : encodings;
}

/**
 * Undoes the encodings; never makes more than `maxBytes`, and holds in `room` what came out. RequestErrors:
 * RequestEntityTooLarge beyond that, InvalidBody for bytes that are not what the header says.
 */
export async function inflated(
  compute: Compute,
  body: Uint8Array,
  encodings: readonly ContentEncoding[],
  maxBytes: number,
  room: Room,
): Promise<Uint8Array> {
  let bytes = body;
  for (const encoding of encodings.toReversed()) {
    const found = await compute.inflate(bytes, encoding, maxBytes, room);
    if (found === 'too large') throw refusal('RequestEntityTooLarge');
    if (found === 'malformed') throw refusal('InvalidBody');
    // What is between two encodings is looked at no more.
    if (bytes !== body) room.giveBack(bytes.length);
    bytes = found;
  }
  return bytes;
}

/** The body of a verified request, not compressed any more; what it says is read when somebody asks. */
export class Content {
  readonly bytes: Uint8Array;
  readonly type: string;
  #json: { readonly value: unknown } | undefined;

  constructor(bytes: Uint8Array, type: string) {
    this.bytes = bytes;
    this.type = type;
  }

  /** Whether it is of a kind that says something here: JSON, or a form. */
  get isReadable(): boolean {
    return this.type === FORM || JSON_TYPE.test(this.type);
  }

  /**
   * The JSON value: of a form that of its field `payload`, or else its fields; undefined when there is none.
   * RequestError: InvalidBody for a form of more than 10,000 fields.
   */
  get json(): unknown {
    this.#json ??= { value: this.type === FORM ? formValue(this.#text()) : parseJson(this.bytes) };
    return this.#json.value;
  }

  /** The JSON text in UTF-8: the bytes as they are where they are JSON; undefined when there is none. */
  get jsonBytes(): Uint8Array | undefined {
    if (this.json === undefined) return undefined;
    if (this.type !== FORM) return this.bytes;
    const payload = payloadOf(this.#text());
    return new TextEncoder().encode(parseJson(payload) === undefined ? JSON.stringify(this.json) : payload);
  }

  /**
   * The text or number at a path of the JSON value, a number as it is written: two that JavaScript cannot tell apart
   * are two all the same. Undefined for anything else.
   */
  text(path: string): string | undefined {
    const bytes = this.jsonBytes;
    const segments = parseJsonPath(path);
    return bytes === undefined || segments === undefined ? undefined : new JsonPathFinder(segments).findName(bytes);
  }

  #text(): string {
    return asBuffer(this.bytes).toString();
  }
}

/** Empty where there is none, which is no JSON either. */
function payloadOf(form: string): string {
  return new URLSearchParams(form).get('payload') ?? '';
}

function formValue(form: string): unknown {
  if (hasTooManyFields(form)) throw refusal('InvalidBody');
  const payload = parseJson(payloadOf(form));
  if (payload !== undefined) return payload;
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(form)) {
    const earlier = fields.get(name);
    if (earlier === undefined) fields.set(name, value);
    else if (typeof earlier === 'string') fields.set(name, [earlier, value]);
    else earlier.push(value);
  }
  return Object.fromEntries(fields);
}

function hasTooManyFields(form: string): boolean {
  let fields = 1;
  for (let at = form.indexOf('&'); at >= 0 && fields <= limits.formFieldsMax; at = form.indexOf('&', at + 1)) {
    fields += 1;
  }
  return fields > limits.formFieldsMax;
}
