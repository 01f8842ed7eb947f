/** What a clock on the wall shows somewhere. */
export interface LocalTime {
  readonly zone: string;
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** From 0, which is Sunday. */
  readonly weekday: number;
  /** From 1. */
  readonly dayOfYear: number;
  /** East of UTC, in seconds. */
  readonly offsetSeconds: number;
}

const UTC = 'UTC';
const DAY_MS = 86_400_000;

type Clock = (ms: number) => LocalTime;

/** There are some hundred zones, and making a clock takes the platform longer than reading it. */
const CLOCKS_MAX = 100;
const clocks = new Map<string, Clock>();
let spellings: ReadonlyMap<string, string> | undefined;

/** Tells local times of one zone, an IANA name; with daylight saving as the platform's tables know it. */
export function clockOf(zone: string): Clock {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  if (clocks.size >= CLOCKS_MAX) clocks.clear();
  const made = newClock(zone);
  clocks.set(zone, made);
  return made;
}

function newClock(zone: string): Clock {
  if (zone === UTC) return (ms) => shown(ms, 0, zone);
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (ms) => shown(ms, offsetSeconds(format, ms), zone);
}

/** Whether the platform knows a zone by this name, in this spelling. */
export function isZone(name: string): boolean {
  if (name === UTC) return true;
  try {
    clockOf(name);
  } catch {
    return false;
  }
  // The platform takes any case, Java only the right one; older names for a zone are on no list.
  spellings ??= new Map(Intl.supportedValuesOf('timeZone').map((known) => [known.toLowerCase(), known]));
  const spelled = spellings.get(name.toLowerCase());
  return spelled === undefined || spelled === name;
}

function offsetSeconds(format: Intl.DateTimeFormat, ms: number): number {
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) as number;
  const day = Date.UTC(part('year'), part('month') - 1, part('day'));
  const seconds = day / 1000 + part('hour') * 3600 + part('minute') * 60 + part('second');
  return seconds - Math.floor(ms / 1000);
}

function shown(ms: number, offset: number, zone: string): LocalTime {
  const local = new Date(ms + offset * 1000);
  const year = local.getUTCFullYear();
  return {
    zone,
    year,
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    millisecond: local.getUTCMilliseconds(),
    weekday: local.getUTCDay(),
    dayOfYear: Math.floor((local.getTime() - Date.UTC(year, 0, 1)) / DAY_MS) + 1,
    offsetSeconds: offset,
  };
}
