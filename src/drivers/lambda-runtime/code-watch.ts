import { readdir } from 'node:fs/promises';
import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../ports/environment.ts';
import { runtimeLimits } from './limits.ts';

/** What handlers and tools leave in folders of code, and what is too large to be watched. */
const IGNORED = new Set(['node_modules', '__pycache__', '.git', '.venv', 'venv', '.mypy_cache', '.pytest_cache']);

/** Calls `changed` once after each burst of changes in a folder of code; the returned function ends it. */
export function watchCode(folder: string, environment: Environment, changed: () => void): () => void {
  const watchers = new Map<string, FSWatcher>();
  let isEnded = false;
  let cancel: (() => void) | undefined;
  const touched = (name: string | null): void => {
    if (isEnded || (name !== null && IGNORED.has(name))) return;
    cancel?.();
    cancel = environment.clock.timer(runtimeLimits.settleMs, () => {
      changed();
      void follow(folder);
    });
  };
  const follow = async (path: string): Promise<void> => {
    if (isEnded) return;
    if (!watchers.has(path)) {
      if (watchers.size >= runtimeLimits.watchedFoldersMax) return;
      try {
        const watcher = watch(path, { persistent: false }, (_kind, name) => touched(name));
        watcher.on('error', () => {
          watcher.close();
          watchers.delete(path);
        });
        watchers.set(path, watcher);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        environment.log.warn('function.not-watched', { folder: path, message });
        return;
      }
    }
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isDirectory() && !IGNORED.has(entry.name)) await follow(join(path, entry.name));
    }
  };
  void follow(folder);
  return () => {
    isEnded = true;
    cancel?.();
    for (const watcher of watchers.values()) watcher.close();
  };
}
