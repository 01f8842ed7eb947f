import * as s from '../../kernel/schema/declare.ts';
import type { AnyDestination } from '../../ports/destination.ts';
import { callForms } from './calls/index.ts';
import { headerName } from './header-name.ts';
import { verifierKinds } from './kinds/index.ts';
import { secretList } from './kinds/secrets.ts';
import { limits } from './limits.ts';

const streamName = s.string({ min: 1, max: 128 });

const verify = s.either(
  [
    s.string({ values: ['none'], doc: 'Takes everything, keeps no ids: every request is a record of its own.' }),
    s.struct(
      {
        ...Object.fromEntries(verifierKinds.map(({ name, options }) => [name, s.optional(options)])),
        ip: s.optional(
          s.struct(
            {
              allow: s.list(s.string({ min: 1, max: 64 }), {
                min: 1,
                max: 1000,
                doc: 'Addresses, or blocks in CIDR notation: those the connection may come from.',
              }),
            },
            { doc: 'Alone, or beside another way. Headers of proxies are not believed.' },
          ),
        ),
      },
      { doc: 'One way, with or without `ip`.' },
    ),
  ],
  { doc: 'How the sender proves itself; checked before anything else is done with a request.' },
);

const authorizer = s.struct(
  {
    function: s.string({ min: 1, max: 64, doc: 'The function that is asked.' }),
    identity: s.optional(
      s.list(s.string({ min: 1, max: 256 }), {
        max: limits.identitySourcesMax,
        doc: '`$request.header.NAME`, `$request.querystring.NAME` and such; without one of them a request gets 401.',
      }),
    ),
    cacheSeconds: s.optional(
      s.integer({
        min: 0,
        max: limits.authorizerCacheSecondsMax,
        doc: 'How long an answer is kept for the same identity; default 0. Above that it is not shown the body.',
      }),
    ),
  },
  { doc: 'Asked after `verify`: an API Gateway REQUEST authorizer that gets `rawBody`, too.' },
);

const dedupe = s.either(
  [
    s.string({ values: ['off'], doc: 'Every request is a record, repeats too.' }),
    s.struct({
      id: s.optional(
        s.string({
          min: 1,
          max: 256,
          doc: 'The id, in place of the sender’s own: a path into the JSON body such as `event.id`, or `header:NAME`.',
        }),
      ),
      windowHours: s.optional(
        s.integer({ min: 1, max: limits.windowHoursMax, doc: `How long an id is known (${limits.windowHours}).` }),
      ),
      idsMax: s.optional(
        s.integer({
          min: 1,
          max: limits.idsMaxMax,
          doc: `Ids known at most, about 34 bytes of memory each (${limits.idsMax}); the oldest fall out first.`,
        }),
      ),
    }),
  ],
  { doc: 'One verified delivery id gives one record; a repeat gets the first answer again.' },
);

const rate = s.struct({
  perSecond: s.double({ min: 0.001, max: limits.rateMax, doc: 'Requests on average.' }),
  burst: s.optional(
    s.integer({ min: 1, max: limits.rateMax, doc: 'Requests at once; default as many as in a second.' }),
  ),
});

const cors = s.either(
  [
    s.boolean({ doc: 'true: pages of any origin.' }),
    s.struct({
      origins: s.list(s.string({ min: 1, max: 256 }), {
        min: 1,
        max: 100,
        doc: 'Such as `https://example.org`, or `*`.',
      }),
      methods: s.optional(s.list(s.string({ min: 1, max: 16 }), { max: 10, doc: 'Default: those of the path.' })),
      headers: s.optional(s.list(headerName, { max: 100, doc: 'Those a page may send; default what it asks for.' })),
      expose: s.optional(s.list(headerName, { max: 100, doc: 'Those a page may read beside the usual ones.' })),
      credentials: s.optional(s.boolean({ doc: 'Whether pages may send cookies; not with `*`.' })),
      maxAgeSeconds: s.optional(s.integer({ min: 0, max: 86_400, doc: 'How long a page remembers it.' })),
    }),
  ],
  { doc: 'Which pages may use the route; preflight requests are answered.' },
);

const partitionKey = s.struct(
  {
    id: s.optional(s.boolean({ doc: 'true: the delivery id, the default.' })),
    header: s.optional({ ...headerName, doc: 'A header; only with `dedupe: off`, as nobody vouches for it.' }),
    parameter: s.optional(
      s.string({ min: 1, max: 128, doc: 'A parameter of the URL’s path; only with `dedupe: off`.' }),
    ),
    path: s.optional(s.string({ min: 1, max: 256, doc: 'A path into the JSON body, such as `repository.full_name`.' })),
  },
  { doc: 'One of them. Where a request has none the delivery id is taken.' },
);

const bodyBytes = (doc: string): s.Optional<s.NumberSchema> =>
  s.optional(s.integer({ min: 1, max: limits.receivedBytesMax, doc }));

const receive = s.struct(
  {
    firehose: s.struct({
      accessKeys: { ...secretList, doc: 'Access keys of delivery streams: any of them verifies.' },
      commonAttributes: s.optional(
        s.string({
          min: 1,
          max: 128,
          doc: 'The member of each record, a JSON object, that gets the common attributes.',
        }),
      ),
    }),
  },
  { doc: 'The route is an HTTP endpoint of Firehose: each request holds many records. In place of `verify`.' },
);

const requestLog = s.either(
  [
    s.string({ values: ['off'], doc: 'Requests are not kept, and cannot be sent on again.' }),
    s.struct({
      retentionHours: s.optional(
        s.integer({ min: 1, max: 8760, doc: `How long requests are kept; default ${limits.logRetentionHours}.` }),
      ),
      bodyBytesMax: s.optional(
        s.integer({
          min: 0,
          max: limits.logBodyBytesMaxMax,
          doc: `Larger bodies are cut, and cannot be sent on again; default ${limits.logBodyBytesMax}.`,
        }),
      ),
      refusedPerMinute: s.optional(
        s.integer({
          min: 0,
          max: 60_000,
          doc: `Refused requests that are kept, for each route; default ${limits.refusedPerMinute}.`,
        }),
      ),
    }),
  ],
  { doc: 'What came in by routes, with what became of it: `/admin/requests`.' },
);

const redeliverTo = s.map(
  s.struct({
    url: s.string({ min: 1, max: 2048, doc: 'Where it goes, as it stands; `outgoing` must let it.' }),
    sign: s.optional(
      s.struct(Object.fromEntries(verifierKinds.map(({ name, options }) => [name, s.optional(options)])), {
        doc: 'What proves the sender there: one way of `verify`, of whose secrets the first active one signs.',
      }),
    ),
  }),
  {
    key: s.string({ min: 1, max: 64 }),
    max: limits.redeliveryTargetsMax,
    doc: 'Servers elsewhere that requests of the log may be sent to, by name.',
  },
);

/** Checked words of the log of requests, with their defaults. */
export interface RequestLogOptions {
  readonly retentionHours: number;
  readonly bodyBytesMax: number;
  readonly refusedPerMinute: number;
}

/** Undefined: there is none. */
export function requestLogOptions(given: GatewayOptions['requestLog']): RequestLogOptions | undefined {
  if (typeof given === 'string') return undefined;
  const { retentionHours = limits.logRetentionHours, bodyBytesMax = limits.logBodyBytesMax } = given ?? {};
  return { retentionHours, bodyBytesMax, refusedPerMinute: given?.refusedPerMinute ?? limits.refusedPerMinute };
}

/** What all routes may say; the declaration of `to` depends on the destinations there are. */
const routeWords = {
  verify: s.optional(verify),
  authorizer: s.optional(authorizer),
  function: s.optional(s.string({ min: 1, max: 64, doc: 'The function that answers, in place of `to`.' })),
  event: s.optional(
    s.string({
      values: callForms.map(({ name }) => name),
      doc: 'What the function gets: the JSON body (default), an event of API Gateway 1.0 or 2.0, a webhook of Realm.',
    }),
  ),
  dedupe: s.optional(dedupe),
  partitionKey: s.optional(partitionKey),
  payload: s.optional(
    s.string({
      values: ['raw', 'json', 'envelope'],
      doc: 'raw (default): the bytes, inflated; json: the JSON, of a form its `payload`; envelope: all of the request.',
    }),
  ),
  schema: s.optional(
    s.string({ min: 1, max: 4096, doc: 'A file with a JSON Schema that the JSON of the body must fit.' }),
  ),
  onInvalid: s.optional(
    s.either(
      [
        s.string({ values: ['refuse'], doc: '422.' }),
        s.struct({
          quarantine: { ...streamName, doc: 'The stream that takes it, each time it is sent; answered with 200.' },
        }),
      ],
      { doc: 'What becomes of a body that does not fit; default refuse.' },
    ),
  ),
  bodyBytesMax: bodyBytes(
    'Largest body as sent, in bytes; without `largeBody` the stream’s record size bounds it, too.',
  ),
  inflatedBytesMax: bodyBytes('Largest body once it is inflated; default as `bodyBytesMax`.'),
  largeBody: s.optional(
    s.either(
      [
        s.string({ values: ['reject'], doc: '413.' }),
        s.struct({
          claimCheck: s.string({ min: 3, max: 63, doc: 'The bucket that takes it; the record names the object.' }),
        }),
      ],
      { doc: 'What becomes of a body that is larger than a record of the stream; default reject.' },
    ),
  ),
  limit: s.optional({ ...rate, doc: 'Verified requests; beyond that 429 with Retry-After.' }),
  cors: s.optional(cors),
  receive: s.optional(receive),
};

const routesOf = { key: s.string({ min: 1, max: 1024 }), max: limits.routesMax } as const;
const BEHIND_A_STREAM =
  'takes no requests at once: what it gathers, tries again or refuses needs a log. ' +
  'Name a stream in `to`, and let a delivery with `from: STREAM` go there';
const ROUTES = 'By `METHOD /path`, the method also ANY; `{name}` is one part of the path, `{name+}` all that are left.';

/** The section `gateway` of the config file, with the destinations that may take requests of Firehose. */
export function gatewayOptions(destinations: readonly AnyDestination[]) {
  const kinds = destinations.filter(({ takesRequests }) => takesRequests === true);
  const words = Object.fromEntries(kinds.map(({ name, options }) => [name, s.optional(options)]));
  const others = destinations.filter(({ takesRequests }) => takesRequests !== true);
  const destination = s.struct(words, {
    doc: 'With `receive`: a destination that takes each request at once.',
    elsewhere: new Map(others.map(({ name }) => [name, BEHIND_A_STREAM])),
  });
  const to = s.optional(s.either([streamName, destination], { doc: 'The stream that takes the records.' }));
  const route = s.struct({ ...routeWords, to });
  return s.struct(
    {
      routes: s.optional(s.map(route, { ...routesOf, doc: ROUTES })),
      basePath: s.optional(
        s.string({ min: 2, max: 256, pattern: '(/[A-Za-z0-9._~-]+)+', doc: 'Stands in front of all paths of routes.' }),
      ),
      limit: s.optional({ ...rate, doc: 'All requests together, verified or not; beyond that 503 with Retry-After.' }),
      requestLog: s.optional(requestLog),
      redeliverTo: s.optional(redeliverTo),
      websockets: s.optional(s.notBuilt()),
    },
    { doc: 'The public side: webhooks become records, or events of functions.' },
  );
}

/** The checked section. */
export type GatewayOptions = s.Static<ReturnType<typeof gatewayOptions>>;

/** One route of it. */
export type RouteOptions = NonNullable<GatewayOptions['routes']>[string];
