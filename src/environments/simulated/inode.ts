import type { SeededRandom } from './chance.ts';
import { Content } from './content.ts';
import type { Tally } from './tally.ts';

/** What a disk writes whole or not at all, bytes. */
const SECTOR_BYTES = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number }
  /** The file's length arrived, its bytes did not. */
  | { readonly kind: 'extend'; readonly length: number };

/** A file: as programs see it, as it survives a power cut, and what lies between. */
export class Inode {
  private cached: Content;
  private durable: Content;
  /** Changes since the last sync, oldest first; the first of them has the number `syncedTo`. */
  private unsynced: Change[] = [];
  private syncedTo = 0;
  /** Names that lead here. */
  links = 0;
  /** How often it is open. */
  opened = 0;

  constructor(content = new Content()) {
    this.durable = content;
    this.cached = content.copy();
  }

  get size(): number {
    return this.cached.length;
  }

  /** Space it takes, in bytes. */
  get allocatedBytes(): number {
    return this.cached.allocatedBytes;
  }

  read(into: Uint8Array, position: number): number {
    return this.cached.read(into, position);
  }

  /** All that programs read in it. */
  whole(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    this.read(bytes, 0);
    return bytes;
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    this.cached.write(bytes, position);
    // A copy: `slice` of a Buffer would follow what its owner puts into it next.
    this.unsynced.push({ kind: 'write', position, bytes: new Uint8Array(bytes) });
  }

  truncate(length: number): void {
    this.cached.truncate(length);
    this.unsynced.push({ kind: 'truncate', length });
  }

  /** How many of `length` bytes at `position` fit into `freeBytes` of space. */
  fitting(position: number, length: number, freeBytes: number): number {
    return this.cached.fitting(position, length, freeBytes);
  }

  /** The number of the next change: a sync that starts now covers those before it. */
  get mark(): number {
    return this.syncedTo + this.unsynced.length;
  }

  /** The changes before `mark` are durable from now on. */
  sync(mark: number): void {
    for (const change of this.take(mark)) applyTo(this.durable, change);
  }

  /**
   * The sync of the changes before `mark` failed: some of them arrived, and the system holds all of them for written,
   * so that no later sync will bring the others.
   */
  failSync(mark: number, random: SeededRandom, tally: Tally): void {
    for (const change of this.take(mark)) this.tear(change, random, (fate) => tally.note(`a failed sync: ${fate}`));
  }

  /** The content after a power cut: each unsynced change is kept, lost or torn, whatever became of the others. */
  afterCrash(random: SeededRandom, tally: Tally): Inode {
    for (const change of this.unsynced) this.tear(change, random, (fate) => tally.note(`a cut: ${fate}`));
    return new Inode(this.durable);
  }

  /** Turns a bit of what is durable and of what programs read. False: bytes wait for a sync, or none stands there. */
  flip(position: number, bit: number): boolean {
    if (this.unsynced.length > 0 || position >= this.durable.length) return false;
    this.durable.flip(position, bit);
    this.cached.flip(position, bit);
    return true;
  }

  /** Leaves of a change what its fate is. */
  private tear(change: Change, random: SeededRandom, note: (fate: string) => void): void {
    const kept = remains(change, random);
    note(fateOf(change, kept, this.durable.length));
    for (const part of kept) applyTo(this.durable, part);
  }

  private take(mark: number): Change[] {
    const covered = this.unsynced.splice(0, Math.max(0, mark - this.syncedTo));
    this.syncedTo += covered.length;
    return covered;
  }
}

function applyTo(content: Content, change: Change): void {
  if (change.kind === 'write') content.write(change.bytes, change.position);
  else if (change.kind === 'truncate') content.truncate(change.length);
  else if (change.length > content.length) content.truncate(change.length);
}

/** What a power cut leaves of one change: all, nothing, a prefix, some of its sectors, or only the length. */
function remains(change: Change, random: SeededRandom): readonly Change[] {
  if (change.kind !== 'write') return random.chance(0.5) ? [change] : [];
  const { position, bytes } = change;
  const fate = random.below(5);
  if (fate === 0) return [];
  if (fate === 1) return [change];
  if (fate === 2) return [{ ...change, bytes: bytes.subarray(0, random.below(bytes.length + 1)) }];
  if (fate === 3) return [{ kind: 'extend', length: position + bytes.length }];
  const sectors: Change[] = [];
  for (let at = 0; at < bytes.length;) {
    // Sectors of the disk, whatever place in the file the write began at.
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
    if (random.chance(0.5)) sectors.push({ kind: 'write', position: position + at, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return sectors;
}

/** What became of a change in a file of `length` bytes, of which these parts are left. */
function fateOf(change: Change, kept: readonly Change[], length: number): string {
  if (change.kind !== 'write') return kept.length > 0 ? 'a truncation stays' : 'a truncation is lost';
  const { position, bytes } = change;
  const parts = kept.filter((part) => part.kind === 'write');
  const left = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const first = parts.reduce((end, part) => (part.position === end ? end + part.bytes.length : end), position);
  if (left === bytes.length) return 'a write stays';
  if (left > 0) return first - position === left ? 'a write is cut short' : 'a write has holes';
  return kept.some((part) => part.kind === 'extend') && position + bytes.length > length
    ? 'zeros stand for a write'
    : 'a write is lost';
}
