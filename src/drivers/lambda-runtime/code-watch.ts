import { watch, type Dirent, type FSWatcher } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { messageOf } from '../../kernel/errors.ts';
import type { Environment } from '../../ports/environment.ts';
import { runtimeLimits } from './limits.ts';

/** What tools leave in folders of code, and what is too large to be watched. */
const IGNORED = new Set(['node_modules', '__pycache__', 'venv']);
/** A file that was not there at the start is code when its name says so: all else a handler may have written. */
const SOURCE = /\.(?:js|mjs|cjs|ts|py|json)$/;
/** Grows without being code, also where it was there at the start. */
const WRITTEN = /(?:\.log|~)$/;
/** Stands in the data directory of every node, wherever that is; what the node stores is no change of code. */
const DATA_DIRECTORY = /^epoch-\d+$/;

interface WatchedFolder {
  /** Absent once the folder was replaced by another one of its name. */
  watcher?: FSWatcher;
  /** Its files that count, with what tells whether one has changed. */
  files: ReadonlyMap<string, string>;
}

/**
 * Calls `changed` once after each burst of changes of a folder's code: of files that were there at the start, and new
 * ones with a name of source code. The returned function ends it.
 */
export function watchCode(folder: string, environment: Environment, changed: () => void): () => void {
  const watching = new CodeWatch(folder, environment, changed);
  return () => watching.end();
}

class CodeWatch {
  readonly #environment: Environment;
  readonly #changed: () => void;
  readonly #folders = new Map<string, WatchedFolder>();
  /** Folders that are to be looked at. */
  #touched = new Set<string>();
  #touchedAt = 0;
  #cancel: (() => void) | undefined;
  /** One look after the other. */
  #looking: Promise<unknown>;
  #isEnded = false;

  constructor(folder: string, environment: Environment, changed: () => void) {
    [this.#environment, this.#changed] = [environment, changed];
    this.#looking = this.#look(folder, true);
  }

  end(): void {
    this.#isEnded = true;
    this.#cancel?.();
    for (const { watcher } of this.#folders.values()) watcher?.close();
  }

  #touch(path: string, kind: string, name: string | null): void {
    if (this.#isEnded || (name !== null && !this.#counts(path, kind, name))) return;
    const { settleMs, settleMsMax } = runtimeLimits;
    const { clock } = this.#environment;
    if (this.#touched.size === 0) this.#touchedAt = clock.monotonic();
    this.#touched.add(path);
    // What is written to without a pause is not waited for without end.
    const left = Math.max(0, this.#touchedAt + settleMsMax - clock.monotonic());
    this.#cancel?.();
    this.#cancel = clock.timer(Math.min(settleMs, left), () => this.#settle());
  }

  /** Whether a look may find something: most of what is written is told from its name. */
  #counts(path: string, kind: string, name: string): boolean {
    if (IGNORED.has(name) || WRITTEN.test(name)) return false;
    if (kind !== 'rename') return SOURCE.test(name) || this.#folders.get(path)?.files.has(name) === true;
    // A folder may have come in the place of another: those who watched that one see nothing any more.
    this.#forget(join(path, name));
    return true;
  }

  #settle(): void {
    const touched = this.#touched;
    this.#touched = new Set();
    this.#looking = this.#looking.then(async () => {
      let hasChanged = false;
      for (const path of touched) if (await this.#look(path, false)) hasChanged = true;
      if (hasChanged && !this.#isEnded) this.#changed();
    });
  }

  /** Watches a folder and all in it, and tells whether its code is another than at the last look. */
  async #look(path: string, isStart: boolean): Promise<boolean> {
    if (!this.#watch(path)) return false;
    const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
    const before = this.#folders.get(path)?.files ?? new Map<string, string>();
    if (entries === undefined || entries.some(({ name }) => DATA_DIRECTORY.test(name))) {
      this.#forget(path);
      this.#folders.delete(path);
      return before.size > 0;
    }
    const counted = entries.filter(({ name }) => isStart || before.has(name) || SOURCE.test(name));
    const files = await signatures(path, counted);
    this.#folders.set(path, { ...this.#folders.get(path), files });
    let hasChanged = !areSame(before, files);
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.startsWith('.') || IGNORED.has(entry.name)) continue;
      const inner = join(path, entry.name);
      const isKnown = this.#folders.get(inner)?.watcher !== undefined;
      if (!isKnown && (await this.#look(inner, isStart))) hasChanged = true;
    }
    return this.#drop(path) || hasChanged;
  }

  /** Drops the folders that are no more in this one, and tells whether there was code in them. */
  #drop(path: string): boolean {
    let hadCode = false;
    for (const [folder, { watcher, files }] of this.#folders) {
      if (watcher !== undefined || !folder.startsWith(path + sep)) continue;
      this.#folders.delete(folder);
      hadCode ||= files.size > 0;
    }
    return hadCode;
  }

  /** False where it cannot be watched, or no more may be. */
  #watch(path: string): boolean {
    const known = this.#folders.get(path);
    if (this.#isEnded) return false;
    if (known?.watcher !== undefined) return true;
    if (known === undefined && this.#folders.size >= runtimeLimits.watchedFoldersMax) return false;
    try {
      const watcher = watch(path, { persistent: false }, (kind, name) => this.#touch(path, kind, name));
      watcher.on('error', () => this.#forget(path));
      this.#folders.set(path, { files: new Map(), ...known, watcher });
      return true;
    } catch (error) {
      const message = messageOf(error);
      this.#environment.log.warn('function.not-watched', { folder: path, message });
      return false;
    }
  }

  /** Ends the watching of a folder and of those in it; what was found there is kept to be compared with. */
  #forget(path: string): void {
    for (const [folder, watched] of this.#folders) {
      if (folder !== path && !folder.startsWith(path + sep)) continue;
      watched.watcher?.close();
      delete watched.watcher;
    }
  }
}

async function signatures(path: string, entries: readonly Dirent[]): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const entry of entries) {
    if (entry.isDirectory() || WRITTEN.test(entry.name)) continue;
    const found = await stat(join(path, entry.name)).catch(() => undefined);
    if (found?.isFile() === true) files.set(entry.name, `${found.mtimeMs} ${found.size}`);
  }
  return files;
}

function areSame(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): boolean {
  return before.size === after.size && [...after].every(([name, signature]) => before.get(name) === signature);
}
