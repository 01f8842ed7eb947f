import type { EnvironmentCode } from '../../kernel/errors.ts';
import type { SeededRandom } from './chance.ts';

/** What can be made to fail: the calls of `Files` and `OpenFile`; `read` reads an open file or a whole one. */
export type FileOperation =
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'list'
  | 'makeDirectory'
  | 'remove'
  | 'rename'
  | 'syncDirectory';

/** The slowest file operation of a healthy disk, in ms of virtual time. */
const OPERATION_MS_MAX = 2;

/** What is wrong with the disk of a machine: all of it is asked for, nothing comes by itself. */
export class DiskFaults {
  private readonly codes = new Map<FileOperation, EnvironmentCode[]>();
  private slowLeft = 0;
  private slowMsMax = 0;

  /** The next operations of this kind fail with these codes, one each. */
  fail(operation: FileOperation, codes: readonly EnvironmentCode[]): void {
    this.codes.set(operation, [...(this.codes.get(operation) ?? []), ...codes]);
  }

  /** The next `count` operations take up to `msMax` each. */
  slow(count: number, msMax: number): void {
    this.slowLeft = count;
    this.slowMsMax = msMax;
  }

  /** The fault that is due for this operation. */
  take(operation: FileOperation): EnvironmentCode | undefined {
    return this.codes.get(operation)?.shift();
  }

  /** How long the next operation takes, in ms. */
  delayMs(random: SeededRandom): number {
    if (this.slowLeft === 0) return random.fraction() * OPERATION_MS_MAX;
    this.slowLeft -= 1;
    return random.fraction() * this.slowMsMax;
  }

  clear(): void {
    this.codes.clear();
    this.slowLeft = 0;
  }
}
