import * as s from '../../kernel/schema/declare.ts';
import { limits } from './limits.ts';

const secret = s.either(
  [
    s.string({ min: 1, max: 1024, secret: true }),
    s.struct({
      value: s.string({ min: 1, max: 1024, secret: true, doc: 'The secret itself.' }),
      notBefore: s.optional(s.string({ doc: 'ISO 8601 time from which it verifies; without it, always did.' })),
      notAfter: s.optional(s.string({ doc: 'ISO 8601 time up to which it verifies; without it, for ever.' })),
    }),
  ],
  { doc: 'A secret, or one with the time in which it verifies. Two active ones make a rotation without loss.' },
);

const verify = s.either(
  [
    s.string({ values: ['none'], doc: 'Takes everything, keeps no ids: every request is a record of its own.' }),
    s.struct({
      github: s.optional(
        s.struct(
          { secrets: s.list(secret, { min: 1, max: limits.secretsMax, doc: 'Any of them verifies.' }) },
          { doc: 'X-Hub-Signature-256 over the bytes as sent; X-GitHub-Delivery is the delivery id.' },
        ),
      ),
      standard: s.optional(s.notBuilt()),
      stripe: s.optional(s.notBuilt()),
      slack: s.optional(s.notBuilt()),
      shopify: s.optional(s.notBuilt()),
      gitlab: s.optional(s.notBuilt()),
      bitbucket: s.optional(s.notBuilt()),
      jira: s.optional(s.notBuilt()),
      hmac: s.optional(s.notBuilt()),
      basic: s.optional(s.notBuilt()),
      apiKey: s.optional(s.notBuilt()),
      jwt: s.optional(s.notBuilt()),
      ip: s.optional(s.notBuilt()),
    }),
  ],
  { doc: 'How the sender proves itself; checked before anything else is done with a request.' },
);

const dedupe = s.either(
  [
    s.string({ values: ['off'], doc: 'Every request is a record, repeats too.' }),
    s.struct({
      id: s.optional(s.notBuilt()),
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

const route = s.struct({
  verify: s.optional(verify),
  to: s.either([s.string({ min: 1, max: 128 }), s.notBuilt()], { doc: 'The stream that takes the records.' }),
  dedupe: s.optional(dedupe),
  bodyBytesMax: s.optional(
    s.integer({
      min: 1,
      max: limits.bodyBytesMax,
      doc: 'Largest body, in bytes; the stream sets a bound too: body and delivery id fit MaxRecordSizeInKiB.',
    }),
  ),
  payload: s.optional(
    s.either([s.string({ values: ['raw'] }), s.notBuilt({ values: ['json', 'envelope'] })], {
      doc: 'raw: the bytes as sent.',
    }),
  ),
  function: s.optional(s.notBuilt()),
  event: s.optional(s.notBuilt()),
  authorizer: s.optional(s.notBuilt()),
  receive: s.optional(s.notBuilt()),
  cors: s.optional(s.notBuilt()),
  partitionKey: s.optional(s.notBuilt()),
  schema: s.optional(s.notBuilt()),
  onInvalid: s.optional(s.notBuilt()),
  limit: s.optional(s.notBuilt()),
  inflatedBytesMax: s.optional(s.notBuilt()),
  largeBody: s.optional(s.either([s.string({ values: ['reject'] }), s.notBuilt()])),
});

/** The section `gateway` of the config file. */
export const gatewayOptions = s.struct(
  {
    routes: s.optional(
      s.map(route, { key: s.string({ min: 1, max: 1024 }), doc: 'Webhooks by `POST /path`, matched exactly.' }),
    ),
    websockets: s.optional(s.notBuilt()),
    basePath: s.optional(s.notBuilt()),
    limit: s.optional(s.notBuilt()),
  },
  { doc: 'The public side: signed webhooks become records.' },
);
