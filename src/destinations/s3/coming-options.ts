import * as s from '../../kernel/schema/declare.ts';

/**
 * Shapes of what AWS's service model has for S3 and this version does not do (2015-08-04): they may say that it is off,
 * as clients do that write each member out.
 */

const word = s.string({ min: 1, max: 1024, pattern: '^\\S+$' });
const text = s.string({ min: 1, max: 1024, pattern: '^(?!\\s*$).+' });
const proportion = s.double({ min: 0, max: 1 });
const blockSize = s.integer({ min: 67_108_864 });

const schemaTable = s.struct({
  RoleARN: s.optional(word),
  CatalogId: s.optional(word),
  DatabaseName: s.optional(word),
  TableName: s.optional(word),
  Region: s.optional(word),
  VersionId: s.optional(word),
});

const deserializer = s.struct({
  OpenXJsonSerDe: s.optional(
    s.struct({
      ConvertDotsInJsonKeysToUnderscores: s.optional(s.boolean()),
      CaseInsensitive: s.optional(s.boolean()),
      ColumnToJsonKeyMappings: s.optional(s.map(text, { key: word })),
    }),
  ),
  HiveJsonSerDe: s.optional(s.struct({ TimestampFormats: s.optional(s.list(text)) })),
});

const parquet = s.struct({
  BlockSizeBytes: s.optional(blockSize),
  PageSizeBytes: s.optional(s.integer({ min: 65_536 })),
  Compression: s.optional(s.string({ values: ['UNCOMPRESSED', 'GZIP', 'SNAPPY'] })),
  EnableDictionaryCompression: s.optional(s.boolean()),
  MaxPaddingBytes: s.optional(s.integer({ min: 0 })),
  WriterVersion: s.optional(s.string({ values: ['V1', 'V2'] })),
});

const orc = s.struct({
  StripeSizeBytes: s.optional(s.integer({ min: 8_388_608 })),
  BlockSizeBytes: s.optional(blockSize),
  RowIndexStride: s.optional(s.integer({ min: 1000 })),
  EnablePadding: s.optional(s.boolean()),
  PaddingTolerance: s.optional(proportion),
  Compression: s.optional(s.string({ values: ['NONE', 'ZLIB', 'SNAPPY'] })),
  BloomFilterColumns: s.optional(s.list(word)),
  BloomFilterFalsePositiveProbability: s.optional(proportion),
  DictionaryKeyThreshold: s.optional(proportion),
  FormatVersion: s.optional(s.string({ values: ['V0_11', 'V0_12'] })),
});

/** Records as columns. */
const dataFormatConversion = s.struct(
  {
    SchemaConfiguration: s.optional(schemaTable),
    InputFormatConfiguration: s.optional(s.struct({ Deserializer: s.optional(deserializer) })),
    OutputFormatConfiguration: s.optional(
      s.struct({
        Serializer: s.optional(s.struct({ ParquetSerDe: s.optional(parquet), OrcSerDe: s.optional(orc) })),
      }),
    ),
    Enabled: s.optional(s.boolean()),
  },
  { doc: 'Not built yet: only `Enabled: false` is taken, and described.' },
);

/** Objects by what stands in records. */
const dynamicPartitioning = s.struct(
  {
    RetryOptions: s.optional(s.struct({ DurationInSeconds: s.optional(s.integer({ min: 0, max: 7200 })) })),
    Enabled: s.optional(s.boolean()),
  },
  { doc: 'Not built yet: only `Enabled: false` is taken, and described.' },
);

/** Members of the options that may only say that they are off. */
export const comingMembers = {
  DataFormatConversionConfiguration: s.optional(dataFormatConversion),
  DynamicPartitioningConfiguration: s.optional(dynamicPartitioning),
} as const;

type Coming = s.Static<s.StructSchema<typeof comingMembers>>;

/** AWS takes both as on where nothing is said of it (service model). */
export function comingProblem(options: Coming): string | undefined {
  const asked = (Object.keys(comingMembers) as (keyof Coming)[]).find((member) => {
    const given = options[member];
    return given !== undefined && given.Enabled !== false;
  });
  return asked === undefined ? undefined : `${asked} is not built yet; Enabled: false is taken`;
}
