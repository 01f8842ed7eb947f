import type { LocalTime } from './local-time.ts';

/**
 * Weeks as the United States count them, as Java does for its English: they begin on Sunday, and the one that holds the
 * first of a year or month is its first.
 */

/** From 1: the week of `weekYear`. */
export function weekOfYear(time: LocalTime): number {
  return weekYear(time) === time.year ? weekFrom(time.dayOfYear, time.weekday) : 1;
}

/** The year that the week belongs to: from its Sunday on, the days before a new year are that year's. */
export function weekYear({ year, month, day, weekday }: LocalTime): number {
  const saturday = day + (6 - weekday);
  return month === 12 && saturday > 31 ? year + 1 : year;
}

/** From 1: the week of the month. */
export function monthWeek({ day, weekday }: LocalTime): number {
  return weekFrom(day, weekday);
}

/** The week, from 1, of the `day`th day, which is a `weekday`, counted from the week of the first day. */
function weekFrom(day: number, weekday: number): number {
  const firstWeekday = (((weekday - (day - 1)) % 7) + 7) % 7;
  return Math.floor((day - 1 + firstWeekday) / 7) + 1;
}
