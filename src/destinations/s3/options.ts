import * as s from '../../kernel/schema/declare.ts';
import { processingConfiguration, s3Members } from '../../kernel/destination-shapes.ts';
import { comingMembers } from './coming-options.ts';

/** Shape of `ExtendedS3DestinationConfiguration` (service model 2015-08-04). */
export const s3Options = s.struct({
  ...s3Members,
  ProcessingConfiguration: s.optional(processingConfiguration),
  S3BackupMode: s.optional(
    s.string({
      values: ['Disabled', 'Enabled'],
      doc: 'Enabled: each record also goes to S3BackupConfiguration, as it came; not to be switched off again.',
    }),
  ),
  S3BackupConfiguration: s.optional(
    s.struct(s3Members, { doc: 'Where each record goes as it came, beside the bucket, when S3BackupMode is Enabled.' }),
  ),
  ...comingMembers,
  FileExtension: s.optional(
    s.string({
      min: 0,
      max: 128,
      pattern: "^$|\\.[0-9a-z!\\-_.*'()]+",
      doc: 'Ends the key of each object, in place of the ending of its format.',
    }),
  ),
  CustomTimeZone: s.optional(
    s.string({
      min: 0,
      max: 50,
      pattern: '^$|[a-zA-Z/_]+',
      doc: 'Zone of the times in keys, by its IANA name such as `Europe/Berlin`; default UTC.',
    }),
  ),
});

/** Checked options. */
export type S3Options = s.Static<typeof s3Options>;

/** What the bucket of records and that of their backup have both. */
export type ObjectOptions = s.Static<s.StructSchema<typeof s3Members>> &
  Pick<S3Options, 'FileExtension' | 'CustomTimeZone'>;
