import * as s from '../../kernel/schema/declare.ts';

const DELIMITER_PROCESSOR = 'AppendDelimiterToRecord';
/** As it is written in a parameter, which holds no line ends. */
const WRITTEN_NEWLINE = '\\n';

const parameter = s.struct({
  ParameterName: s.string({
    values: [
      'LambdaArn',
      'NumberOfRetries',
      'MetadataExtractionQuery',
      'JsonParsingEngine',
      'RoleArn',
      'BufferSizeInMBs',
      'BufferIntervalInSeconds',
      'SubRecordType',
      'Delimiter',
      'CompressionFormat',
      'DataMessageExtraction',
    ],
  }),
  ParameterValue: s.string({ min: 1, max: 5120, pattern: '^(?!\\s*$).+' }),
});

/** Shape of `ProcessingConfiguration` (service model 2015-08-04). */
export const processingOptions = s.struct(
  {
    Enabled: s.optional(s.boolean({ doc: 'Without it nothing is processed.' })),
    Processors: s.optional(
      s.list(
        s.struct({
          Type: s.string({
            values: [
              'RecordDeAggregation',
              'Decompression',
              'CloudWatchLogProcessing',
              'Lambda',
              'MetadataExtraction',
              DELIMITER_PROCESSOR,
            ],
            doc: `${DELIMITER_PROCESSOR} puts a line end behind each record; the others are not built yet.`,
          }),
          Parameters: s.optional(
            s.list(parameter, { doc: `${DELIMITER_PROCESSOR} needs none; a Delimiter is \`${WRITTEN_NEWLINE}\`.` }),
          ),
        }),
      ),
    ),
  },
  { doc: 'What is done to records before they are delivered.' },
);

/** Checked options. */
export type ProcessingOptions = s.Static<typeof processingOptions>;

/** What is not built, in a sentence; also of what is not enabled, which would be so silently once it is. */
export function processingProblem({ Processors = [] }: ProcessingOptions): string | undefined {
  const other = Processors.find(({ Type }) => Type !== DELIMITER_PROCESSOR);
  if (other !== undefined) return `ProcessingConfiguration: ${other.Type} is not built yet`;
  const parameters = Processors.flatMap(({ Parameters = [] }) => Parameters);
  const odd = parameters.find(({ ParameterName, ParameterValue }) => {
    return ParameterName !== 'Delimiter' || ParameterValue !== WRITTEN_NEWLINE;
  });
  if (odd === undefined) return undefined;
  const taken = `no ${odd.ParameterName} but a Delimiter of ${WRITTEN_NEWLINE}`;
  return `ProcessingConfiguration: ${DELIMITER_PROCESSOR} takes ${taken}`;
}

/** What stands behind each record. */
export function delimiterOf(options: ProcessingOptions | undefined): Uint8Array {
  const isOn = options?.Enabled === true && (options.Processors ?? []).length > 0;
  return Buffer.from(isOn ? '\n' : '');
}
