import type { LocalTime } from './local-time.ts';
import { timestampPattern, type Print } from './timestamp-pattern.ts';

/** What an evaluated prefix is made from, beside its own text. */
export interface PrefixContext {
  readonly time: LocalTime;
  /** Eleven characters, others at each call. */
  readonly random: () => string;
  /** AWS's word for what failed; only in error prefixes. */
  readonly errorOutputType?: string;
}

/** A prefix that can be evaluated. */
export interface PrefixExpression {
  readonly hasExpressions: boolean;
  readonly hasErrorOutputType: boolean;
  evaluate(context: PrefixContext): string;
}

type Part = (context: PrefixContext) => string;

const OPENING = '!{';
const EXPRESSION = /^!\{([^:{}]*):([^}]*)\}/;
const PARTITIONS = new Set(['partitionKeyFromQuery', 'partitionKeyFromLambda']);

/** A prefix with its expressions `!{namespace:value}` (AWS's guide to custom prefixes), or why it is none. */
export function prefixExpression(text: string, zone: string): PrefixExpression | { readonly fault: string } {
  const parts: Part[] = [];
  let hasErrorOutputType = false;
  for (let at = 0; at < text.length;) {
    const opening = text.indexOf(OPENING, at);
    const literal = opening < 0 ? text.slice(at) : text.slice(at, opening);
    if (literal !== '') parts.push(() => literal);
    if (opening < 0) break;
    const [whole, namespace = '', value = ''] = EXPRESSION.exec(text.slice(opening)) ?? [];
    if (whole === undefined) return { fault: 'The sequence !{ can only appear in !{namespace:value} expressions' };
    const part = partOf(namespace, value, zone);
    if (typeof part === 'string') return { fault: part };
    hasErrorOutputType ||= namespace === 'firehose' && value === 'error-output-type';
    parts.push(part);
    at = opening + whole.length;
  }
  const hasExpressions = text.includes(OPENING);
  const evaluate = (context: PrefixContext): string => parts.map((part) => part(context)).join('');
  return { hasExpressions, hasErrorOutputType, evaluate };
}

function partOf(namespace: string, value: string, zone: string): Part | string {
  if (namespace === 'timestamp') {
    if (value === '') return '!{timestamp:} has no pattern, for example !{timestamp:yyyy/MM/dd}';
    const pattern = timestampPattern(value, zone);
    return 'fault' in pattern ? `!{timestamp:${value}}: ${pattern.fault}` : timestamp(pattern.print);
  }
  if (namespace === 'firehose' && value === 'random-string') return ({ random }) => random();
  if (namespace === 'firehose' && value === 'error-output-type') return ({ errorOutputType = '' }) => errorOutputType;
  if (PARTITIONS.has(namespace)) return `!{${namespace}:${value}}: dynamic partitioning is not built yet`;
  const known = 'timestamp:PATTERN, firehose:random-string and firehose:error-output-type';
  return `!{${namespace}:${value}} is no expression; there are ${known}`;
}

function timestamp(print: Print): Part {
  return ({ time }) => print(time);
}
