import { fileName } from '../../kernel/paths.ts';
import { isZone } from './local-time.ts';
import { objectKey, zoneOf, type ObjectName, type Placing } from './object-key.ts';
import { prefixExpression } from './prefix-expression.ts';

/** AWS's sentence, as AWS spells it (observed); what follows it is AWS's only where a comment says so. */
const CONSTRAINT = 'Ths supplied prefix(es) do not satisfy the following constraint: ';
/** S3's bound for a key in UTF-8. */
const KEY_BYTES_MAX = 1024;
/** What file systems take for the name of a file or a folder. */
const NAME_BYTES_MAX = 255;
const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;

/** As long as names get: 64 characters, a configuration changed some thousand times, what can fail before S3. */
const LONGEST: Omit<ObjectName, 'oldestAt' | 'ending'> = {
  deliveryStream: 'x'.repeat(64),
  versionId: '9999',
  uuid: 'x'.repeat(36),
  random: () => 'x'.repeat(11),
};
const LONGEST_ERROR_TYPE = 'format-conversion-failed';

/** Why these prefixes and this zone cannot place objects that end with `ending`, in a sentence. */
export function placingProblem(placing: Placing, ending: string): string | undefined {
  const zone = zoneOf(placing);
  if (zone !== 'UTC' && zone.length <= 3) {
    // AWS's words.
    return 'CustomTimeZone: the supported IANA time zone formats are non-3-letter identifiers';
  }
  if (!isZone(zone)) return `CustomTimeZone: ${zone} is no time zone of the IANA database`;
  return constraint(placing, zone) ?? lengthProblem(placing, ending);
}

function constraint({ Prefix = '', ErrorOutputPrefix = '' }: Placing, zone: string): string | undefined {
  const prefix = prefixExpression(Prefix, zone);
  if ('fault' in prefix) return `Prefix: ${CONSTRAINT}${prefix.fault}`;
  const errorPrefix = prefixExpression(ErrorOutputPrefix, zone);
  if ('fault' in errorPrefix) return `ErrorOutputPrefix: ${CONSTRAINT}${errorPrefix.fault}`;
  if (prefix.hasErrorOutputType) return `${CONSTRAINT}Prefix cannot contain !{firehose:error-output-type}`;
  if (prefix.hasExpressions && ErrorOutputPrefix === '') {
    // AWS's words.
    return `${CONSTRAINT}ErrorOutputPrefix cannot be null or empty when Prefix contains expressions`;
  }
  if (errorPrefix.hasExpressions && !errorPrefix.hasErrorOutputType) {
    const wanted = '!{firehose:error-output-type} when it contains expressions';
    return `${CONSTRAINT}ErrorOutputPrefix must contain at least one instance of ${wanted}`;
  }
  return undefined;
}

function lengthProblem(placing: Placing, ending: string): string | undefined {
  const errorMember = (placing.ErrorOutputPrefix ?? '') === '' ? 'Prefix' : 'ErrorOutputPrefix';
  for (const oldestAt of instants(placing)) {
    const name = { ...LONGEST, oldestAt, ending };
    const problem =
      keyProblem('Prefix', objectKey(placing, name)) ??
      keyProblem(errorMember, objectKey(placing, { ...name, errorOutputType: LONGEST_ERROR_TYPE }));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Texts of months and weekdays are not equally long: where they may occur, a week of each month. */
function instants({ Prefix = '', ErrorOutputPrefix = '' }: Placing): readonly number[] {
  const firsts = Array.from({ length: 12 }, (_, month) => Date.UTC(2026, month, 20, 23, 59, 59, 999));
  if (!`${Prefix}${ErrorOutputPrefix}`.includes('!{timestamp:')) return firsts.slice(-1);
  return firsts.flatMap((first) => Array.from({ length: WEEK_DAYS }, (_, day) => first + day * DAY_MS));
}

function keyProblem(member: string, key: string): string | undefined {
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) {
    return `${member}: keys of more than ${KEY_BYTES_MAX} bytes are too long for S3, and these can be so long`;
  }
  if (key.split('/').some((part) => Buffer.byteLength(fileName(part)) > NAME_BYTES_MAX)) {
    return `${member}: a folder cannot hold a name of more than ${NAME_BYTES_MAX} bytes, and these can be so long`;
  }
  return undefined;
}
