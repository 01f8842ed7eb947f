import * as s from '../../kernel/schema/declare.ts';
import { kinesisLimits } from './limits.ts';

/** The section `streams`: names to what each stream is. */
export const streamsOptions = s.map(
  s.struct({
    ShardCount: s.optional(
      s.integer({
        min: 1,
        max: kinesisLimits.shardsPerStreamMax,
        doc: 'Open shards of a provisioned stream; default 1.',
      }),
    ),
    StreamModeDetails: s.optional(
      s.struct(
        { StreamMode: s.string({ values: ['ON_DEMAND', 'PROVISIONED'], doc: 'Default PROVISIONED.' }) },
        { doc: 'Capacity mode; an on-demand stream has 4 shards.' },
      ),
    ),
    RetentionPeriodHours: s.optional(
      s.integer({
        min: kinesisLimits.retentionHoursMin,
        max: kinesisLimits.retentionHoursMax,
        doc: 'How long records are kept, in hours; default 24.',
      }),
    ),
    MaxRecordSizeInKiB: s.optional(
      s.integer({
        min: kinesisLimits.recordKibMin,
        max: kinesisLimits.recordKibMax,
        doc: 'Largest record (data and partition key), in KiB; default 1024.',
      }),
    ),
    Tags: s.optional(
      s.map(s.string({ min: 0, max: 256 }), {
        key: s.string({ min: 1, max: 128 }),
        max: kinesisLimits.tagsPerStreamMax,
        doc: 'Tags of the stream; the file replaces what is there.',
      }),
    ),
  }),
  {
    key: s.string({ min: 1, max: 128, pattern: '[a-zA-Z0-9_.-]+' }),
    doc: 'Streams by name; the file creates what is missing.',
  },
);

/** A checked section. */
export type StreamsOptions = s.Static<typeof streamsOptions>;
