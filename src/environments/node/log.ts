import type { Clock, Log, LogFields } from '../../ports/environment.ts';

/** How lines look: for people, for machines, or not at all. */
export type LogStyle = 'pretty' | 'json' | 'silent';

type Level = 'debug' | 'info' | 'warn' | 'error';

const COLORS: Readonly<Record<Level, string>> = {
  debug: '\u001b[2m',
  info: '',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};
const RESET = '\u001b[0m';

/** What a log needs to know of its surroundings. */
export interface LogOptions {
  readonly style: LogStyle;
  readonly colors: boolean;
  /** `debug` lines are dropped unless wanted. */
  readonly debug: boolean;
  readonly clock: Clock;
  /** Takes one line without its line end. */
  readonly write: (line: string) => void;
}

/** A structured log: one line an event. */
export function createLog(options: LogOptions): Log {
  const emit = (level: Level, event: string, fields: LogFields = {}): void => {
    if (options.style === 'silent' || (level === 'debug' && !options.debug)) return;
    const time = new Date(options.clock.now()).toISOString();
    if (options.style === 'json') options.write(JSON.stringify({ time, level, event, ...fields }));
    else options.write(prettyLine(level, time.slice(11, 23), event, fields, options.colors));
  };
  return {
    debug: (event, fields) => emit('debug', event, fields),
    info: (event, fields) => emit('info', event, fields),
    warn: (event, fields) => emit('warn', event, fields),
    error: (event, fields) => emit('error', event, fields),
  };
}

function prettyLine(level: Level, time: string, event: string, fields: LogFields, colors: boolean): string {
  const words = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${printable(value ?? null)}`);
  const mark = level === 'info' || level === 'debug' ? '' : `${level} `;
  const line = [time, `${mark}${event}`, ...words].join(' ');
  const color = colors ? COLORS[level] : '';
  return color === '' ? line : `${color}${line}${RESET}`;
}

/** One word where it can be one; quoted where blanks or control characters would break the line. */
function printable(value: string | number | boolean | null): string {
  const text = String(value);
  return /^[\x21-\x7e\u00a0-\uffff]+$/.test(text) ? text : JSON.stringify(text);
}
