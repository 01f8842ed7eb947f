const FORM = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

/** The time in ms of an ISO 8601 date, or of a date and time with its zone; undefined for any other text. */
export function isoTime(text: string): number | undefined {
  // What Date.parse takes beside this depends on the platform and on the machine's zone: `1` is a year to it.
  const time = FORM.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
