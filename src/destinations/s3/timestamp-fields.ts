import type { LocalTime } from './local-time.ts';
import type { Print } from './timestamp-pattern.ts';
import { monthWeek, weekOfYear, weekYear } from './weeks.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const QUARTERS = ['1st quarter', '2nd quarter', '3rd quarter', '4th quarter'];
const YEAR_LETTERS_MAX = 19;
const NANOSECONDS_PER_MS = 1_000_000n;

type ValueOf = (time: LocalTime) => number;

/** Prints for `count` times the letter, or a sentence that says why not. */
type Field = (count: number, letter: string) => Print | string;

const FIELDS: Readonly<Record<string, Field>> = {
  G: text(() => 0, ['Anno Domini'], ['AD']),
  u: year(({ year: value }) => value),
  y: year(({ year: value }) => value),
  Y: year(weekYear, Infinity),
  M: numberOrText(({ month }) => month, MONTHS),
  L: numberOrText(({ month }) => month, MONTHS),
  Q: numberOrText(quarter, QUARTERS, ['Q1', 'Q2', 'Q3', 'Q4']),
  q: numberOrText(quarter, QUARTERS, ['Q1', 'Q2', 'Q3', 'Q4']),
  E: text(({ weekday }) => weekday, WEEKDAYS),
  e: numberOrText(({ weekday }) => weekday + 1, WEEKDAYS),
  c: (count, letter) =>
    count === 2 ? 'cc is no pattern' : numberOrText(({ weekday }) => weekday + 1, WEEKDAYS)(count, letter),
  w: number(weekOfYear, 2),
  W: number(monthWeek, 1),
  D: number(({ dayOfYear }) => dayOfYear, 3),
  d: number(({ day }) => day, 2),
  F: number(({ day }) => ((day - 1) % 7) + 1, 1),
  a: (count, letter) => (count > 1 ? tooMany(letter) : ({ hour }) => (hour < 12 ? 'AM' : 'PM')),
  H: number(({ hour }) => hour, 2),
  k: number(({ hour }) => (hour === 0 ? 24 : hour), 2),
  K: number(({ hour }) => hour % 12, 2),
  h: number(({ hour }) => (hour % 12 === 0 ? 12 : hour % 12), 2),
  m: number(({ minute }) => minute, 2),
  s: number(({ second }) => second, 2),
  S: fraction,
  A: number(millisecondOfDay, YEAR_LETTERS_MAX),
  n: nanoseconds(({ millisecond }) => millisecond),
  N: nanoseconds(millisecondOfDay),
  V: (count) => (count === 2 ? ({ zone }) => zone : 'V stands twice, as VV'),
  z: zoneName,
  v: zoneName,
  O: (count) => (count === 1 || count === 4 ? localizedOffset(count === 4) : 'O stands once or four times'),
  X: offset('Z'),
  x: offset(undefined),
  Z: (count, letter) => {
    if (count === 4) return localizedOffset(true);
    return offset(count === 5 ? 'Z' : undefined)(count === 5 ? 5 : count < 4 ? 2 : count, letter);
  },
};

/** How `count` times `letter` are printed, or a sentence that says why they are not. */
export function printerOf(letter: string, count: number): Print | string {
  const field = Object.hasOwn(FIELDS, letter) ? FIELDS[letter] : undefined;
  return field === undefined ? `the letter ${letter} is not known` : field(count, letter);
}

function tooMany(letter: string): string {
  return `too many of the letter ${letter}`;
}

function padded(value: number | bigint, width: number): string {
  return String(value).padStart(width, '0');
}

function number(value: ValueOf, countMax: number): Field {
  return (count, letter) => (count > countMax ? tooMany(letter) : (time) => padded(value(time), count));
}

/** Two letters are the last two digits; from four on a longer year shows by its sign. */
function year(value: ValueOf, countMax = YEAR_LETTERS_MAX): Field {
  return (count, letter) => {
    if (count > countMax) return tooMany(letter);
    if (count === 2) return (time) => padded(value(time) % 100, 2);
    return (time) => {
      const digits = padded(value(time), count);
      return count >= 4 && digits.length > count ? `+${digits}` : digits;
    };
  };
}

/** Up to three letters are the short text, four the long one, five its first character. */
function text(
  index: ValueOf,
  long: readonly string[],
  short: readonly string[] = long.map((name) => name.slice(0, 3)),
): Field {
  return (count, letter) => {
    if (count > 5) return tooMany(letter);
    const names = count < 4 ? short : long;
    return (time) => {
      const name = names[index(time)] as string;
      return count === 5 ? name.slice(0, 1) : name;
    };
  };
}

/** One or two letters are the number, counted from 1. */
function numberOrText(value: ValueOf, long: readonly string[], short?: readonly string[]): Field {
  const named = text((time) => value(time) - 1, long, short);
  return (count, letter) => (count < 3 ? (time) => padded(value(time), count) : named(count, letter));
}

function quarter({ month }: LocalTime): number {
  return Math.ceil(month / 3);
}

function millisecondOfDay({ hour, minute, second, millisecond }: LocalTime): number {
  return ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
}

function nanoseconds(milliseconds: ValueOf): Field {
  return (count, letter) => {
    if (count > YEAR_LETTERS_MAX) return tooMany(letter);
    return (time) => padded(BigInt(milliseconds(time)) * NANOSECONDS_PER_MS, count);
  };
}

/** So many digits of the second's fraction, not rounded. */
function fraction(count: number, letter: string): Print | string {
  if (count > 9) return tooMany(letter);
  return ({ millisecond }) => padded(millisecond, 3).padEnd(9, '0').slice(0, count);
}

/** Of UTC: other zones' names are refused before. */
function zoneName(count: number, letter: string): Print | string {
  if (count > 4 || (letter === 'v' && count !== 1 && count !== 4)) return tooMany(letter);
  return () => (count === 4 ? 'Coordinated Universal Time' : 'UTC');
}

function offsetParts({ offsetSeconds }: LocalTime): { sign: string; hours: number; minutes: number; seconds: number } {
  const total = Math.abs(offsetSeconds);
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor(total / 60) % 60];
  return { sign: offsetSeconds < 0 ? '-' : '+', hours, minutes, seconds: total % 60 };
}

/** From one letter to five: hours and minutes if any, both, both with a colon, and the last two with seconds if any. */
function offset(zero: string | undefined): Field {
  return (count, letter) => {
    if (count > 5) return tooMany(letter);
    const colon = count === 3 || count === 5 ? ':' : '';
    return (time) => {
      if (time.offsetSeconds === 0 && zero !== undefined) return zero;
      const { sign, hours, minutes, seconds } = offsetParts(time);
      const written = sign + padded(hours, 2) + (count === 1 && minutes === 0 ? '' : colon + padded(minutes, 2));
      return count > 3 && seconds !== 0 ? written + colon + padded(seconds, 2) : written;
    };
  };
}

function localizedOffset(isFull: boolean): Print {
  return (time) => {
    if (time.offsetSeconds === 0) return 'GMT';
    const { sign, hours, minutes, seconds } = offsetParts(time);
    const short = `GMT${sign}${padded(hours, isFull ? 2 : 1)}`;
    const withMinutes = isFull || minutes !== 0 || seconds !== 0 ? `${short}:${padded(minutes, 2)}` : short;
    return seconds === 0 ? withMinutes : `${withMinutes}:${padded(seconds, 2)}`;
  };
}
