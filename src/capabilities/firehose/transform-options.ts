import { transformerOf, type Transformer } from '../../kernel/processing.ts';
import { firehoseLimits } from './limits.ts';
import type { Target } from './model.ts';

const MIB = 1024 ** 2;

/** What transforms the records of a delivery, with AWS's defaults. */
export interface Transform {
  /** As it was given: what error lines name. */
  readonly arn: string;
  readonly to: Transformer;
  readonly bufferBytes: number;
  readonly intervalMs: number;
  readonly retries: number;
}

interface Processor {
  readonly Type: string;
  readonly Parameters?: readonly { readonly ParameterName: string; readonly ParameterValue: string }[];
}

/** The transform of a target; undefined where there is none. */
export function transformOf({ options }: Pick<Target, 'options'>): Transform | undefined {
  const { ProcessingConfiguration: given } = options as {
    readonly ProcessingConfiguration?: { readonly Enabled?: boolean; readonly Processors?: readonly Processor[] };
  };
  if (given?.Enabled !== true) return undefined;
  const lambda = given.Processors?.find(({ Type }) => Type === 'Lambda');
  if (lambda === undefined) return undefined;
  const value = (name: string): string | undefined =>
    lambda.Parameters?.find(({ ParameterName }) => ParameterName === name)?.ParameterValue;
  const arn = value('LambdaArn') ?? '';
  const { transformSizeMib, transformIntervalSeconds, transformRetries } = firehoseLimits;
  return {
    arn,
    // What earlier versions took for a name, and is none, is waited for.
    to: transformerOf(arn) ?? { name: arn },
    bufferBytes: Math.round(Number(value('BufferSizeInMBs') ?? transformSizeMib) * MIB),
    intervalMs: Number(value('BufferIntervalInSeconds') ?? transformIntervalSeconds) * 1000,
    retries: Number(value('NumberOfRetries') ?? transformRetries),
  };
}
