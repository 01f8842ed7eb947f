import type { Environment, Files, OpenFile } from '../ports/environment.ts';

/** The environment with some of its file operations changed. */
export function withFiles(environment: Environment, changed: Partial<Files>): Environment {
  return { ...environment, files: { ...environment.files, ...changed } };
}

/** The same for what is opened: `change` gets each file, as an object whose parts can be replaced. */
export function withOpened(
  environment: Environment,
  change: (file: OpenFile, mode: Parameters<Files['open']>[1]) => OpenFile,
): Environment {
  return withFiles(environment, {
    open: async (path, mode) => change(plain(await environment.files.open(path, mode)), mode),
  });
}

function plain(file: OpenFile): OpenFile {
  return {
    path: file.path,
    read: async (into, position) => await file.read(into, position),
    write: async (bytes, position) => await file.write(bytes, position),
    sync: async () => await file.sync(),
    truncate: async (length) => await file.truncate(length),
    size: async () => await file.size(),
    close: async () => await file.close(),
  };
}
