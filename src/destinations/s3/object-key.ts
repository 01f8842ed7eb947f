import { Defect } from '../../kernel/errors.ts';
import { clockOf, type LocalTime } from './local-time.ts';
import type { S3Options } from './options.ts';
import { prefixExpression, type PrefixContext } from './prefix-expression.ts';

/** Members of the options that say where objects go. */
export type Placing = Pick<S3Options, 'Prefix' | 'ErrorOutputPrefix' | 'CustomTimeZone'>;

/** What the key of an object is made of, beside its prefix. */
export interface ObjectName {
  readonly deliveryStream: string;
  readonly versionId: string;
  /** Arrival of the oldest record, ms. */
  readonly oldestAt: number;
  readonly uuid: string;
  /** Eleven characters, others at each call. */
  readonly random: () => string;
  /** `.gz` for instance, or empty. */
  readonly ending: string;
  /** AWS's word for what failed, for an object with records that did: `processing-failed` for instance. */
  readonly errorOutputType?: string;
}

/** The zone of all times in a key. */
export function zoneOf({ CustomTimeZone: zone = '' }: Placing): string {
  return zone === '' ? 'UTC' : zone;
}

/**
 * `<evaluated prefix><stream>-<versionId>-yyyy-MM-dd-HH-mm-ss-<uuid><ending>`: all times are those of the oldest
 * record, in `CustomTimeZone`. Options with a `problem` are a Defect.
 */
export function objectKey(placing: Placing, name: ObjectName): string {
  const { deliveryStream, versionId, oldestAt, uuid, random, ending, errorOutputType } = name;
  const time = clockOf(zoneOf(placing))(oldestAt);
  const { year, month, day, hour, minute, second } = time;
  const at = [year, month, day, hour, minute, second].map(twoDigits).join('-');
  const context = { time, random, ...(errorOutputType !== undefined && { errorOutputType }) };
  return `${prefixOf(placing, context)}${deliveryStream}-${versionId}-${at}-${uuid}${ending}`;
}

/**
 * Without expressions the hour follows, as observed on AWS with no slash between a prefix and the year; what failed
 * comes in a folder before it. Without an error prefix the other one serves.
 */
function prefixOf(placing: Placing, context: PrefixContext): string {
  const { Prefix: prefix = '', ErrorOutputPrefix: errorPrefix = '' } = placing;
  const { time, errorOutputType } = context;
  const expression = evaluable(errorOutputType === undefined || errorPrefix === '' ? prefix : errorPrefix, placing);
  const text = expression.evaluate(context);
  if (expression.hasExpressions) return text;
  return text + (errorOutputType === undefined ? '' : `${errorOutputType}/`) + hourFolder(time);
}

function evaluable(text: string, placing: Placing): Exclude<ReturnType<typeof prefixExpression>, { fault: string }> {
  const expression = prefixExpression(text, zoneOf(placing));
  if ('fault' in expression) throw new Defect(`a prefix that was taken cannot be evaluated: ${expression.fault}`);
  return expression;
}

/** `2026/01/31/23/`. */
function hourFolder({ year, month, day, hour }: LocalTime): string {
  return [year, month, day, hour].map(twoDigits).join('/') + '/';
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
