import type { processingConfiguration } from './destination-shapes.ts';
import { parseConfigUrl } from './net/config-url.ts';
import type * as s from './schema/declare.ts';

const LAMBDA = 'Lambda';
const DELIMITER = 'AppendDelimiterToRecord';
/** As it is written in a parameter, which holds no line ends. */
const WRITTEN_NEWLINE = '\\n';

/** Checked options of `ProcessingConfiguration`. */
export type ProcessingOptions = s.Static<typeof processingConfiguration>;

type Processor = NonNullable<ProcessingOptions['Processors']>[number];

/** A function by its name or ARN, with or without a version. */
const FUNCTION = /^(?:arn:[^:]*:lambda:[^:]*:[^:]*:function:)?([\w.-]+)(?::[\w.$-]+)?$/;

/** Ranges of the parameters of a transforming function (service model and Developer guide). */
const NUMBERS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  BufferSizeInMBs: [0.2, 3],
  BufferIntervalInSeconds: [0, 900],
  NumberOfRetries: [0, 300],
};

const NO_TRANSFORMER = "is neither a function's name or ARN nor a URL";

/** What transforms records: a function of this node, or a URL that takes the same event and gives the same answer. */
export type Transformer = { readonly name: string } | { readonly url: string };

/** What `LambdaArn` says, where `${api}` and `${gateway}` stand for the node's own listeners; undefined: nothing. */
export function transformerOf(lambdaArn: string): Transformer | undefined {
  const name = FUNCTION.exec(lambdaArn)?.[1];
  if (name !== undefined) return { name };
  const protocol = parseConfigUrl(lambdaArn)?.protocol;
  return protocol === 'https:' || protocol === 'http:' ? { url: lambdaArn } : undefined;
}

/**
 * What is wrong with what is done to records before they are delivered, or not built, in a sentence; also of what is
 * not enabled, which would be so silently once it is. `mayAppend`: whether the destination can put something behind
 * records.
 */
export function processingProblem({ Processors = [] }: ProcessingOptions, mayAppend: boolean): string | undefined {
  const known = mayAppend ? [LAMBDA, DELIMITER] : [LAMBDA];
  const other = Processors.find(({ Type }) => !known.includes(Type));
  if (other !== undefined) return `ProcessingConfiguration: ${other.Type} is not built yet for this destination`;
  const twice = known.find((type) => Processors.filter(({ Type }) => Type === type).length > 1);
  if (twice !== undefined) return `ProcessingConfiguration: ${twice} stands there twice`;
  const wrong = Processors.map((one) => (one.Type === LAMBDA ? lambdaProblem(one) : delimiterProblem(one)));
  const found = wrong.find((one) => one !== undefined);
  return found === undefined ? undefined : `ProcessingConfiguration: ${found}`;
}

function lambdaProblem({ Parameters = [] }: Processor): string | undefined {
  const names = Parameters.map(({ ParameterName }) => ParameterName);
  if (!names.includes('LambdaArn')) return `${LAMBDA} needs LambdaArn: a function's ARN or name, or a URL`;
  for (const { ParameterName: name, ParameterValue: value } of Parameters) {
    if (names.filter((one) => one === name).length > 1) return `${name} is given twice`;
    if (name === 'LambdaArn' && transformerOf(value) === undefined) return `LambdaArn: ${value} ${NO_TRANSFORMER}`;
    if (name === 'LambdaArn' || name === 'RoleArn') continue;
    const [least, most] = NUMBERS[name] ?? [];
    if (least === undefined || most === undefined) return `${LAMBDA} takes no ${name}`;
    const number = Number(value);
    const isWhole = name === 'BufferSizeInMBs' || Number.isInteger(number);
    if (!isWhole || !(number >= least && number <= most)) return `${name} is from ${least} to ${most}`;
  }
  return undefined;
}

function delimiterProblem({ Parameters = [] }: Processor): string | undefined {
  const odd = Parameters.find(({ ParameterName, ParameterValue }) => {
    return ParameterName !== 'Delimiter' || ParameterValue !== WRITTEN_NEWLINE;
  });
  if (odd === undefined) return undefined;
  return `${DELIMITER} takes no ${odd.ParameterName} but a Delimiter of ${WRITTEN_NEWLINE}`;
}

/** What stands behind each record. */
export function delimiterOf(options: ProcessingOptions | undefined): string {
  const isOn = options?.Enabled === true && options.Processors?.some(({ Type }) => Type === DELIMITER) === true;
  return isOn ? '\n' : '';
}
