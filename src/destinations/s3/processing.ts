import type { processingConfiguration } from '../../kernel/destination-shapes.ts';
import type * as s from '../../kernel/schema/declare.ts';

const DELIMITER_PROCESSOR = 'AppendDelimiterToRecord';
/** As it is written in a parameter, which holds no line ends. */
const WRITTEN_NEWLINE = '\\n';

/** Checked options. */
export type ProcessingOptions = s.Static<typeof processingConfiguration>;

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
