import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectKey, type ObjectName, type Placing } from './object-key.ts';
import { placingProblem } from './placing-problem.ts';

const AT = Date.parse('2026-01-31T23:04:05.678Z');
const LEAD = 'Ths supplied prefix(es) do not satisfy the following constraint: ';
const FAILED = '!{firehose:error-output-type}';

function keyOf(placing: Placing, change: Partial<ObjectName> = {}): string {
  let count = 0;
  const random = (): string => `random-${(count += 1)}`;
  const name = { deliveryStream: 'events', versionId: '1', oldestAt: AT, uuid: 'u-u-i-d', random, ending: '' };
  return objectKey(placing, { ...name, ...change });
}

test('keys', () => {
  const suffix = 'events-1-2026-01-31-23-04-05-u-u-i-d';
  const table: readonly (readonly [placing: Placing, change: Partial<ObjectName>, key: string])[] = [
    [{}, {}, `2026/01/31/23/${suffix}`],
    [{}, { ending: '.gz' }, `2026/01/31/23/${suffix}.gz`],
    [{}, { versionId: '12' }, '2026/01/31/23/events-12-2026-01-31-23-04-05-u-u-i-d'],
    [{}, { oldestAt: 0 }, '1970/01/01/00/events-1-1970-01-01-00-00-00-u-u-i-d'],
    [{}, { oldestAt: AT + 3_600_000 }, '2026/02/01/00/events-1-2026-02-01-00-04-05-u-u-i-d'],
    [{ Prefix: 'raw/' }, {}, `raw/2026/01/31/23/${suffix}`],
    [{ Prefix: 'raw' }, {}, `raw2026/01/31/23/${suffix}`],
    [{ Prefix: '' }, {}, `2026/01/31/23/${suffix}`],
    // What is no expression stays as it is.
    [{ Prefix: '{year}!/$!' }, {}, `{year}!/$!2026/01/31/23/${suffix}`],
    [{ Prefix: '!{timestamp:yyyy/MM/dd/}' }, {}, `2026/01/31/${suffix}`],
    [{ Prefix: "a/!{timestamp:'y='yyyy}-!{timestamp:HH}/" }, {}, `a/y=2026-23/${suffix}`],
    [{ Prefix: '!{firehose:random-string}/!{firehose:random-string}/' }, {}, `random-1/random-2/${suffix}`],
  ];
  for (const [placing, change, key] of table) assert.equal(keyOf(placing, change), key);
});

test('all times of a key are those of the zone', () => {
  const table: readonly (readonly [placing: Placing, key: string])[] = [
    [{ CustomTimeZone: '' }, '2026/01/31/23/events-1-2026-01-31-23-04-05-u-u-i-d'],
    [{ CustomTimeZone: 'Asia/Tokyo' }, '2026/02/01/08/events-1-2026-02-01-08-04-05-u-u-i-d'],
    [
      { CustomTimeZone: 'America/New_York', Prefix: '!{timestamp:MMM-dd}/' },
      'Jan-31/events-1-2026-01-31-18-04-05-u-u-i-d',
    ],
  ];
  for (const [placing, key] of table) assert.equal(keyOf(placing), key);
});

test('keys of what failed', () => {
  const suffix = 'events-1-2026-01-31-23-04-05-u-u-i-d';
  const table: readonly (readonly [placing: Placing, key: string])[] = [
    [{}, `processing-failed/2026/01/31/23/${suffix}`],
    [{ Prefix: 'raw/' }, `raw/processing-failed/2026/01/31/23/${suffix}`],
    [{ ErrorOutputPrefix: 'failed/' }, `failed/processing-failed/2026/01/31/23/${suffix}`],
    [{ ErrorOutputPrefix: `failed/${FAILED}/` }, `failed/processing-failed/${suffix}`],
    [
      { Prefix: '!{timestamp:yyyy}/', ErrorOutputPrefix: `${FAILED}/!{timestamp:dd}/` },
      `processing-failed/31/${suffix}`,
    ],
  ];
  for (const [placing, key] of table) assert.equal(keyOf(placing, { errorOutputType: 'processing-failed' }), key);
});

test('prefixes and zones that cannot be taken', () => {
  const error = { ErrorOutputPrefix: `${FAILED}/` };
  const table: readonly (readonly [placing: Placing, said: RegExp | string | undefined])[] = [
    [{}, undefined],
    [{ Prefix: 'raw/', ErrorOutputPrefix: 'failed/' }, undefined],
    [{ Prefix: '!{timestamp:yyyy}/', ...error }, undefined],
    [error, undefined],
    [
      { Prefix: '!{timestamp:yyyy}/' },
      `${LEAD}ErrorOutputPrefix cannot be null or empty when Prefix contains expressions`,
    ],
    [
      { Prefix: '!{firehose:random-string}/', ErrorOutputPrefix: '' },
      `${LEAD}ErrorOutputPrefix cannot be null or empty when Prefix contains expressions`,
    ],
    [{ Prefix: `${FAILED}/`, ...error }, `${LEAD}Prefix cannot contain ${FAILED}`],
    [
      { ErrorOutputPrefix: '!{timestamp:yyyy}/' },
      `${LEAD}ErrorOutputPrefix must contain at least one instance of ${FAILED} when it contains expressions`,
    ],
    [{ Prefix: 'a!{b', ...error }, `Prefix: ${LEAD}The sequence !{ can only appear in !{namespace:value} expressions`],
    [
      { ErrorOutputPrefix: '!{timestamp' },
      `ErrorOutputPrefix: ${LEAD}The sequence !{ can only appear in !{namespace:value} expressions`,
    ],
    [{ Prefix: '!{timestamp:ddd}', ...error }, `Prefix: ${LEAD}!{timestamp:ddd}: too many of the letter d`],
    [
      { Prefix: '!{timestamp:}/', ...error },
      `Prefix: ${LEAD}!{timestamp:} has no pattern, for example !{timestamp:yyyy/MM/dd}`,
    ],
    [{ Prefix: '!{firehose:name}', ...error }, /!\{firehose:name\} is no expression; there are timestamp:PATTERN/],
    [{ Prefix: '!{Timestamp:yyyy}', ...error }, /is no expression/],
    [{ Prefix: '!{partitionKeyFromQuery:k}', ...error }, /: dynamic partitioning is not built yet$/],
    [{ ErrorOutputPrefix: '!{partitionKeyFromLambda:k}' }, /: dynamic partitioning is not built yet$/],
    [{ CustomTimeZone: 'Europe/Berlin' }, undefined],
    [{ CustomTimeZone: 'UTC' }, undefined],
    [{ CustomTimeZone: 'EST' }, 'CustomTimeZone: the supported IANA time zone formats are non-3-letter identifiers'],
    [{ CustomTimeZone: 'Europe/Atlantis' }, 'CustomTimeZone: Europe/Atlantis is no time zone of the IANA database'],
  ];
  for (const [placing, said] of table) {
    const problem = placingProblem(placing, '.gz');
    if (said instanceof RegExp) assert.match(problem ?? '', said);
    else assert.equal(problem, said, JSON.stringify(placing));
  }
});

test('keys are bounded as S3 bounds them, names as folders do', () => {
  const parts = (count: number): string => 'part/'.repeat(count);
  const table: readonly (readonly [placing: Placing, said: RegExp | undefined])[] = [
    // What fails comes in a folder more.
    [{ Prefix: parts(171) }, undefined],
    [{ Prefix: parts(172) }, /^Prefix: keys of more than 1024 bytes/],
    [{ Prefix: parts(176), ErrorOutputPrefix: 'e/' }, undefined],
    [{ Prefix: parts(177), ErrorOutputPrefix: 'e/' }, /^Prefix: keys of more than 1024 bytes/],
    [{ ErrorOutputPrefix: parts(172) }, /^ErrorOutputPrefix: keys of more than 1024 bytes/],
    [{ Prefix: `${'ü'.repeat(100)}/`.repeat(5) }, /keys of more than 1024 bytes/],
    [{ Prefix: `${'p'.repeat(251)}/` }, undefined],
    [{ Prefix: `${'p'.repeat(256)}/` }, /^Prefix: a folder cannot hold a name of more than 255 bytes/],
    [{ Prefix: 'p'.repeat(231) }, undefined],
    [{ Prefix: 'p'.repeat(232) }, /^Prefix: a folder cannot hold/],
    // September is longer than May.
    [{ Prefix: `${'p'.repeat(246)}!{timestamp:MMMM}/`, ErrorOutputPrefix: FAILED }, undefined],
    [{ Prefix: `${'p'.repeat(247)}!{timestamp:MMMM}/`, ErrorOutputPrefix: FAILED }, /^Prefix: a folder cannot hold/],
  ];
  for (const [placing, said] of table) {
    const problem = placingProblem(placing, '');
    if (said === undefined) assert.equal(problem, undefined, JSON.stringify(placing));
    else assert.match(problem ?? '', said, JSON.stringify(placing));
  }
});
