import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from './iso-time.ts';

test('dates, and times with their zone', () => {
  const table: readonly (readonly [text: string, time: string | undefined])[] = [
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T12:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:01Z', '2026-01-31T12:00:01.000Z'],
    ['2026-01-31T12:00:01.123456Z', '2026-01-31T12:00:01.123Z'],
    ['2026-01-31T12:00:00+02:00', '2026-01-31T10:00:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
    ['2026-01-31T12:00:00', undefined],
    ['2026-13-01', undefined],
    ['2026-01-31T25:00Z', undefined],
    ['2026', undefined],
    ['2026-01', undefined],
    ['1', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['', undefined],
    ['31 Jan 2026', undefined],
    ['2026-01-31 12:00:00Z', undefined],
    [' 2026-01-31', undefined],
    ['2026-01-31\n', undefined],
  ];
  for (const [text, time] of table) {
    const found = isoTime(text);
    assert.equal(found === undefined ? undefined : new Date(found).toISOString(), time, JSON.stringify(text));
  }
});
