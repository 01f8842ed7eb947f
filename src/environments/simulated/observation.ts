import type { Environment, LogFields } from '../../ports/environment.ts';

/** One line the simulated node logged. */
export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
}

/** A log that keeps its lines in `lines`. */
export function keptLog(lines: LoggedLine[]): Environment['log'] {
  const take =
    (level: LoggedLine['level']) =>
    (event: string, fields: LogFields = {}): void => {
      lines.push({ level, event, fields });
    };
  return { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') };
}

/** A meter that keeps in `values`, by `name{labels}`, the last gauge or the sum of counts and observations. */
export function keptMeter(values: Map<string, number>): Environment['meter'] {
  const key = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
    `${name}${JSON.stringify(labels)}`;
  const add = (name: string, by: number): void => void values.set(name, (values.get(name) ?? 0) + by);
  return {
    count: (name, labels, by = 1) => add(key(name, labels), by),
    gauge: (name, labels, value) => void values.set(key(name, labels), value),
    observe: (name, labels, valueMs) => add(key(name, labels), valueMs),
    forget: (labels) => {
      for (const series of values.keys()) {
        const own: Readonly<Record<string, unknown>> = JSON.parse(series.slice(series.indexOf('{')));
        if (Object.entries(labels).every(([name, value]) => own[name] === value)) values.delete(series);
      }
    },
  };
}
