import { format } from 'node:util';

const LEVELS = { log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE' } as const;

/** Gives the lines of the console the form that they have on Lambda: time, request id, level, text. */
export function shapeConsole(requestId: () => string): void {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method as keyof typeof LEVELS] = (...values: readonly unknown[]): void => {
      const text = format(...values);
      process.stdout.write(`${new Date().toISOString()}\t${requestId()}\t${level}\t${text}\n`);
    };
  }
}
