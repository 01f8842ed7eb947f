import type { SeededRandom } from './chance.ts';
import { Content } from './content.ts';

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
  failSync(mark: number, random: SeededRandom): void {
    for (const change of this.take(mark)) for (const kept of tear(change, random)) applyTo(this.durable, kept);
  }

  /** The content after a power cut: each unsynced change is kept, lost or torn, whatever became of the others. */
  afterCrash(random: SeededRandom): Inode {
    for (const change of this.unsynced) for (const kept of tear(change, random)) applyTo(this.durable, kept);
    return new Inode(this.durable);
  }

  /** Turns a bit of what is durable and of what programs read; while bytes wait for a sync nothing happens. */
  flip(position: number, bit: number): void {
    if (this.unsynced.length > 0) return;
    this.durable.flip(position, bit);
    this.cached.flip(position, bit);
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
function tear(change: Change, random: SeededRandom): readonly Change[] {
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
