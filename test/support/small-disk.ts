import { execFileSync } from 'node:child_process';
import { removeDirectory, temporaryDirectory } from './node-process.ts';

/** A file system of its own that is really full when it is full. */
export interface SmallDisk {
  readonly path: string;
  /** Unmounts and removes it; whatever uses it must have ended. */
  remove(): void;
}

/** Mounts a tmpfs of so many MiB. Throws where the user may not mount. */
export function mountSmallDisk(mebibytes: number): SmallDisk {
  const path = temporaryDirectory('disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'millrace-test', path], {
      stdio: 'pipe',
    });
  } catch (error) {
    removeDirectory(path);
    throw new Error('needs the right to mount a tmpfs', { cause: error });
  }
  return {
    path,
    remove() {
      execFileSync('umount', [path], { stdio: 'pipe' });
      removeDirectory(path);
    },
  };
}
