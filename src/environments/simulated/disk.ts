import { Defect, EnvironmentError } from '../../kernel/errors.ts';
import { parentOf } from '../../kernel/paths.ts';
import type { SeededRandom } from './chance.ts';
import { Inode } from './inode.ts';
import { Names, pathsOf, type NameChange, type Place } from './names.ts';
import { survivingChanges, survivingNames } from './surviving-names.ts';
import type { Tally } from './tally.ts';

/** A disk that can lose power: names are durable after their folder was synced, bytes after their file was. */
export class SimulatedDisk {
  private readonly names: Names;
  private readonly durable: Names;
  private readonly openFiles = new Set<Inode>();
  private pending: NameChange[] = [];
  private usedBytes = 0;
  private capacityBytes = Infinity;

  /** `found`: what stands there durably. */
  constructor(found = new Names()) {
    this.names = found;
    this.durable = new Names();
    for (const [path, place] of found.entries()) {
      this.durable.set(path, place);
      if (place !== 'directory') this.linked(place, 1);
    }
  }

  /** Space that is taken, in bytes. */
  get used(): number {
    return this.usedBytes;
  }

  get free(): number {
    return Math.max(0, this.capacityBytes - this.usedBytes);
  }

  /** From now on no more than this fits on the disk; Infinity: as much as one likes. */
  limit(capacityBytes: number): void {
    this.capacityBytes = capacityBytes;
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
    if (this.names.get(path) !== undefined) throw new EnvironmentError('EEXIST', `exists already: ${path}`);
    this.needDirectory(parentOf(path));
    const inode = new Inode();
    this.change({ kind: 'add', path, place: inode });
    return inode;
  }

  makeDirectory(path: string): void {
    if (this.names.get(path) === 'directory') return;
    if (this.names.get(path) !== undefined) throw new EnvironmentError('EEXIST', `is a file: ${path}`);
    const parent = parentOf(path);
    if (this.find(parent) !== undefined) this.needDirectory(parent);
    this.makeDirectory(parent);
    this.change({ kind: 'add', path, place: 'directory' });
  }

  remove(path: string): void {
    const place = this.names.get(path);
    if (place === 'directory') throw new EnvironmentError('EOTHER', `is a directory: ${path}`);
    if (place !== undefined) this.change({ kind: 'remove', path });
  }

  removeTree(path: string): void {
    for (const inner of this.names.list(path)) this.removeTree(inner);
    if (this.names.get(path) !== undefined) this.change({ kind: 'remove', path });
  }

  rename(from: string, to: string): void {
    const place = this.names.get(from);
    if (place === undefined) throw new EnvironmentError('ENOENT', `no such file: ${from}`);
    if (place === 'directory') throw new Defect(`renaming directories is not simulated: ${from}`);
    if (this.names.get(to) === 'directory') throw new EnvironmentError('EOTHER', `is a directory: ${to}`);
    this.needDirectory(parentOf(to));
    if (from !== to) this.change({ kind: 'rename', from, to, place });
  }

  list(directory: string): string[] {
    const prefix = directory === '/' ? 1 : directory.length + 1;
    return this.names
      .list(directory)
      .map((path) => path.slice(prefix))
      .sort();
  }

  /** What all files below a folder hold, by path. */
  filesBelow(directory: string): ReadonlyMap<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    for (const path of this.names.list(directory)) {
      const place = this.names.get(path);
      if (place === 'directory') for (const [inner, bytes] of this.filesBelow(path)) files.set(inner, bytes);
      else if (place !== undefined) files.set(path, place.whole());
    }
    return files;
  }

  /** Writes what fits, and returns how many bytes that are. */
  write(inode: Inode, bytes: Uint8Array, position: number): number {
    const fitting = inode.fitting(position, bytes.length, this.free);
    this.counted(inode, () => inode.write(bytes.subarray(0, fitting), position));
    return fitting;
  }

  truncate(inode: Inode, length: number): void {
    this.counted(inode, () => inode.truncate(length));
  }

  open(inode: Inode): void {
    inode.opened += 1;
    this.openFiles.add(inode);
  }

  close(inode: Inode): void {
    inode.opened -= 1;
    if (inode.opened === 0) this.openFiles.delete(inode);
    this.letGo(inode);
  }

  /** The process is gone, and the system closes what it had open. */
  closeAll(): void {
    for (const inode of this.openFiles) {
      inode.opened = 0;
      this.letGo(inode);
    }
    this.openFiles.clear();
  }

  /** Makes the folder's changes durable, with what was changed before at the same names. */
  syncDirectory(directory: string): void {
    this.needDirectory(directory);
    const covered = new Set<NameChange>();
    const names = new Set<string>();
    for (const change of this.pending.toReversed()) {
      const paths = pathsOf(change);
      if (!paths.some((path) => names.has(path) || parentOf(path) === directory)) continue;
      covered.add(change);
      for (const path of paths) names.add(path);
    }
    for (const change of this.pending) if (covered.has(change)) this.durable.apply(change);
    this.pending = this.pending.filter((change) => !covered.has(change));
  }

  /** The disk after a power cut; this one must not be used any more. */
  afterCrash(random: SeededRandom, tally: Tally): SimulatedDisk {
    const kept = survivingChanges(this.pending, random);
    const lost = this.pending.length - kept.length;
    if (lost > 0) tally.note('a cut takes a change of names', lost);
    const firstLost = this.pending.findIndex((change, index) => change !== kept[index]);
    if (firstLost >= 0 && kept.length > firstLost) tally.note('a cut takes a change of names and leaves a later one');
    const names = survivingNames(this.durable, kept);
    const inodes = new Map<Inode, Inode>();
    for (const [path, place] of names.entries()) {
      if (place === 'directory') continue;
      const inode = inodes.get(place) ?? place.afterCrash(random, tally);
      inodes.set(place, inode);
      names.set(path, inode);
    }
    const disk = new SimulatedDisk(names);
    disk.limit(this.capacityBytes);
    return disk;
  }

  private needDirectory(path: string): void {
    if (this.names.get(path) !== 'directory') throw new EnvironmentError('ENOENT', `no such directory: ${path}`);
  }

  private change(change: NameChange): void {
    const before = change.kind === 'remove' ? this.names.get(change.path) : undefined;
    const replaced = change.kind === 'rename' ? this.names.get(change.to) : undefined;
    this.names.apply(change);
    this.pending.push(change);
    if (change.kind === 'add' && change.place !== 'directory') this.linked(change.place, 1);
    for (const gone of [before, replaced]) if (gone !== undefined && gone !== 'directory') this.unlinked(gone);
  }

  private linked(inode: Inode, count: number): void {
    if (inode.links === 0) this.usedBytes += inode.allocatedBytes;
    inode.links += count;
  }

  private unlinked(inode: Inode): void {
    inode.links -= 1;
    this.letGo(inode);
  }

  /** A removed file keeps its space as long as somebody has it open. */
  private letGo(inode: Inode): void {
    if (inode.links === 0 && inode.opened === 0) this.usedBytes -= inode.allocatedBytes;
  }

  private counted(inode: Inode, change: () => void): void {
    const before = inode.allocatedBytes;
    change();
    this.usedBytes += inode.allocatedBytes - before;
  }
}
