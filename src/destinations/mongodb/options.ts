import * as s from '../../kernel/schema/declare.ts';

/** Shape of the target: where documents go. */
export const mongodbOptions = s.struct({
  uri: s.string({ min: 1, max: 4096, secret: true, doc: 'Connection string, `mongodb://` or `mongodb+srv://`.' }),
  database: s.string({ min: 1, max: 63, pattern: '[^/\\\\. "$*<>:|?\\x00]+', doc: 'Its name.' }),
  collection: s.string({ min: 1, max: 200, pattern: '[^$\\x00]+', doc: 'Its name.' }),
  upsertOn: s.optional(
    s.string({
      min: 1,
      max: 200,
      pattern: '[^$.\\x00][^.\\x00]*',
      doc:
        'The member by which a document that is there is found and replaced; default `_id`. Text of 24 hex digits is ' +
        'taken for an ObjectId; a record without `_id` gets its sequence number as one.',
    }),
  ),
  bufferBytesMax: s.optional(
    s.integer({ min: 1024, max: 64 * 1024 ** 2, doc: 'Bytes gathered before they are stored; default 1048576.' }),
  ),
  intervalSeconds: s.optional(s.integer({ min: 0, max: 900, doc: 'Or so long after the oldest; default 1.' })),
});

/** Checked options. */
export type MongodbOptions = s.Static<typeof mongodbOptions>;
