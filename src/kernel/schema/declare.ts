/**
 * One declaration per shape. It is plain data, and feeds input checks (`check-aws.ts`), config checks
 * (`check-config.ts`), JSON Schema for editors (`json-schema.ts`) and the reference pages.
 * Member names, units, ranges and patterns of AWS shapes are AWS's own; members stand in the order in which
 * AWS reports violations.
 */

interface Common {
  /** One sentence for people: what it is, unit, default. */
  readonly doc?: string;
  /** Nothing shows what stands here or below, so that a config file may fill it from a secret, whatever it is. */
  readonly hidden?: boolean;
}

export interface StringSchema extends Common {
  readonly kind: 'string';
  /** Bounds count characters, as AWS does, not bytes. */
  readonly min?: number;
  readonly max?: number;
  /** A regular expression that the whole text must match, in the spelling AWS prints. */
  readonly pattern?: string;
  /** What a config file may say besides: there it takes the place of `pattern`. */
  readonly filePattern?: string;
  readonly values?: readonly string[];
  /** A password, token or key: never repeated in a sentence. */
  readonly secret?: boolean;
  /** Where it may be a secret, the texts that are none: a pattern of the whole text in lower case. */
  readonly harmless?: string;
}

export interface NumberSchema extends Common {
  readonly kind: 'integer' | 'long' | 'double';
  readonly min?: number;
  readonly max?: number;
}

export interface BooleanSchema extends Common {
  readonly kind: 'boolean';
}

/** Bytes: base64 in JSON. Bounds count decoded bytes. */
export interface BlobSchema extends Common {
  readonly kind: 'blob';
  readonly min?: number;
  readonly max?: number;
}

/** Epoch seconds with a millisecond fraction in JSON; a number of milliseconds in memory. */
export interface TimestampSchema extends Common {
  readonly kind: 'timestamp';
}

export interface ListSchema<T extends Schema = Schema> extends Common {
  readonly kind: 'list';
  readonly item: T;
  readonly min?: number;
  readonly max?: number;
}

export interface MapSchema<T extends Schema = Schema> extends Common {
  readonly kind: 'map';
  readonly key: StringSchema;
  readonly value: T;
  readonly min?: number;
  readonly max?: number;
}

export interface StructSchema<M extends Members = Members> extends Common {
  readonly kind: 'struct';
  readonly members: M;
  /** AWS's name of the shape, where AWS prints values of it in its sentences. */
  readonly name?: string;
  /** Words that stand elsewhere, with what is said of them in place of `unknown key`; only in config. */
  readonly elsewhere?: ReadonlyMap<string, string>;
}

/** Any JSON value, not looked into. */
export interface AnySchema extends Common {
  readonly kind: 'any';
}

/** One of several shapes; only in config. The first that fits is taken. */
export interface EitherSchema<T extends readonly Schema[] = readonly Schema[]> extends Common {
  readonly kind: 'either';
  readonly of: T;
}

/** A config word whose capability does not exist yet: using it is the error `not built yet`. */
export interface NotBuiltSchema extends Common {
  readonly kind: 'not-built';
  /** Said in place of `not built yet`. */
  readonly what?: string;
  /** Texts it will take, where it stands beside a choice of texts. */
  readonly values?: readonly string[];
}

export type Schema =
  | StringSchema
  | NumberSchema
  | BooleanSchema
  | BlobSchema
  | TimestampSchema
  | ListSchema
  | MapSchema
  | StructSchema
  | AnySchema
  | EitherSchema
  | NotBuiltSchema;

/** A member that may be left out. */
export interface Optional<T extends Schema = Schema> {
  readonly kind: 'optional';
  readonly schema: T;
}

export interface Members {
  readonly [name: string]: Schema | Optional;
}

/** The TypeScript type of a checked value; of a shape not known in detail, `unknown`. */
export type Static<S> = Schema extends S ? unknown : KnownStatic<S>;

type KnownStatic<S> =
  S extends StructSchema<infer M>
    ? StructType<M>
    : S extends ListSchema<infer T>
      ? readonly Static<T>[]
      : S extends MapSchema<infer T>
        ? { readonly [name: string]: Static<T> }
        : S extends StringSchema
          ? string
          : S extends NumberSchema | TimestampSchema
            ? number
            : S extends BooleanSchema
              ? boolean
              : S extends BlobSchema
                ? Uint8Array
                : S extends EitherSchema<infer T>
                  ? Static<T[number]>
                  : unknown;

type StructType<M extends Members> = {
  readonly [K in keyof M as M[K] extends Optional ? never : K]: Static<M[K]>;
} & {
  readonly [K in keyof M as M[K] extends Optional ? K : never]?: M[K] extends Optional<infer T> ? Static<T> : never;
};

type Options<S> = Omit<S, 'kind' | 'item' | 'key' | 'value' | 'members' | 'of'>;

export function string(options: Options<StringSchema> = {}): StringSchema {
  return { kind: 'string', ...options };
}
export function integer(options: Options<NumberSchema> = {}): NumberSchema {
  return { kind: 'integer', ...options };
}
export function long(options: Options<NumberSchema> = {}): NumberSchema {
  return { kind: 'long', ...options };
}
export function double(options: Options<NumberSchema> = {}): NumberSchema {
  return { kind: 'double', ...options };
}
export function boolean(options: Options<BooleanSchema> = {}): BooleanSchema {
  return { kind: 'boolean', ...options };
}
export function blob(options: Options<BlobSchema> = {}): BlobSchema {
  return { kind: 'blob', ...options };
}
export function timestamp(options: Options<TimestampSchema> = {}): TimestampSchema {
  return { kind: 'timestamp', ...options };
}
export function list<T extends Schema>(item: T, options: Options<ListSchema> = {}): ListSchema<T> {
  return { kind: 'list', item, ...options };
}
export function map<T extends Schema>(
  value: T,
  options: Options<MapSchema> & { readonly key?: StringSchema } = {},
): MapSchema<T> {
  const { key = string(), ...rest } = options;
  return { kind: 'map', key, value, ...rest };
}
export function struct<M extends Members>(members: M, options: Options<StructSchema> = {}): StructSchema<M> {
  return { kind: 'struct', members, ...options };
}
export function any(options: Options<AnySchema> = {}): AnySchema {
  return { kind: 'any', ...options };
}
export function either<const T extends readonly Schema[]>(of: T, options: Options<EitherSchema> = {}): EitherSchema<T> {
  return { kind: 'either', of, ...options };
}
export function notBuilt(options: Options<NotBuiltSchema> = {}): NotBuiltSchema {
  return { kind: 'not-built', ...options };
}
export function optional<T extends Schema>(schema: T): Optional<T> {
  return { kind: 'optional', schema };
}
