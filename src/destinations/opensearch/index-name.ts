/** AWS's words for how often a new index begins. */
export const ROTATIONS = ['NoRotation', 'OneHour', 'OneDay', 'OneWeek', 'OneMonth'] as const;

/** One of them. */
export type Rotation = (typeof ROTATIONS)[number];

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
const SATURDAY = 6;
const NAME_BYTES_MAX = 255;
/** The longest that a rotation adds: `-2016-02-25-13`. */
const ROTATED_BYTES = 14;
/** What neither OpenSearch nor Elasticsearch takes in the name of an index. */
const ODD_CHARACTER = /[\\/*?"<>|,#:\s\p{Cc}]/u;

/** The index of a record that arrived `at` (ms) and was to go to a place such as `gitlogs/OneDay`. */
export function indexAt(place: string, at: number): string {
  const [name = '', rotation = ''] = place.split('/');
  return rotatedIndex(name, rotation as Rotation, at);
}

/** The index of a record that arrived `at` (ms), by UTC: `myindex`, `myindex-2016-02-25-13`, `myindex-2016-w09`. */
export function rotatedIndex(name: string, rotation: Rotation, at: number): string {
  const time = new Date(at).toISOString();
  if (rotation === 'OneHour') return `${name}-${time.slice(0, 10)}-${time.slice(11, 13)}`;
  if (rotation === 'OneDay') return `${name}-${time.slice(0, 10)}`;
  if (rotation === 'OneMonth') return `${name}-${time.slice(0, 7)}`;
  return rotation === 'OneWeek' ? `${name}-${weekOf(at)}` : name;
}

/**
 * By the rule that AWS has written: weeks begin on Sunday, and the first of a year is the first that has a Saturday in
 * it. AWS's example for the 25th of February 2016 says w08, which is the week as ISO 8601 counts.
 */
function weekOf(at: number): string {
  const weekday = new Date(at).getUTCDay();
  const saturday = new Date(at + (SATURDAY - weekday) * DAY_MS);
  const year = saturday.getUTCFullYear();
  const day = Math.floor((saturday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS);
  return `${year}-w${String(Math.floor(day / WEEK_DAYS) + 1).padStart(2, '0')}`;
}

/** Why there can be no index of this name, in a sentence. */
export function indexNameProblem(name: string): string | undefined {
  if (name !== name.toLowerCase()) return `IndexName: ${name} has capital letters, which no index may have`;
  if (ODD_CHARACTER.test(name))
    return 'IndexName: no index may have blanks or one of \\ / * ? " < > | , # : in its name';
  if (/^[-_+]/.test(name) || name === '.' || name === '..') {
    return `IndexName: ${name} is no name for an index: it may not begin with - _ or +, nor be . or ..`;
  }
  if (Buffer.byteLength(name) + ROTATED_BYTES > NAME_BYTES_MAX) {
    return `IndexName: with its time it would have more than ${NAME_BYTES_MAX} bytes`;
  }
  return undefined;
}
