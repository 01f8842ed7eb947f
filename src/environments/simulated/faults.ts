import type { EnvironmentCode } from '../../kernel/errors.ts';
import type { SeededRandom } from './chance.ts';
import type { Tally } from './tally.ts';

/** What can be made to fail: the calls of `Files` and `OpenFile`; `read` and `size` ask an open file or a name. */
export type FileOperation =
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'close'
  | 'size'
  | 'isDirectory'
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
  private readonly tally: Tally;
  private slowLeft = 0;
  private slowMsMax = 0;
  private metCount = 0;
  private slowedCount = 0;

  constructor(tally: Tally) {
    this.tally = tally;
  }

  /** Operations that failed since the faults were cleared: one that was asked for and never came is not among them. */
  get met(): number {
    return this.metCount;
  }

  /** Operations that were slow since then. */
  get slowed(): number {
    return this.slowedCount;
  }

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
    const code = this.codes.get(operation)?.shift();
    if (code !== undefined) this.meets(`${operation} fails with ${code}`);
    return code;
  }

  /** An operation fails now: what is wrong, for the tally. */
  meets(fault: string): void {
    this.metCount += 1;
    this.tally.note(fault);
  }

  /** How long the next operation takes, in ms. */
  delayMs(random: SeededRandom): number {
    if (this.slowLeft === 0) return random.fraction() * OPERATION_MS_MAX;
    this.slowLeft -= 1;
    this.slowedCount += 1;
    this.tally.note('a slow operation');
    return random.fraction() * this.slowMsMax;
  }

  clear(): void {
    this.codes.clear();
    this.slowLeft = 0;
    this.metCount = 0;
    this.slowedCount = 0;
  }
}
