import { Defect, EnvironmentError } from '../../kernel/errors.ts';
import { parentOf } from '../../kernel/paths.ts';
import type { SeededRandom } from './chance.ts';

const SECTOR_BYTES = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number };

/** A file's content: as programs see it, as it survives a power cut, and what lies between. */
export class Inode {
  private data = new Uint8Array(0);
  private length = 0;
  private synced: Uint8Array = new Uint8Array(0);
  private unsynced: Change[] = [];

  get size(): number {
    return this.length;
  }

  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.length - position));
    into.set(this.data.subarray(position, position + count));
    return count;
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const change: Change = { kind: 'write', position, bytes: Uint8Array.from(bytes) };
    this.unsynced.push(change);
    this.apply(change);
  }

  truncate(length: number): void {
    const change: Change = { kind: 'truncate', length };
    this.unsynced.push(change);
    this.apply(change);
  }

  /** How many changes a sync that starts now will cover. */
  get changes(): number {
    return this.unsynced.length;
  }

  /** The first `count` unsynced changes are durable from now on. */
  sync(count: number): void {
    const covered = this.unsynced.splice(0, count);
    const durable = Inode.replay(this.synced, covered);
    this.synced = durable;
  }

  /** The content after a power cut: each unsynced change is kept, lost or torn. */
  afterCrash(random: SeededRandom): Inode {
    const kept = this.unsynced.flatMap((change) => tear(change, random));
    const survivor = new Inode();
    const content = Inode.replay(this.synced, kept);
    survivor.synced = content;
    survivor.data = content.slice();
    survivor.length = content.length;
    return survivor;
  }

  private apply(change: Change): void {
    const end = change.kind === 'write' ? change.position + change.bytes.length : change.length;
    if (end > this.data.length) {
      const grown = new Uint8Array(Math.max(end, this.data.length * 2));
      grown.set(this.data.subarray(0, this.length));
      this.data = grown;
    }
    if (change.kind === 'write') {
      this.data.set(change.bytes, change.position);
      this.length = Math.max(this.length, end);
    } else {
      this.data.fill(0, Math.min(end, this.length), this.length);
      this.length = end;
    }
  }

  private static replay(content: Uint8Array, changes: readonly Change[]): Uint8Array {
    const scratch = new Inode();
    scratch.apply({ kind: 'write', position: 0, bytes: content });
    for (const change of changes) scratch.apply(change);
    return scratch.data.slice(0, scratch.length);
  }
}

/** What a power cut leaves of one change: all, nothing, a prefix, or some of its sectors. */
function tear(change: Change, random: SeededRandom): Change[] {
  if (change.kind === 'truncate') return random.chance(0.5) ? [change] : [];
  const fate = random.below(4);
  if (fate === 0) return [];
  if (fate === 1) return [change];
  if (fate === 2) return [{ ...change, bytes: change.bytes.subarray(0, random.below(change.bytes.length + 1)) }];
  const sectors: Change[] = [];
  for (let at = 0; at < change.bytes.length; at += SECTOR_BYTES) {
    if (random.chance(0.5)) continue;
    const bytes = change.bytes.subarray(at, at + SECTOR_BYTES);
    sectors.push({ kind: 'write', position: change.position + at, bytes });
  }
  return sectors;
}

type Place = Inode | 'directory';

type NameChange =
  | { readonly kind: 'add'; readonly path: string; readonly place: Place }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly place: Place };

/** A disk that can lose power: names are durable after their folder was synced, bytes after their file was. */
export class SimulatedDisk {
  private readonly names: Map<string, Place>;
  private readonly durable: Map<string, Place>;
  private pending: NameChange[] = [];

  constructor(names: ReadonlyMap<string, Place> = new Map<string, Place>([['/', 'directory']])) {
    this.names = new Map(names);
    this.durable = new Map(names);
  }

  file(path: string): Inode {
    const place = this.names.get(path);
    if (place === undefined) throw new EnvironmentError('ENOENT', `no such file: ${path}`);
    if (place === 'directory') throw new EnvironmentError('EOTHER', `is a directory: ${path}`);
    return place;
  }

  find(path: string): Place | undefined {
    return this.names.get(path);
  }

  create(path: string): Inode {
    if (this.names.has(path)) throw new EnvironmentError('EEXIST', `exists already: ${path}`);
    this.needDirectory(parentOf(path));
    const inode = new Inode();
    this.change({ kind: 'add', path, place: inode });
    return inode;
  }

  makeDirectory(path: string): void {
    if (this.names.get(path) === 'directory') return;
    if (this.names.has(path)) throw new EnvironmentError('EEXIST', `is a file: ${path}`);
    const parent = parentOf(path);
    if (this.find(parent) !== undefined) this.needDirectory(parent);
    this.makeDirectory(parent);
    this.change({ kind: 'add', path, place: 'directory' });
  }

  remove(path: string): void {
    if (this.names.get(path) === 'directory') throw new EnvironmentError('EOTHER', `is a directory: ${path}`);
    if (this.names.has(path)) this.change({ kind: 'remove', path });
  }

  removeTree(path: string): void {
    for (const name of [...this.names.keys()].sort().reverse()) {
      if (name === path || name.startsWith(`${path}/`)) this.change({ kind: 'remove', path: name });
    }
  }

  rename(from: string, to: string): void {
    const place = this.names.get(from);
    if (place === undefined) throw new EnvironmentError('ENOENT', `no such file: ${from}`);
    if (place === 'directory') throw new Defect(`renaming directories is not simulated: ${from}`);
    if (this.names.get(to) === 'directory') throw new EnvironmentError('EOTHER', `is a directory: ${to}`);
    this.needDirectory(parentOf(to));
    this.change({ kind: 'rename', from, to, place });
  }

  list(directory: string): string[] {
    const prefix = directory === '/' ? '/' : `${directory}/`;
    return [...this.names.keys()]
      .filter((path) => path !== '/' && parentOf(path) === directory)
      .map((path) => path.slice(prefix.length))
      .sort();
  }

  syncDirectory(directory: string): void {
    this.needDirectory(directory);
    const touches = (change: NameChange): boolean =>
      change.kind === 'rename'
        ? parentOf(change.from) === directory || parentOf(change.to) === directory
        : parentOf(change.path) === directory;
    for (const change of this.pending) if (touches(change)) applyName(this.durable, change);
    this.pending = this.pending.filter((change) => !touches(change));
  }

  /** The disk after a power cut: some of the latest name changes are lost, from one moment on. */
  afterCrash(random: SeededRandom): SimulatedDisk {
    const names = new Map(this.durable);
    for (const change of this.pending.slice(0, random.below(this.pending.length + 1))) applyName(names, change);
    const survivors = new Map<string, Place>();
    const inodes = new Map<Inode, Inode>();
    for (const path of [...names.keys()].sort()) {
      const place = names.get(path);
      // A name in a folder that was lost is lost with it.
      if (place === undefined || (path !== '/' && survivors.get(parentOf(path)) !== 'directory')) continue;
      if (place === 'directory') {
        survivors.set(path, place);
        continue;
      }
      const inode = inodes.get(place) ?? place.afterCrash(random);
      inodes.set(place, inode);
      survivors.set(path, inode);
    }
    return new SimulatedDisk(survivors);
  }

  private needDirectory(path: string): void {
    if (this.names.get(path) !== 'directory') throw new EnvironmentError('ENOENT', `no such directory: ${path}`);
  }

  private change(change: NameChange): void {
    applyName(this.names, change);
    this.pending.push(change);
  }
}

function applyName(names: Map<string, Place>, change: NameChange): void {
  if (change.kind === 'add') names.set(change.path, change.place);
  else if (change.kind === 'remove') names.delete(change.path);
  else {
    names.delete(change.from);
    names.set(change.to, change.place);
  }
}
