import * as s from '../kernel/schema/declare.ts';
import { toJsonSchema } from '../kernel/schema/json-schema.ts';
import type { UrlRules } from '../ports/http-client.ts';
import { openSearchSection } from './opensearch.ts';

const credential = s.struct({
  accessKeyId: s.string({ min: 1, max: 128, pattern: '[\\w.-]+', doc: 'As AWS clients name it; no secret.' }),
  secretAccessKey: s.string({ min: 16, max: 256, secret: true, doc: 'At least 16 characters.' }),
  allow: s.optional(
    s.list(s.string({ min: 1, max: 128 }), {
      doc: 'Actions it may do: `kinesis:PutRecord*`, `firehose:*`, `admin:Read`, `admin:Write`, `*`; default all.',
    }),
  ),
  on: s.optional(
    s.list(s.string({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.*?-]+' }), {
      doc: 'Streams and deliveries it may do it on, with `*` and `?`; default all.',
    }),
  ),
});

const server = s.struct(
  {
    credentials: s.optional(
      s.list(credential, {
        min: 1,
        max: 1000,
        doc: 'Key pairs whose signatures the api listener takes, no others; absent: any. Taken over without restart.',
      }),
    ),
    tls: s.optional(
      s.struct(
        {
          cert: s.string({ min: 1, doc: 'Path of the certificate with its chain, PEM; relative to the config file.' }),
          key: s.string({ min: 1, doc: 'Path of its private key, PEM; read again with it when a file changes.' }),
          plaintext: s.optional(
            s.boolean({
              doc: 'Whether `start` serves connections without TLS as well; default false. `dev` always does.',
            }),
          ),
        },
        { doc: 'The certificate of both listeners. Absent: one that the node makes itself, beside plain HTTP.' },
      ),
    ),
    console: s.optional(s.notBuilt()),
    hosts: s.optional(
      s.list(s.string({ min: 1, max: 253 }), { doc: 'Further host names the api listener answers to.' }),
    ),
    region: s.optional(s.string({ pattern: '[a-z]{2}(-[a-z]+)+-\\d', doc: 'Region in ARNs; default us-east-1.' })),
    account: s.optional(s.string({ pattern: '\\d{12}', doc: 'Account in ARNs; default 000000000000.' })),
    cors: s.optional(
      s.list(s.string({ pattern: 'https?://[^/]+' }), { doc: 'Origins of pages that may call the api listener.' }),
    ),
  },
  { doc: 'The node itself and its api listener.' },
);

/** Below this the log could not keep a reserve and a few segments. */
const DISK_BYTES_MIN = 64 * 1024 * 1024;

const engine = s.struct(
  {
    segmentLog: s.optional(
      s.struct({
        sync: s.optional(
          s.string({
            values: ['always', 'interval', 'none'],
            doc:
              'always (the default): every answer waits for its fdatasync. interval: answers wait for the system, ' +
              'which is told to write every `intervalMs`. none: only the end of a segment and a clean stop wait.',
          }),
        ),
        intervalMs: s.optional(
          s.integer({
            min: 1,
            max: 60_000,
            doc: 'With `sync: interval`: what a power cut may take, in ms; default 100.',
          }),
        ),
        diskBytesMax: s.optional(
          s.integer({
            min: DISK_BYTES_MIN,
            doc:
              'What the log may take of the disk. At 85 % it warns, at 95 % appends are refused; default: no bound. ' +
              'Below 2 GiB its files, and the reserve for deletions on a full disk, are a 32nd each, not 64 MiB.',
          }),
        ),
      }),
    ),
    kafka: s.optional(s.notBuilt()),
  },
  { doc: 'Where the log stands: segments on this machine.' },
);

const limits = s.struct({
  inFlightBytesMax: s.optional(
    s.integer({
      // A few of the largest requests and answers there are.
      min: 64 * 1024 ** 2,
      max: 64 * 1024 ** 3,
      doc: 'Bytes that requests and answers may hold in memory together; default 268435456 (256 MiB).',
    }),
  ),
  connectionsMax: s.optional(
    s.integer({
      min: 1,
      max: 1_000_000,
      doc: 'Connections to each listener at once; more are closed as they come. Default 10000.',
    }),
  ),
});

const outgoing = s.struct(
  {
    allow: s.optional(
      s.list(s.string({ min: 1, max: 253 }), {
        max: 1000,
        doc:
          'Host names, addresses and ranges such as `10.0.0.0/8` that are asked whatever they are, also without ' +
          'TLS. A name opens no link-local address and none where a cloud answers with credentials: only its ' +
          'address does.',
      }),
    ),
  },
  {
    doc:
      'Which servers deliveries may ask over HTTP. `start`: those with public addresses over https, and the node ' +
      'itself; `dev`: loopback and http too. What the names of URLs resolve to is checked, and then connected to. ' +
      'Taken over without restart.',
  },
);

const s3 = s.struct(
  {
    endpoint: s.optional(
      s.string({
        pattern: 'https?://[^/?#]+/?',
        doc: 'URL of a server that speaks S3, addressed by path (`URL/bucket/key`); absent: AWS itself.',
      }),
    ),
    region: s.optional(s.string({ min: 1, max: 64, doc: "Region of the buckets; default the node's own." })),
    credentials: s.optional(
      s.struct(
        {
          accessKeyId: s.string({ min: 1, max: 128, hidden: true }),
          secretAccessKey: s.string({ min: 1, max: 256, secret: true }),
          sessionToken: s.optional(s.string({ min: 1, max: 8192, secret: true })),
        },
        { doc: 'Absent: what the AWS SDK finds (environment, shared files, SSO, container and instance roles).' },
      ),
    ),
  },
  {
    doc:
      'Buckets are those of a real S3, by the AWS SDK (`npm install @aws-sdk/client-s3`); `s3: {}` is AWS. ' +
      'Absent: buckets are folders below the data directory.',
  },
);

/** The words of the config file that no capability owns. */
export const ownWords = {
  server: s.optional(server),
  engine: s.optional(engine),
  secrets: s.optional(
    s.struct(
      { file: s.optional(s.string({ min: 1, doc: 'A YAML or JSON mapping of names to secrets.' })) },
      { doc: 'Where `${secret:NAME}` is looked up after MILLRACE_SECRET_NAME.' },
    ),
  ),
  s3: s.optional(s3),
  opensearch: s.optional(openSearchSection),
  devices: s.optional(s.notBuilt()),
  converters: s.optional(s.notBuilt()),
  series: s.optional(s.notBuilt()),
  limits: s.optional(
    s.either([
      s.string({ values: ['off'], doc: 'No throughput limits; sizes are always checked.' }),
      limits,
      s.notBuilt({ values: ['aws'] }),
    ]),
  ),
  faults: s.optional(s.notBuilt()),
  outgoing: s.optional(outgoing),
};

/** The checked section `s3`. */
export type S3SectionOptions = s.Static<typeof s3>;

/** The checked section `engine`. */
export type EngineOptions = s.Static<typeof engine>;

/** The checked section `server`. */
export type ServerOptions = s.Static<typeof server>;

/** The checked bounds of the section `limits`. */
export type LimitsOptions = s.Static<typeof limits>;

/** The checked section `outgoing`. */
export type OutgoingSection = s.Static<typeof outgoing>;

/** One section of a capability. */
export interface ConfigSection {
  /** Its top-level word. */
  readonly section: string;
  readonly options: s.Schema;
  /** The word before `:` in permissions, and the actions behind it. */
  readonly name: string;
  readonly operations: readonly { readonly name: string }[];
  readonly rest?: readonly { readonly name: string }[];
  problems?(
    options: never,
    mode: 'dev' | 'start',
    urls: UrlRules,
  ): readonly { readonly path: readonly (string | number)[]; readonly message: string }[];
}

/** The declaration of the whole file. */
export function configSchema(sections: readonly ConfigSection[]): s.StructSchema {
  const owned = sections.map(({ section, options }) => [section, s.optional(options)] as const);
  return s.struct({ ...ownWords, ...Object.fromEntries(owned) });
}

/** The same as JSON Schema, for editors: text with its line's end. */
export function configJsonSchema(sections: readonly ConfigSection[]): string {
  return `${JSON.stringify(toJsonSchema(configSchema(sections), 'The config file of millrace'), undefined, 2)}\n`;
}
