import { firehoseLimits } from './limits.ts';
import type { Target } from './model.ts';

const MIB = 1024 ** 2;

/** What transforms the records of a delivery, with AWS's defaults. */
export interface Transform {
  /** As it was given: what error lines name. */
  readonly arn: string;
  /** A function of this node, or a URL that takes the same event and gives the same answer. */
  readonly to: { readonly name: string } | { readonly url: string };
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
    to: /^https?:\/\//.test(arn) ? { url: arn } : { name: functionName(arn) },
    bufferBytes: Math.round(Number(value('BufferSizeInMBs') ?? transformSizeMib) * MIB),
    intervalMs: Number(value('BufferIntervalInSeconds') ?? transformIntervalSeconds) * 1000,
    retries: Number(value('NumberOfRetries') ?? transformRetries),
  };
}

/** Of a name, or of an ARN with or without a version. */
function functionName(arn: string): string {
  return /^arn:[^:]*:lambda:[^:]*:[^:]*:function:([^:]+)/.exec(arn)?.[1] ?? arn;
}
