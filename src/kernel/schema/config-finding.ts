/** One thing to say about a config file, with its place. */
export interface ConfigFinding {
  /** As people know the file; empty for what no file says. */
  readonly file: string;
  /** Both count from 1; absent where the values have no positions, as those of a module. */
  readonly line?: number;
  readonly column?: number;
  /** Names of members and keys with dots between them; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** `file:line:col path: message`, without what is not known. */
export function printFinding({ file, line, column, path, message }: ConfigFinding): string {
  const place = line === undefined || column === undefined ? file : `${file}:${line}:${column}`;
  if (path !== '') return `${place === '' ? '' : `${place} `}${path}: ${message}`;
  return line === undefined ? `${place}: ${message}` : `${place} ${message}`;
}
