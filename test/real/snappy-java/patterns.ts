/** Patterns that are printed as Java prints them. */
export const PATTERNS: readonly string[] = [
  'yyyy/MM/dd/HH/',
  "'year='yyyy'/month='MM'/day='dd'/hour='HH",
  "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
  ...lengths('u', [1, 2, 3, 4, 5, 6]),
  ...lengths('y', [1, 2, 3, 4, 5, 6]),
  ...lengths('Y', [1, 2, 3, 4, 5, 24]),
  ...['G', 'M', 'L', 'Q', 'q', 'E', 'e'].flatMap((letter) => lengths(letter, [1, 2, 3, 4, 5])),
  ...lengths('c', [1, 3, 4, 5]),
  ...['w', 'd', 'H', 'k', 'K', 'h', 'm', 's'].flatMap((letter) => lengths(letter, [1, 2])),
  ...lengths('D', [1, 2, 3]),
  ...['W', 'F', 'a'].flatMap((letter) => lengths(letter, [1])),
  ...lengths('S', [1, 2, 3, 4, 9]),
  ...['A', 'n', 'N'].flatMap((letter) => lengths(letter, [1, 4, 12, 19])),
  'VV',
  ...lengths('O', [1, 4]),
  ...['X', 'x', 'Z'].flatMap((letter) => lengths(letter, [1, 2, 3, 4, 5])),
  "''yyyy''",
  "'it''s 'HH' o''clock'",
  "''''",
  'yyyy[-MM[-dd]]',
  'yyyy[-MM',
  '[yyyy]',
  'yyyy_MM.dd~HH:mm,ss!=&$@*()+?<>|;"`^%\\/- é漢',
];

/** Names of zones are printed for UTC only. */
export const UTC_PATTERNS: readonly string[] = [...lengths('z', [1, 2, 3, 4]), ...lengths('v', [1, 4])];

/** What Java takes for no pattern. */
export const NO_PATTERNS: readonly string[] = [
  "yyyy'",
  "'",
  'yyyy}',
  '{yyyy',
  '#',
  'yyyy]',
  '[yyyy]]',
  'yyyy-MM-ddTHH',
  'b',
  'C',
  'f',
  'I',
  'P',
  ...['M', 'L', 'Q', 'q', 'E', 'G', 'e', 'c', 'X', 'x', 'Z'].flatMap((letter) => lengths(letter, [6])),
  ...['d', 'H', 'k', 'K', 'h', 'm', 's', 'w'].flatMap((letter) => lengths(letter, [3])),
  ...['W', 'F', 'a', 'cc'].flatMap((letter) => (letter === 'cc' ? ['cc'] : lengths(letter, [2]))),
  'DDDD',
  'SSSSSSSSSS',
  'V',
  'VVV',
  'OO',
  'OOO',
  'OOOOO',
  'zzzzz',
  'vv',
  'vvv',
  ...['u', 'y', 'A', 'n', 'N'].flatMap((letter) => lengths(letter, [20])),
];

/** With and without daylight saving, also of half an hour; east, west and far from UTC. */
export const ZONES: readonly string[] = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Pago_Pago',
  'Africa/Casablanca',
  'America/Sao_Paulo',
];

const HOUR_MS = 3_600_000;

/** Each hour of the days on which clocks change in Berlin and New York, ends of years, leap days, and times between. */
export function instants(): readonly number[] {
  const found = [0, Date.UTC(2000, 1, 29, 12), Date.UTC(2024, 1, 29, 23, 59, 59, 999), Date.UTC(2099, 11, 31, 23, 59)];
  const days = ['2026-03-08', '2026-03-29', '2026-10-04', '2026-10-25', '2026-11-01'].map((day) => Date.parse(day));
  for (const day of days) {
    for (let hour = 0; hour < 24; hour += 1) found.push(day + hour * HOUR_MS + 1_234_567);
  }
  for (let year = 2020; year < 2032; year += 1) {
    for (let day = -4; day < 8; day += 1) found.push(Date.UTC(year, 0, day, 5, 6, 7, 89));
  }
  for (let index = 0; index < 60; index += 1) found.push(Date.UTC(2026, 0, 1) + index * 613_333_337);
  return found;
}

function lengths(letter: string, counts: readonly number[]): string[] {
  return counts.map((count) => letter.repeat(count));
}
